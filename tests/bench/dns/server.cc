// SPDX-License-Identifier: BSD-3-Clause
// postern_bench_dns: the DNS service alone, without ports and policy, for tests/bench/dns.py.
//
//   postern_bench_dns LISTEN-ADDRESS PORT SERVER-ADDRESS PORT [--entries N]
//
// It serves until a signal ends it and then prints its counters and the bytes of its cache.
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "services/dns/service.h"

namespace {

namespace dns = postern::dns;

int usage() {
  std::fputs("usage: postern_bench_dns ADDRESS PORT SERVER PORT [--entries N]\n", stderr);
  return 2;
}

void print(const dns::Service& service) {
  const dns::Counters& counters = service.forwarder().counters();
#define POSTERN_DNS_COUNTER(name, help) \
  std::printf("%s %llu\n", #name, static_cast<unsigned long long>(counters.name));
#include "services/dns/counters.def"
#undef POSTERN_DNS_COUNTER
  const dns::Cache& cache = service.forwarder().cache();
  std::printf("cache_entries %zu\ncache_bytes %llu\n", cache.entries(),
              static_cast<unsigned long long>(cache.bytes()));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5 && argc != 7) return usage();
  auto address = postern::parse_ipv4(argv[1]);
  auto server = postern::parse_ipv4(argv[3]);
  if (!address || !server) return usage();
  boost::asio::io_context context{1};
  dns::Service service(context, {[](const std::string& line) { std::puts(line.c_str()); }, {}});
  dns::Settings settings;
  settings.servers = {{*server, static_cast<uint16_t>(std::atoi(argv[4])), ""}};
  settings.rate_per_client = 0;  // one client asks for all
  settings.rebind_guard = false;
  if (argc == 7 && std::string_view(argv[5]) == "--entries") {
    settings.cache.entries = static_cast<uint32_t>(std::atoi(argv[6]));
  }
  auto outcome =
      service.apply(settings, {{"", *address, static_cast<uint16_t>(std::atoi(argv[2]))}});
  if (!outcome) {
    std::fprintf(stderr, "%s\n", outcome.error().text.c_str());
    return 1;
  }
  boost::asio::signal_set signals(context, SIGTERM, SIGINT);
  signals.async_wait([&](auto, auto) { context.stop(); });
  context.run();
  print(service);
  return 0;
}
