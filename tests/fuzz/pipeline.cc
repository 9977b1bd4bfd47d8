// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: frames in a row through the whole packet path of an office with NAT, maps and rules.
// Input: for each frame a byte (bits 0-1: wan, lan, dmz, from the kernel; 2: time passes; 3: seal
// the IPv4 header) and a length byte, then its bytes. Holds: no crash; every frame comes out once
// or is held; what leaves has right checksums if what came had.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"
#include "support/office.h"
#include "support/packet_compare.h"
#include "support/testbed.h"

namespace {

using namespace postern;
using namespace postern::test;

[[noreturn]] void broken(const char* claim, const std::string& detail) {
  std::fprintf(stderr, "pipeline: %s: %s\n", claim, detail.c_str());
  std::abort();
}

void seal_ipv4(std::vector<uint8_t>& frame) {
  if (frame.size() < sizeof(EthernetHeader) + sizeof(Ipv4Header)) return;
  uint8_t* l3 = frame.data() + sizeof(EthernetHeader);
  Ipv4Header& ip = ipv4_at(l3);
  if (frame.size() < sizeof(EthernetHeader) + ip.header_bytes()) return;
  ip.checksum = be16();
  ip.checksum = be16::from_raw(static_cast<uint16_t>(~sum(l3, ip.header_bytes())));
}

std::unique_ptr<Testbed> make_bed() {
  auto bed = std::make_unique<Testbed>(2);
  auto loaded = bed->load(kOffice);
  if (!loaded) broken("the office does not load", loaded.error().text);
  return bed;
}

void check(const std::vector<Effect>& effects, bool all_good) {
  for (const Effect& effect : effects) {
    if (effect.kind == Effect::Kind::drop) {
      if (effect.reason == DropReason::none) broken("a drop without a reason", effect.interface);
      continue;
    }
    std::string wrong = broken_checksum(effect.frame);
    if (all_good && !wrong.empty()) broken("a checksum broke", wrong);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::unique_ptr<Testbed> bed = make_bed();
  static const char* const kPorts[] = {"wan", "lan", "dmz", "lan"};
  bool all_good = true;
  unsigned turn = 0;
  while (size > 2) {
    const unsigned where = data[0] & 3;
    const bool waits = (data[0] & 4) != 0;
    const bool seals = (data[0] & 8) != 0;
    size_t length = std::min<size_t>(data[1] * 8u, size - 2);
    std::vector<uint8_t> frame(data + 2, data + 2 + length);
    data += 2 + length;
    size -= 2 + length;
    // Addressed to us, or next to nothing gets beyond the first check.
    MacAddress mac = bed->gateway_mac(kPorts[where]);
    if (frame.size() >= 14) std::copy(mac.bytes.begin(), mac.bytes.end(), frame.begin());
    if (seals) seal_ipv4(frame);
    all_good = all_good && broken_checksum(frame).empty();
    bed->receive_at(static_cast<WorkerId>(turn++ % 2));
    check(where == 3 ? bed->inject_from_host("lan", frame) : bed->inject(kPorts[where], frame),
          all_good);
    if (waits) check(bed->advance(seconds(5)), all_good);
  }
  // What one input left behind ends, so that every input can be run again by itself.
  bed->advance(seconds(8000));
  if (bed->held() != 0) broken("frames stay for ever", std::to_string(bed->held()));
  bed->take_log();
  return 0;
}
