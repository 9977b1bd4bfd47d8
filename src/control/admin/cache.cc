// SPDX-License-Identifier: BSD-3-Clause
// The HTTP proxy and its cache as JSON; what an administrator takes out of it.
#include <fmt/format.h>

#include "control/admin/show.h"
#include "control/gateway.h"
#include "control/services/http_cache.h"

namespace postern::admin {
namespace {

constexpr double kPercent = 100;

Json listening_json(const HttpControl& http) {
  Json list = Json::array();
  for (const io::ListenAddress& at : http.listening())
    list.push_back(fmt::format("{}:{} on {}", to_text(at.address), at.port, at.device));
  return list;
}

Json store_json(const http::StoreCounters& counters) {
  return {{"bytes", counters.octets},
          {"bytes_used", counters.octets_used},
          {"objects", counters.objects},
          {"index_bytes", counters.index_octets},
          {"queued_bytes", counters.queued_octets},
          {"filling", counters.fills},
          {"stored", counters.stored},
          {"evicted", counters.evicted},
          {"second_chances", counters.second_chances},
          {"refused", counters.refused},
          {"damaged", counters.damaged},
          {"errors", counters.errors},
          {"is_failing", counters.is_failing}};
}

Json cache_json(const HttpCache& cache) {
  Json result = {{"state", to_word(cache.state())}, {"file", cache.file()},
                 {"bytes", cache.octets()},         {"percent_read", cache.percent()},
                 {"error", cache.error()},          {"store", nullptr}};
  if (cache.store() != nullptr) result["store"] = store_json(cache.store()->counters());
  return result;
}

// Of requests that the cache could have answered.
Json ratio_json(const http::ProxyCounters& counters) {
  const uint64_t hits = counters.hits + counters.revalidated + counters.collapsed;
  const uint64_t all = hits + counters.misses;
  if (all == 0) return nullptr;
  return kPercent * static_cast<double>(hits) / static_cast<double>(all);
}

void settle(Reply& reply, const Result<uint64_t>& removed, const char* what) {
  if (!removed) return reply.refuse(removed.error());
  reply.done({{"removed", *removed}, {"text", fmt::format("{} {}", *removed, what)}});
}

}  // namespace

Json http_json(Gateway& gateway) {
  HttpControl& http = gateway.http();
  if (!http.is_running()) return nullptr;
  const http::ProxyCounters counters = http.counters();
  const HttpCache& cache = http.cache();
  return {{"listening", listening_json(http)}, {"clients", http.load().clients},
          {"clients_max", http.clients_max()}, {"turned_away", counters.turned_away},
          {"requests", counters.requests},     {"hit_percent", ratio_json(counters)},
          {"cache", to_word(cache.state())}};
}

Json show_cache(Gateway& gateway) {
  HttpControl& http = gateway.http();
  Json result = {{"since", utc_text(gateway.status().started)}, {"enabled", http.is_running()}};
  if (!http.is_running()) return result;
  const http::ProxyCounters counters = http.counters();
  Json counts = Json::object();
  Json help = Json::object();
#define POSTERN_HTTP_COUNTER(name, text) \
  counts[#name] = counters.name;         \
  help[#name] = text;
#include "control/services/http_counters.def"
#undef POSTERN_HTTP_COUNTER
  const http::Proxy::Load load = http.load();
  result["listening"] = listening_json(http);
  result["clients"] = load.clients;
  result["clients_max"] = http.clients_max();
  result["transfers"] = load.transfers;
  result["cache"] = cache_json(http.cache());
  result["hit_percent"] = ratio_json(counters);
  result["saved_bytes"] = counters.bytes_from_store;
  result["counters"] = std::move(counts);
  result["help"] = std::move(help);
  return result;
}

void add_cache_commands(Dispatcher& dispatcher, Gateway& gateway) {
  dispatcher.add("show cache", [&gateway](const Json&, const Peer&, Reply reply) {
    reply.done(show_cache(gateway));
  });
  dispatcher.add(
      "cache purge",
      [&gateway](const Json& request, const Peer&, Reply reply) {
        const auto answer = std::make_shared<Reply>(std::move(reply));
        gateway.http().purge(request.at("url").get<std::string>(),
                             [answer](const Result<uint64_t>& removed) {
                               settle(*answer, removed, "removed from the cache");
                             });
      },
      Effect::changes);
  dispatcher.add(
      "cache clear",
      [&gateway](const Json&, const Peer&, Reply reply) {
        const auto answer = std::make_shared<Reply>(std::move(reply));
        gateway.http().clear([answer](const Result<uint64_t>& removed) {
          settle(*answer, removed, "removed, the cache is empty");
        });
      },
      Effect::changes);
  dispatcher.add(
      "cache recreate",
      [&gateway](const Json&, const Peer&, Reply reply) {
        const auto answer = std::make_shared<Reply>(std::move(reply));
        HttpCache& cache = gateway.http().cache();
        cache.recreate([answer, &cache](const Result<void>& made) {
          if (!made) return answer->refuse(made.error());
          answer->done({{"text", cache.file() + " is made anew"}});
        });
      },
      Effect::changes);
}

}  // namespace postern::admin
