// SPDX-License-Identifier: BSD-3-Clause
// What both sides of the handshake compute alike: the transcript, the keys that follow from it, and
// the texts that are signed. Pure; thread: any.
#pragma once

#include <string_view>

#include "control/remote/channel/handshake.h"

namespace postern::remote {

// "postern-remote/" and our version.
std::array<uint8_t, kHelloHead> hello_head();

// BLAKE2b of the client's hello and of what of the server's is signed. All sizes are fixed.
Transcript transcript_of(Bytes client_hello, Bytes server_hello_signed);

struct DerivedKeys {
  StreamKey to_server, to_client;
  Secret<32> binding;  // signed by the client: of this channel, and known to nobody outside it
};
// Nothing where the other side's key is a point that leaves the secret no choice.
std::optional<DerivedKeys> derive(const KeyExchange& exchange, const PublicKey& other,
                                  const Transcript& transcript);

Buffer text_signed_by_server(const Transcript& transcript);
Buffer text_signed_by_client(const Transcript& transcript, const Secret<32>& binding,
                             std::string_view name, const PublicKey& key);

}  // namespace postern::remote
