// SPDX-License-Identifier: BSD-3-Clause
#include "support/reassembly.h"

#include "dataplane/wire/checksum.h"
#include "dataplane/wire/headers.h"
#include "support/packet_compare.h"

namespace postern::test {

std::string Reassembly::add(std::span<const uint8_t> frame) {
  if (ethernet_at(frame.data()).type != be16(ethertype::ipv4)) return "";
  const Ipv4Header& ip = ipv4_at(frame.data() + sizeof(EthernetHeader));
  const uint16_t flags = ip.flags_and_offset.value();
  if ((flags & 0x3FFF) == 0) return "";
  const Train train{ip.source.value(), ip.destination.value(), ip.protocol,
                    ip.identification.value()};
  Datagram& datagram = datagrams_[train];
  const unsigned offset = (flags & 0x1FFFu) * 8;
  const auto headers = frame.first(sizeof(EthernetHeader) + ip.header_bytes());
  const auto payload = frame.subspan(headers.size());
  if (offset == 0) datagram.headers.assign(headers.begin(), headers.end());
  datagram.pieces[offset].assign(payload.begin(), payload.end());
  if ((flags & 0x2000) == 0) datagram.end = offset + static_cast<unsigned>(payload.size());

  std::vector<uint8_t> whole = datagram.headers;
  unsigned at = 0;
  for (const auto& [begin, bytes] : datagram.pieces) {
    if (begin != at) return begin < at ? "pieces overlap" : "";
    whole.insert(whole.end(), bytes.begin(), bytes.end());
    at += static_cast<unsigned>(bytes.size());
  }
  if (datagram.end == 0 || at != datagram.end || datagram.headers.empty()) return "";

  uint8_t* l3 = whole.data() + sizeof(EthernetHeader);
  Ipv4Header& header = ipv4_at(l3);
  header.total_length = be16(static_cast<uint16_t>(whole.size() - sizeof(EthernetHeader)));
  header.flags_and_offset = be16(0);
  header.checksum = be16(0);
  header.checksum = be16::from_raw(static_cast<uint16_t>(~sum(l3, header.header_bytes())));
  datagrams_.erase(train);
  const std::string broken = broken_checksum(whole);
  return broken.empty() ? "" : "in the datagram that the pieces make, " + broken;
}

}  // namespace postern::test
