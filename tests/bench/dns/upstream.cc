// SPDX-License-Identifier: BSD-3-Clause
// postern_bench_dns_upstream: a name server for tests/bench/dns.py that knows every name and costs
// little: one A record with a TTL of an hour.
//
//   postern_bench_dns_upstream ADDRESS PORT
#include <poll.h>

#include <cstdio>
#include <cstdlib>

#include "services/dns/message.h"
#include "services/dns/socket.h"

namespace {

namespace dns = postern::dns;

size_t answer(dns::Bytes message, std::span<uint8_t> room) {
  dns::Query query;
  if (dns::parse_query(message, query) != dns::QueryFault::none) return 0;
  dns::Writer writer(room);
  const bool has_address = query.type == dns::type::a;
  writer.header({query.id, dns::flag::qr | dns::flag::rd | dns::flag::ra, 1,
                 static_cast<uint16_t>(has_address ? 1 : 0), 0, 0});
  writer.bytes(message.subspan(dns::kHeaderBytes, query.name.size() + 4));
  if (has_address) {
    writer.u16(0xC000 | dns::kHeaderBytes);
    writer.u16(dns::type::a);
    writer.u16(dns::kClassIn);
    writer.u32(3600);
    writer.u16(4);
    writer.u32(0xC6336401);  // 198.51.100.1
  }
  return writer.size();
}

}  // namespace

int main(int argc, char** argv) {
  auto address = argc == 3 ? postern::parse_ipv4(argv[1]) : std::nullopt;
  if (!address) {
    std::fputs("usage: postern_bench_dns_upstream ADDRESS PORT\n", stderr);
    return 2;
  }
  auto fd = dns::open_datagram_listener({"", *address, static_cast<uint16_t>(std::atoi(argv[2]))});
  if (!fd) {
    std::fprintf(stderr, "%s\n", fd.error().text.c_str());
    return 1;
  }
  dns::DatagramBatch in(1500);
  dns::DatagramBatch out(1500);
  while (true) {
    pollfd waiting = {*fd, POLLIN, 0};
    poll(&waiting, 1, -1);
    size_t count = in.receive(*fd);
    for (size_t i = 0; i < count; ++i) {
      size_t size = answer(in.bytes(i), out.room());
      if (size > 0) out.add(size, in.address(i), in.port(i));
    }
    out.send(*fd);
  }
}
