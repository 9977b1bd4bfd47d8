// SPDX-License-Identifier: BSD-3-Clause
// What the proxy asks of its owner, and what it tells it. All are called on the control thread;
// those with a `then` may answer at once or later, and never answer twice. The proxy may be gone
// when a late answer comes; that does no harm.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"

namespace postern::http {

struct Peer {
  Ipv4Address address;
  uint16_t port = 0;
};

// What a client does to be known, and what came of it.
struct Identity {
  std::string user;
  std::vector<uint32_t> principals;  // the user and the groups, as UrlRule has them; ascending
};

// What came of a name and a password.
struct LoginAnswer {
  LoginAnswer(const Identity* who)  // NOLINT(google-explicit-constructor)
      : identity(who) {}
  // Nobody has looked at it: it may be right, and is to come again in `seconds`.
  static LoginAnswer busy(uint32_t seconds) {
    LoginAnswer answer(nullptr);
    answer.is_busy = true;
    answer.retry_s = seconds;
    return answer;
  }
  const Identity* identity;  // valid during the call; nullptr: wrong, unless is_busy
  bool is_busy = false;
  uint32_t retry_s = 0;
};

// How a response came about, in the words of Cache-Status (RFC 9211) and of the log.
enum class CacheResult : uint8_t {
  none,         // never asked: tunnels, errors, refusals
  hit,          // from the store, unasked
  stale,        // from the store though stale: offline, or the origin does not answer
  revalidated,  // from the store, the origin says that it is still right
  collapsed,    // from the exchange of another client
  miss,
  bypass,  // neither looked up nor stored
};

const char* to_text(CacheResult result);

// One line of the HTTP log (F65). Views are valid during the call.
struct LogRecord {
  Peer client;
  std::string_view user;
  std::string_view method;
  std::string_view url;
  unsigned status = 0;
  uint64_t bytes = 0;          // of the body, as sent to the client
  uint64_t request_bytes = 0;  // of the body, from the client
  std::string_view referer;
  std::string_view agent;
  CacheResult result = CacheResult::none;
  bool is_stored = false;   // the response was put into the store
  Ipv4Address upstream;     // unspecified: nobody was asked
  Duration total;           // from the whole head to the last octet
  Duration upstream_wait;   // from the question upstream to the head of its answer
  bool is_complete = true;  // false: one side left in the middle
  std::string_view detail;  // why, where it is not plain (RFC 9209 in our words)
  std::optional<uint32_t>
      rule;  // the URL rule that denied it: its place in ProxySettings::url_rules
};

struct Seams {
  using Addresses = std::vector<Ipv4Address>;
  using Resolved = std::function<void(const Result<Addresses>& addresses)>;
  // The addresses of a name, in the order in which they are to be tried.
  std::function<void(const std::string& name, const Resolved& then)> resolve;

  // Whether the rules of the client let it reach that address and port by itself (F58).
  std::function<bool(const Peer& client, Ipv4Address destination, uint16_t port)> judge;

  // Who sits at the address, as the log-in page or the configuration knows. Must be quick.
  std::function<const Identity*(Ipv4Address client)> identify;
  // Basic credentials of Proxy-Authorization. Asked for each request anew, so that nobody stays who
  // they were: what was right before is to be answered at once.
  using Verified = std::function<void(const LoginAnswer& answer)>;
  std::function<void(const std::string& user, const std::string& password, Ipv4Address client,
                     const Verified& then)>
      check_password;

  // Whether the time of that number is now, as UrlRule has it.
  std::function<bool(uint32_t time)> time_holds;

  std::function<void(const LogRecord& record)> log;

  // Where a transparent connection was going before it was led here; unspecified: not known.
  std::function<Peer(int fd, const Peer& client)> original_destination;
  // Options of a socket before it connects: source address, device, mark.
  std::function<bool(int fd, const Peer& client)> prepare_socket;
};

}  // namespace postern::http
