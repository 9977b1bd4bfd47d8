// SPDX-License-Identifier: BSD-3-Clause
// postern_http_proxy: the HTTP proxy of Postern alone, on loopback, for tests against other
// programs (suites of caches, load generators). It has no rules of users and writes no log, but
// counts.
#include <sys/resource.h>
#include <sys/time.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "http/name_resolver.h"
#include "services/http/proxy/proxy.h"
#include "services/http/store/store.h"
#include "services/io/watch.h"

namespace {

using namespace postern;        // NOLINT(google-build-using-namespace)
using namespace postern::http;  // NOLINT(google-build-using-namespace)

struct Options {
  uint16_t port = 3128;
  std::string store;
  uint64_t octets = uint64_t{256} << 20;
  std::vector<std::string> allowed;
  std::string parent;
  bool logs = false;
  bool is_offline = false;
  bool finishes_aborted = false;
  std::vector<uint16_t> connect_ports = {443};
};

int fail(const std::string& text) {
  std::fprintf(stderr, "postern_http_proxy: %s\n", text.c_str());
  return 1;
}

void read_options(CLI::App& app, Options& options) {
  app.add_option("--port", options.port, "port on 127.0.0.1; 0: any, which is printed");
  app.add_option("--store", options.store, "file of the cache; without it nothing is kept");
  app.add_option("--octets", options.octets, "size of the file");
  app.add_option("--allow", options.allowed, "addresses that may be reached though not public");
  app.add_option("--parent", options.parent, "host:port of a parent proxy");
  app.add_option("--connect-port", options.connect_ports, "ports for CONNECT");
  app.add_flag("--log", options.logs, "a line for each request");
  app.add_flag("--offline", options.is_offline, "ask nobody");
  app.add_flag("--finish-aborted", options.finishes_aborted, "fetch on what clients have left");
}

std::optional<ProxySettings> settings_of(const Options& options) {
  ProxySettings settings;
  settings.listeners.push_back(ProxyListener{{}, Ipv4Address(127, 0, 0, 1), options.port, false});
  settings.serve.is_offline = options.is_offline;
  settings.finishes_aborted = options.finishes_aborted;
  settings.destinations.connect_ports = options.connect_ports;
  settings.limits.per_client = settings.limits.connections;
  for (const std::string& text : options.allowed) {
    const std::optional<AddressRange> range = parse_address_range(text);
    if (!range) return std::nullopt;
    settings.destinations.allowed.push_back(*range);
  }
  const size_t colon = options.parent.rfind(':');
  if (colon != std::string::npos) {
    ParentProxy parent;
    parent.host = options.parent.substr(0, colon);
    parent.port = static_cast<uint16_t>(std::stoul(options.parent.substr(colon + 1)));
    settings.parent = parent;
  }
  return settings;
}

void print(const LogRecord& record) {
  std::printf("%s %.*s %.*s %u %llu %s %s\n", to_text(record.client.address).c_str(),
              static_cast<int>(record.method.size()), record.method.data(),
              static_cast<int>(record.url.size()), record.url.data(), record.status,
              static_cast<unsigned long long>(record.bytes), to_text(record.result),
              std::string(record.detail).c_str());
  std::fflush(stdout);
}

void print(const ProxyCounters& counters, const StoreCounters& store) {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const auto us = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  const double spent = us(usage.ru_utime) + us(usage.ru_stime);
  const auto count = [](uint64_t number) { return static_cast<unsigned long long>(number); };
  std::printf(
      "requests %llu hits %llu misses %llu revalidated %llu collapsed %llu fetches %llu "
      "stored %llu refused %llu damaged %llu cpu_us %.0f rss_kib %ld\n",
      count(counters.requests), count(counters.hits), count(counters.misses),
      count(counters.revalidated), count(counters.collapsed), count(counters.fetches),
      count(counters.stored), count(store.refused), count(store.damaged), spent, usage.ru_maxrss);
  std::fflush(stdout);
}

Result<std::unique_ptr<Store>> open_store(boost::asio::io_context& loop, const Options& options) {
  StoreOptions store;
  store.path = options.store;
  store.octets = options.octets;
  store.post = [&loop](std::function<void()> task) { boost::asio::post(loop, std::move(task)); };
  store.on_trouble = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
  return Store::open(store);
}

int run(const Options& options) {
  std::signal(SIGPIPE, SIG_IGN);  // of sendfile(2), which has no flag for it; as in posternd
  std::optional<ProxySettings> settings = settings_of(options);
  if (!settings) return fail("--allow: not an address, range or prefix");
  boost::asio::io_context loop;
  std::unique_ptr<Store> store;
  if (!options.store.empty()) {
    Result<std::unique_ptr<Store>> opened = open_store(loop, options);
    if (!opened) return fail(opened.error().text);
    store = std::move(*opened);
  }
  NameResolver resolver(loop);
  Seams seams;
  seams.resolve = [&resolver](const std::string& name, const Seams::Resolved& then) {
    resolver.resolve(name, then);
  };
  if (options.logs) seams.log = [](const LogRecord& record) { print(record); };
  {
    Proxy proxy(loop, std::move(*settings), seams, store.get());
    const Result<void> listening = proxy.listen();
    if (!listening) return fail(listening.error().text);
    std::printf("port %u\n", unsigned{proxy.ports().front()});
    std::fflush(stdout);
    io::Timer timer(loop);
    timer.start(seconds(1), [&proxy] { proxy.tick(); });
    boost::asio::signal_set ends(loop, SIGINT, SIGTERM);
    ends.async_wait([&loop](boost::system::error_code, int) { loop.stop(); });
    boost::asio::signal_set asks(loop, SIGUSR1);
    std::function<void(boost::system::error_code, int)> tell = [&](boost::system::error_code error,
                                                                   int) {
      if (error) return;
      print(proxy.counters(), store ? store->counters() : StoreCounters());
      asks.async_wait(tell);
    };
    asks.async_wait(tell);
    loop.run();
    print(proxy.counters(), store ? store->counters() : StoreCounters());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The HTTP proxy of Postern, alone.");
  Options options;
  read_options(app, options);
  CLI11_PARSE(app, argc, argv);
  return run(options);
}
