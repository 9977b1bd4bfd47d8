// SPDX-License-Identifier: BSD-3-Clause
// The client's end of the remote administration: a gateway that says anything proves nothing, and
// one in between whose octets are laid over those of a real one is seen.
#include <algorithm>

#include "base/assert.h"
#include "control/remote/channel/handshake.h"

namespace {

using namespace postern;
using namespace postern::remote;

// The last step but `more`.
ClientSide::Step feed(ClientSide& client, Bytes octets) {
  ClientSide::Step last = ClientSide::Step::more;
  while (client.wanted() > 0 && octets.size() >= client.wanted()) {
    const size_t wanted = client.wanted();
    const ClientSide::Step step = client.take(octets.first(wanted));
    if (step != ClientSide::Step::more) last = step;
    octets = octets.subspan(wanted);
  }
  return last;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static const SigningKey kServerKey = SigningKey::generate();
  const Bytes input(data + 1, size - 1);
  ClientSide client;
  if (data[0] % 2 == 0) {
    const ClientSide::Step step = feed(client, input);
    POSTERN_ASSERT(step == ClientSide::Step::more || step == ClientSide::Step::broken);
    return 0;
  }
  ServerSide server(kServerKey);
  server.take(client.out());
  Buffer octets = server.out();
  bool is_changed = false;
  for (size_t i = 0; i < std::min<size_t>(kServerHello, input.size()); ++i) {
    octets[i] ^= input[i];
    is_changed |= input[i] != 0;
  }
  const ClientSide::Step step = feed(client, octets);
  POSTERN_ASSERT(is_changed == (step == ClientSide::Step::broken));
  return 0;
}
