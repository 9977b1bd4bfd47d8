// SPDX-License-Identifier: BSD-3-Clause
#include "control/remote/channel/derive.h"

#include <algorithm>

#include "base/assert.h"

namespace postern::remote {
namespace {

// Each use of a hash or a signature has its own; the zero at the end makes none the beginning of
// another.
constexpr std::string_view kTranscriptContext("postern remote 1: transcript\0", 29);
constexpr std::string_view kKeysContext("postern remote 1: keys\0", 23);
constexpr std::string_view kServerContext("postern remote 1: server\0", 25);
constexpr std::string_view kClientContext("postern remote 1: client\0", 25);

constexpr char kKdfContext[] = "pstrnrem";
constexpr uint64_t kToServer = 1, kToClient = 2, kBinding = 3;

static_assert(sizeof kKdfContext == crypto_kdf_CONTEXTBYTES + 1);
static_assert(crypto_kdf_KEYBYTES == 32);
static_assert(crypto_scalarmult_BYTES == 32 && crypto_scalarmult_SCALARBYTES == 32);
static_assert(crypto_secretstream_xchacha20poly1305_KEYBYTES == StreamKey::size());

Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void append(Buffer& to, Bytes bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

}  // namespace

KeyExchange::KeyExchange() {
  POSTERN_ASSERT(sodium_init() >= 0);
  randombytes_buf(own_secret.data(), own_secret.size());
  crypto_scalarmult_base(own_public.data(), own_secret.data());
}

std::array<uint8_t, kHelloHead> hello_head() {
  std::array<uint8_t, kHelloHead> head = {};
  std::copy(kMagic.begin(), kMagic.end(), head.begin());
  head.back() = kVersion;
  return head;
}

Transcript transcript_of(Bytes client_hello, Bytes server_hello_signed) {
  Transcript transcript = {};
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, transcript.size());
  for (Bytes part : {bytes_of(kTranscriptContext), client_hello, server_hello_signed})
    crypto_generichash_update(&state, part.data(), part.size());
  crypto_generichash_final(&state, transcript.data(), transcript.size());
  return transcript;
}

std::optional<DerivedKeys> derive(const KeyExchange& exchange, const PublicKey& other,
                                  const Transcript& transcript) {
  Secret<32> shared;
  if (crypto_scalarmult(shared.data(), exchange.own_secret.data(), other.data()) != 0) {
    return std::nullopt;
  }
  Buffer text;
  append(text, bytes_of(kKeysContext));
  append(text, transcript);
  Secret<32> master;
  crypto_generichash(master.data(), master.size(), text.data(), text.size(), shared.data(),
                     shared.size());
  DerivedKeys keys;
  auto take = [&master](Secret<32>& key, uint64_t number) {
    crypto_kdf_derive_from_key(key.data(), key.size(), number, kKdfContext, master.data());
  };
  take(keys.to_server, kToServer);
  take(keys.to_client, kToClient);
  take(keys.binding, kBinding);
  return keys;
}

Buffer text_signed_by_server(const Transcript& transcript) {
  Buffer text;
  append(text, bytes_of(kServerContext));
  append(text, transcript);
  return text;
}

Buffer text_signed_by_client(const Transcript& transcript, const Secret<32>& binding,
                             std::string_view name, const PublicKey& key) {
  Buffer text;
  append(text, bytes_of(kClientContext));
  append(text, transcript);
  append(text, {binding.data(), binding.size()});
  append(text, key);
  append(text, bytes_of(name));  // last: all before it has a fixed size
  return text;
}

}  // namespace postern::remote
