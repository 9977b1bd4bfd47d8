// SPDX-License-Identifier: BSD-3-Clause
#include "services/portal/logins.h"

#include <sodium.h>

#include <algorithm>
#include <utility>

namespace postern::portal {

const char* to_word(Ended why) {
  switch (why) {
    case Ended::logged_out:
      return "logged-out";
    case Ended::replaced:
      return "replaced";
    case Ended::idle:
      return "idle";
    case Ended::time_over:
      return "time-over";
    case Ended::silent:
      return "silent";
    case Ended::other_machine:
      return "other-machine";
    case Ended::administrator:
      return "administrator";
  }
  return "-";
}

bool Logins::add(Login login) {
  if (logins_.size() >= kLoginsMax || logins_.contains(login.address)) return false;
  const Ipv4Address address = login.address;
  logins_.emplace(address, std::move(login));
  return true;
}

Login* Logins::find(Ipv4Address address) {
  auto found = logins_.find(address);
  return found == logins_.end() ? nullptr : &found->second;
}

const Login* Logins::find(Ipv4Address address) const {
  auto found = logins_.find(address);
  return found == logins_.end() ? nullptr : &found->second;
}

bool Logins::is_browser_of(const Login& login, std::string_view cookie) {
  return !login.cookie.empty() && cookie.size() == login.cookie.size() &&
         sodium_memcmp(cookie.data(), login.cookie.data(), cookie.size()) == 0;
}

std::vector<Logins::End> Logins::due(const Limits& limits, Instant now,
                                     const LastSeen& last_seen) const {
  std::vector<End> ends;
  auto is_over = [now](Duration limit, Instant since) {
    return limit.ns != 0 && now - since >= limit;
  };
  for (const auto& [address, login] : logins_) {
    if (is_over(limits.longest, login.since)) {
      ends.push_back({address, Ended::time_over});
    } else if (is_over(limits.heartbeat, login.last_page)) {
      ends.push_back({address, Ended::silent});
    } else if (is_over(limits.idle, login.last_page) &&
               is_over(limits.idle, std::max(login.since, last_seen(address)))) {
      ends.push_back({address, Ended::idle});
    }
  }
  return ends;
}

}  // namespace postern::portal
