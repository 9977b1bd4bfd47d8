// SPDX-License-Identifier: BSD-3-Clause
// services.http as typed data: the HTTP proxy, its cache, and who may fetch what (F55-F58); see
// model.h for how it comes to be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "control/config/model_mark.h"

namespace postern::config {

// What some URLs have of their own; what is not set is as for all. All that it names must match,
// as in HttpRule.
struct HttpLifetime {
  std::vector<std::string> hosts;
  std::vector<std::string> paths;
  std::string contains;
  std::string pattern;
  std::optional<Duration> lifetime;        // where the server tells none, or does not count
  std::optional<uint64_t> largest_object;  // octets
  std::optional<bool> ignore_server_lifetimes;
  bool always_revalidate = false;
  bool never = false;  // not kept, nor sent from what was
  bool operator==(const HttpLifetime&) const = default;
};

struct HttpCache {
  std::string file;                   // empty: the one in the state directory
  uint64_t size = uint64_t{1} << 30;  // octets; the file has always this size
  uint64_t largest_object = uint64_t{1} << 30;
  Duration default_lifetime;  // where nobody tells one, not even Last-Modified; 0: not kept then
  std::vector<HttpLifetime> lifetimes;  // the first that matches counts
  bool redirects = true;
  bool always_revalidate = false;
  bool ignore_server_lifetimes = false;
  Duration stale_if_unreachable = seconds(86'400);  // 0: never
  Duration stale_if_error;                          // 0: never
  bool offline = false;
  uint64_t finish_aborted = 0;  // octets that are fetched on without a client; 0: none
  bool operator==(const HttpCache&) const = default;
};

struct HttpParent {
  std::string host;  // name or address
  uint16_t port = 3128;
  std::string user;
  std::string password_file;
  bool trusted = false;  // names are looked up by it alone
  bool operator==(const HttpParent&) const = default;
};

// A listening socket each, on each interface of the proxy.
constexpr size_t kHttpTransparentPortsMax = 16;

// Connections to hosts outside that the proxy answers in their place (F56).
struct HttpTransparent {
  std::vector<std::string> from;  // address items of clients; empty: those of Http::from
  std::vector<uint16_t> ports = {80};
  std::vector<std::string> except;  // address items of destinations
  bool operator==(const HttpTransparent&) const = default;
};

enum class HttpLogin : uint8_t { none, optional, required };

enum class HttpAction : uint8_t { permit, deny };

// All that it names must match; see services/http/access/url_rules.h.
struct HttpRule {
  std::string name;
  bool enabled = true;
  std::vector<std::string> hosts;
  std::vector<std::string> paths;
  std::string contains;            // of the URL
  std::string pattern;             // regular expression
  std::vector<std::string> users;  // user items; empty: everybody, known or not
  std::vector<std::string> when;   // time items; empty: always
  HttpAction action = HttpAction::deny;
  std::string message;  // for the page that refuses
  Mark mark;
  bool operator==(const HttpRule&) const = default;
};

struct HttpLimits {
  uint32_t connections = 4096;
  uint32_t per_client = 512;
  uint64_t upload = uint64_t{1} << 40;  // octets of the body of a request
  bool operator==(const HttpLimits&) const = default;
};

struct HttpTimeouts {
  Duration request = seconds(30);   // for a whole request head
  Duration idle = seconds(60);      // between requests of a client
  Duration connect = seconds(6);    // for one address of a server
  Duration response = seconds(90);  // until a server begins to answer
  Duration transfer = seconds(60);  // without an octet, in the middle
  Duration tunnel = seconds(900);   // without an octet, of CONNECT
  bool operator==(const HttpTimeouts&) const = default;
};

struct Http {
  bool enabled = true;
  std::vector<std::string> listen;  // interfaces; empty: those of the zone internal
  uint16_t port = 3128;
  std::vector<std::string> from;  // address items; empty: the networks of the interfaces
  std::optional<HttpTransparent> transparent;
  std::vector<uint16_t> connect_ports = {443};
  std::vector<std::string> allow_private;  // address items
  HttpLogin login = HttpLogin::none;
  bool wpad = false;               // DHCP clients are told of it
  std::optional<HttpCache> cache;  // empty: nothing is kept
  std::optional<HttpParent> parent;
  std::vector<HttpRule> rules;
  HttpLimits limits;
  HttpTimeouts timeouts;
  bool operator==(const Http&) const = default;
};

}  // namespace postern::config
