// SPDX-License-Identifier: BSD-3-Clause
// The HTTP proxy and its cache as metrics; none where it is not configured.
#include "control/gateway.h"
#include "control/metrics/collect.h"
#include "control/services/http_cache.h"

namespace postern::metrics {
namespace {

void collect_store(const HttpCache& cache, Exposition& out) {
  out.gauge("postern_http_cache_ready", "1: the cache is open",
            uint64_t{cache.state() == HttpCache::State::ready});
  if (cache.store() == nullptr) return;
  const http::StoreCounters counters = cache.store()->counters();
  out.gauge("postern_http_cache_failing", "1: nothing is stored, as the disk fails",
            uint64_t{counters.is_failing});
  out.gauge("postern_http_cache_bytes", "size of the file", counters.octets);
  out.gauge("postern_http_cache_used_bytes", "what is written in it", counters.octets_used);
  out.gauge("postern_http_cache_objects", "objects in it", counters.objects);
  out.gauge("postern_http_cache_index_bytes", "memory of the index", counters.index_octets);
  out.gauge("postern_http_cache_queued_bytes", "wait to be written", counters.queued_octets);
  out.counter("postern_http_cache_evicted", "objects that made room", counters.evicted);
  out.counter("postern_http_cache_refused", "objects that were not stored", counters.refused);
  out.counter("postern_http_cache_damaged", "records that did not hold together", counters.damaged);
  out.counter("postern_http_cache_errors", "reads and writes that failed", counters.errors);
}

}  // namespace

void collect_http(Gateway& gateway, Exposition& out) {
  const HttpControl& http = gateway.http();
  out.gauge("postern_http_enabled", "1: there is an HTTP proxy", uint64_t{http.is_running()});
  if (!http.is_running()) return;
  const http::ProxyCounters counters = http.counters();
#define POSTERN_HTTP_COUNTER(name, help) out.counter("postern_http_" #name, help, counters.name);
#include "control/services/http_counters.def"
#undef POSTERN_HTTP_COUNTER
  const http::Proxy::Load load = http.load();
  out.gauge("postern_http_clients", "connections of clients", uint64_t{load.clients});
  out.gauge("postern_http_transfers", "responses under way", uint64_t{load.transfers});
  collect_store(http.cache(), out);
}

}  // namespace postern::metrics
