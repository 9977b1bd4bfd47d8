// SPDX-License-Identifier: BSD-3-Clause
// Seams: what the mail service asks of its owner, and what it tells it. All are called on the
// control thread; those with a `then` may answer at once or later, once. The service may be gone
// when a late answer comes; that does no harm.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"
#include "services/mail/event.h"

namespace postern::mail {

enum class PasswordCheck : uint8_t { right, wrong, busy };

// A mail exchanger (RFC 5321 section 5.1).
struct MailHost {
  uint16_t preference = 0;
  std::string name;
};

struct Seams {
  using Addresses = std::vector<Ipv4Address>;
  using Resolved = std::function<void(const Result<Addresses>& addresses)>;
  using MailHosts = std::function<void(const Result<std::vector<MailHost>>& hosts)>;
  using Checked = std::function<void(PasswordCheck check)>;

  // The addresses of a name; not_found: it does not exist, anything else: try again later.
  std::function<void(const std::string& name, const Resolved& then)> resolve;
  // The MX records of a domain, none where it has none. Empty: MX cannot be asked for.
  std::function<void(const std::string& domain, const MailHosts& then)> find_mail_hosts;
  // Hashing takes a while and happens elsewhere.
  std::function<void(const std::string& user, const std::string& password, Ipv4Address client,
                     const Checked& then)>
      check_password;
  // Whether the time of that number is now; see the `times` of settings.
  std::function<bool(uint32_t time)> time_holds;

  std::function<void(const MailEvent& event)> log;
  // What an administrator should know beside the mail log: a line, without "mail: " before it.
  std::function<void(const std::string& line)> warn;

  std::function<Instant()> now;     // monotonic
  std::function<int64_t()> wall_s;  // since 1970, UTC
  std::function<int()> zone_min;    // of local time, east of UTC
};

}  // namespace postern::mail
