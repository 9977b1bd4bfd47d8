// SPDX-License-Identifier: BSD-3-Clause
// What the proxy is told by the configuration, and what it counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "services/http/access/url_rules.h"
#include "services/http/proxy/destinations.h"
#include "services/http/proxy/keep_rules.h"
#include "services/http/proxy/upstream_pool.h"
#include "services/http/rules/decide.h"

namespace postern::http {

struct ProxyListener {
  std::string device;  // empty: any
  Ipv4Address address;
  uint16_t port = 3128;
  // Connections were led here on their way to somebody else: see Seams::original_destination.
  bool is_transparent = false;
  friend bool operator==(const ProxyListener&, const ProxyListener&) = default;
};

// All requests go to this proxy instead of to origins.
struct ParentProxy {
  std::string host;
  uint16_t port = 3128;
  std::string credentials;  // user:password for Basic; empty: none
  // The parent judges by itself what may be reached: names need not be known here (F58 is then
  // held against names and ports only).
  bool is_trusted = false;
};

// What becomes of requests that would go over to another protocol (RFC 9110 section 7.8), as that
// of WebSocket.
enum class UpgradeRule : uint8_t {
  refuse,  // the wish is not passed on: the origin answers in HTTP, as it may
  tunnel,  // it is; once the origin agrees, octets go both ways unread. Not for HTTP/2 (h2c).
};

struct ProxyLimits {
  size_t connections = 16384;  // of clients
  size_t per_client = 512;     // of one address
  size_t head_bytes = 65536;   // of a request or response
  uint64_t request_body_bytes = uint64_t{1} << 40;
  uint32_t head_s = 30;           // for a whole request head
  uint32_t idle_s = 60;           // between requests
  uint32_t client_body_s = 60;    // without an octet from or to the client
  uint32_t connect_s = 6;         // for one address of an origin
  uint32_t response_s = 90;       // for the head of a response
  uint32_t upstream_body_s = 60;  // without an octet of a response's body
  uint32_t tunnel_idle_s = 900;
  uint64_t finish_aborted_bytes = uint64_t{64} << 20;  // of what is fetched on without a client
};

struct ProxySettings {
  std::string name = "postern";  // in Via and Cache-Status
  std::vector<ProxyListener> listeners;
  DestinationRules destinations;
  std::optional<ParentProxy> parent;
  ServeRules serve;
  StoreRules keep;
  std::shared_ptr<const KeepRules> keep_rules;  // for some URLs; none: `keep` holds for all
  std::shared_ptr<const UrlRules> url_rules;    // none: all is permitted; shared with its compiler
  bool finishes_aborted = false;  // fetches on what all clients have left, when it is for the store
  bool asks_login = false;        // clients that nobody knows are asked for Basic credentials
  std::string realm = "postern";
  std::string local_domain;  // of the names inside, for pac.h; empty: none
  UpgradeRule upgrade = UpgradeRule::refuse;
  ProxyLimits limits;
  UpstreamPool::Limits pool;
};

struct ProxyCounters {
  uint64_t connections = 0;
  uint64_t turned_away = 0;  // beyond the limits
  uint64_t too_slow = 0;     // clients whose time was over
  uint64_t requests = 0;
  uint64_t malformed = 0;  // requests that were refused unread
  uint64_t denied = 0;     // by rules of URLs, ports, addresses, or those of the client
  uint64_t hits = 0;       // from the store, unasked
  uint64_t revalidated = 0;
  uint64_t collapsed = 0;
  uint64_t misses = 0;
  uint64_t stored = 0;  // responses that came whole into the store
  uint64_t store_failures = 0;
  uint64_t fetches = 0;  // questions upstream, retries too
  uint64_t retries = 0;  // on another connection, as the kept one was stale
  uint64_t upstream_failures = 0;
  uint64_t tunnels = 0;
  uint64_t bytes_to_clients = 0;     // of bodies
  uint64_t bytes_from_upstream = 0;  // of bodies
  uint64_t bytes_from_store = 0;     // of bodies
};

}  // namespace postern::http
