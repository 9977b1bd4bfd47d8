// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: parse() on any frame, and every answer made of what it accepted. The input is the
// frame, but for its first byte: bit 0 makes it a broadcast (else it is for our port), bit 1 puts
// the IPv4 header checksum right before, so that the checks behind that one are reached.
#include "dataplane/packet/parse.h"

#include <cstdio>
#include <cstdlib>

#include "dataplane/wire/headers.h"
#include "support/packet_check.h"

namespace postern::test {
namespace {

void demand(const std::string& broken) {
  if (broken.empty()) return;
  std::fprintf(stderr, "broken: %s\n", broken.c_str());
  std::abort();
}

void run(const uint8_t* data, size_t size) {
  if (size > sizeof(EthernetHeader) + kMtuMax) return;
  Frame frame(std::span(data, size));
  if (size >= sizeof(EthernetHeader)) {
    ethernet_at(frame.bytes().data()).destination = (data[0] & 1) != 0 ? kBroadcastMac : kPortMac;
    if ((data[0] & 2) != 0) seal_ipv4(frame);
  }
  Packet packet = frame.packet();
  if (parse(packet, kPortMac) != DropReason::none) return;
  demand(broken_claim(packet));
  demand(broken_answer(frame));
}

}  // namespace
}  // namespace postern::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  postern::test::run(data, size);
  return 0;
}
