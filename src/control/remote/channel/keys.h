// SPDX-License-Identifier: BSD-3-Clause
// Ed25519 keys of the remote administration: of the gateway and of its administrators. As text,
// and as files that nobody else can read. doc/remote-protocol.md has the form of both.
//
// Secrets are wiped when their object goes. Thread: any; the files block on the disk.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postern::remote {

using Bytes = std::span<const uint8_t>;
using PublicKey = std::array<uint8_t, 32>;
using Signature = std::array<uint8_t, 64>;

// A block of secret octets, wiped at the end. It moves and is not copied.
template <size_t kSize>
class Secret {
 public:
  Secret() = default;
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    bytes_ = other.bytes_;
    if (this != &other) other.wipe();
    return *this;
  }
  ~Secret() { wipe(); }

  uint8_t* data() { return bytes_.data(); }
  const uint8_t* data() const { return bytes_.data(); }
  static constexpr size_t size() { return kSize; }

 private:
  void wipe();
  std::array<uint8_t, kSize> bytes_ = {};
};

// For texts and buffers that held a secret.
void wipe(std::string& text);

class SigningKey {
 public:
  using Seed = Secret<32>;

  static SigningKey generate();
  explicit SigningKey(const Seed& seed);

  const PublicKey& public_key() const { return public_key_; }
  Signature sign(Bytes message) const;
  // The seed in base64.
  std::string secret_text() const;

 private:
  PublicKey public_key_ = {};
  Secret<64> secret_;
};

bool verify(const PublicKey& key, Bytes message, const Signature& signature);

// "ed25519:" and 44 characters of base64, as in accounts. A public key is its own fingerprint: it
// is as short as a hash of it.
std::string to_text(const PublicKey& key);
// Nothing for what is no such text, and for points that no key pair has.
std::optional<PublicKey> parse_public_key(std::string_view text);

// One line "postern-key-1 SEED", mode 0600, synced, and the directory as well. A file that is there
// is an error (`denied`), not replaced.
Result<void> write_key_file(const std::string& path, const SigningKey& key);
// `not_found` when there is none; `denied` when it is not ours alone.
Result<SigningKey> read_key_file(const std::string& path);

}  // namespace postern::remote
