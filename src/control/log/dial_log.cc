// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/dial_log.h"

#include <fmt/format.h>

#include "control/log/log_line.h"

namespace postern {

Result<void> DialLog::configure(const config::LogFile& settings, const std::string& state_dir,
                                const std::string& host) {
  host_ = host;
  return output_.configure(settings, {state_dir, host});
}

void DialLog::link_up(const std::string& interface) {
  links_[interface] = {world_.now(), world_.traffic(interface), {}};
  write(interface, "link_up", "");
}

void DialLog::link_down(const std::string& interface, const std::string& cause) {
  std::string rest;
  if (auto link = links_.find(interface); link != links_.end()) {
    rest = costs(link->second, interface);
    links_.erase(link);
  }
  write(interface, "link_down", rest + " cause=\"" + cause + "\"");
}

void DialLog::address_gained(const std::string& interface, const Prefix& address,
                             Ipv4Address server, uint32_t lease_s) {
  addresses_[interface] = {world_.now(), world_.traffic(interface), address};
  write(
      interface, "address_gained",
      fmt::format(" address={} server={} lease_s={}", to_text(address), to_text(server), lease_s));
}

void DialLog::address_lost(const std::string& interface, const std::string& cause) {
  auto known = addresses_.find(interface);
  if (known == addresses_.end()) return;
  const std::string rest = fmt::format(" address={}{} cause=\"{}\"", to_text(known->second.address),
                                       costs(known->second, interface), cause);
  addresses_.erase(known);
  write(interface, "address_lost", rest);
}

std::string DialLog::costs(const Begun& begun, const std::string& interface) const {
  const LinkTraffic now = world_.traffic(interface);
  return fmt::format(" duration_s={} received_bytes={} sent_bytes={}",
                     (world_.now() - begun.at).ns / 1'000'000'000,
                     now.received_bytes - begun.traffic.received_bytes,
                     now.sent_bytes - begun.traffic.sent_bytes);
}

void DialLog::write(const std::string& interface, const char* action, const std::string& rest) {
  const int64_t now = wall_now_ns();
  LineText line(now, host_, "dial");
  line.word("interface", interface).word("action", action);
  output_.write(Severity::notice, line.line() + rest, now);
}

}  // namespace postern
