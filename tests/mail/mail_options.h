// SPDX-License-Identifier: BSD-3-Clause
// MailOptions: what postern_mail is told on its command line, as settings of the service.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "services/mail/service/settings.h"

namespace postern::mail {

// As written.
struct MailOptions {
  std::string folder;
  std::string host;
  int port = -1;  // on 127.0.0.1; 0: any, which is printed
  std::vector<std::string> domains, smtp, submission, submissions, pop3, pop3s;
  std::vector<std::string> users, aliases, groups, relay_networks, pop3_networks;
  std::string catch_all, postmaster, certificate, key;
  bool has_clear_passwords = false, is_sender_checked = false, is_quiet = false;
  std::vector<std::string> relays, milters, scan_command, fetches, etrn;
  std::string without = "hold", infected = "refuse", spf = "off";
  std::string helo;
  size_t relay_connections = 4;
  int64_t greylist_s = -1, greet_delay_ms = 0, pop3_idle_s = 600;
  int64_t first_retry_s = 300, longest_retry_s = 7200, expiry_s = 432'000, warning_s = 14'400;
  uint32_t per_minute = 0;
  size_t queue_messages = 10'000, clients = 2000, clients_of_one = 2000;
  uint64_t queue_octets = uint64_t{1} << 30, message_octets = uint64_t{50} << 20;
};

void add_options(CLI::App& app, MailOptions& options);

struct MailPlan {
  MailSettings settings;
  std::map<std::string, std::string> passwords;
};
Result<MailPlan> plan_of(const MailOptions& options);

}  // namespace postern::mail
