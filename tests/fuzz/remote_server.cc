// SPDX-License-Identifier: BSD-3-Clause
// The daemon's end of the remote administration: whatever comes, nobody is logged in by it, no
// request is heard, and what it wants next stays within its limits.
//
// The first octet chooses: hellos and what follows as they are; a sound hello with anything behind
// it; or a session of a client of ours in which the rest of the input is laid over the octets after
// the hello, with an exclusive or.
#include <algorithm>

#include "base/assert.h"
#include "control/remote/channel/handshake.h"

namespace {

using namespace postern;
using namespace postern::remote;

void feed(ServerSide& server, Bytes octets) {
  while (server.wanted() > 0 && octets.size() >= server.wanted()) {
    const size_t wanted = server.wanted();
    POSTERN_ASSERT(wanted <= kSizeClasses[kLogInClass] + kSealing);
    const ServerSide::Step step = server.take(octets.first(wanted));
    POSTERN_ASSERT(step == ServerSide::Step::more || step == ServerSide::Step::broken);
    octets = octets.subspan(wanted);
  }
}

// True when the client's log-in is on its way.
bool shake_hands(ServerSide& server, ClientSide& client) {
  server.take(client.out());
  client.out().clear();
  const Buffer hello = server.out();
  server.out().clear();
  client.take(Bytes(hello).first(kHelloHead));
  return client.take(Bytes(hello).subspan(kHelloHead, kServerHello - kHelloHead)) ==
         ClientSide::Step::hello;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static const SigningKey kServerKey = SigningKey::generate();
  static const SigningKey kClientKey = SigningKey::generate();
  const Bytes input(data + 1, size - 1);
  ServerSide server(kServerKey);
  if (data[0] % 3 == 0) {
    feed(server, input);
    return 0;
  }
  ClientSide client;
  POSTERN_ASSERT(shake_hands(server, client));
  if (data[0] % 3 == 1) {
    feed(server, input);
    return 0;
  }
  client.log_in(kClientKey, "alice");
  Buffer octets = client.out();
  bool is_changed = false;
  for (size_t i = 0; i < std::min(octets.size(), input.size()); ++i) {
    octets[i] ^= input[i];
    is_changed |= input[i] != 0;
  }
  if (is_changed) feed(server, octets);
  return 0;
}
