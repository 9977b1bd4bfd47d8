// SPDX-License-Identifier: BSD-3-Clause
// services.mail: who may send to anywhere, and by whom (F53).
//
// The proof that this is no open relay. Mail for others is taken
//   - from addresses of relay_networks: each of them has to be one that routes lead to by an
//     interface that is not external, and no external interface may let packets with such a source
//     in (spoof_allow);
//   - from who logs in: that is for the accounts to judge;
//   - from nobody else: what comes by the external interfaces meets the same rules, and is none of
//     both (submission and POP3 are not open there at all).
#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>

#include "control/config/listening.h"
#include "control/config/mail_book.h"
#include "control/config/needs.h"
#include "control/config/validate.h"

namespace postern::config {
namespace {

constexpr std::string_view kPath = "services.mail";
constexpr uint8_t kTcp = 6;
constexpr uint16_t kSmtpPort = 25, kPop3Port = 110, kPop3sPort = 995;

// Behind which interface an address is: that of the longest prefix, of own networks and routes.
class Sides {
 public:
  explicit Sides(const Check& check) {
    std::vector<std::pair<Prefix, const Interface*>> all;
    for (const Interface& interface : check.model.interfaces) {
      if (!interface.enabled) continue;
      for (const Prefix& own : interface.addresses)
        all.emplace_back(own, &interface);
    }
    for (const Route& route : check.model.routes) {
      const Interface* by = route.interface.empty() ? check.network_of(route.via)
                                                    : check.find_interface(route.interface);
      // A default route says nothing about who is there.
      if (by != nullptr && route.to.length > 0) all.emplace_back(route.to, by);
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const auto& a, const auto& b) { return a.first.length < b.first.length; });
    for (const auto& [prefix, by] : all)
      paint({prefix.network(), prefix.last()}, by);
  }

  // The first address of the range that is not inside, and whose it is: nullptr: nobody knows.
  struct Outsider {
    Ipv4Address address;
    const Interface* by;
  };
  std::optional<Outsider> find_outsider(const AddressRange& range) const {
    auto at = std::prev(begins_.upper_bound(range.first.number));
    for (; at != begins_.end() && at->first <= range.last.number; ++at) {
      if (at->second != nullptr && at->second->zone != Zone::external) continue;
      const auto number = static_cast<uint32_t>(std::max<uint64_t>(at->first, range.first.number));
      return Outsider{Ipv4Address(number), at->second};
    }
    return std::nullopt;
  }

 private:
  // Prefixes nest, and come with the longer ones later: none begins within.
  void paint(const AddressRange& range, const Interface* by) {
    const uint64_t first = range.first.number, end = uint64_t{range.last.number} + 1;
    const Interface* behind = std::prev(begins_.upper_bound(end))->second;
    begins_.erase(begins_.lower_bound(first), begins_.lower_bound(end));
    begins_[first] = by;
    begins_.emplace(end, behind);
  }

  std::map<uint64_t, const Interface*> begins_ = {{0, nullptr}};  // each up to the next
};

// nullopt: reported already.
std::optional<std::vector<AddressRange>> relay_ranges(Check& check, const Mail& mail,
                                                      const std::string& path) {
  if (mail.relay_networks) {
    check.require_items(ItemKind::address, *mail.relay_networks, path);
    auto ranges = check.resolver.addresses(*mail.relay_networks);
    if (!ranges) return std::nullopt;
    return std::move(*ranges);
  }
  std::vector<AddressRange> ranges;
  for (const Interface& interface : check.model.interfaces) {
    if (!listens_on(listening_of(mail), interface)) continue;
    for (const Prefix& own : interface.addresses)
      ranges.push_back({own.network(), own.last()});
  }
  return ranges;
}

bool overlap(const AddressRange& a, const AddressRange& b) {
  return a.first <= b.last && b.first <= a.last;
}

void require_no_spoofing(Check& check, const std::vector<AddressRange>& ranges,
                         const std::string& path) {
  for (const Interface& interface : check.model.interfaces) {
    if (interface.zone != Zone::external || interface.spoof_allow.empty()) continue;
    const auto allowed = check.resolver.addresses(interface.spoof_allow);
    if (!allowed) continue;
    for (const AddressRange& range : ranges) {
      const auto one = std::find_if(allowed->begin(), allowed->end(),
                                    [&](const auto& other) { return overlap(range, other); });
      if (one == allowed->end()) continue;
      check.report.error_at(path, "spoof_allow of " + quote(interface.name) +
                                      " lets packets with source " +
                                      to_text(std::max(range.first, one->first)) +
                                      " in from outside: whoever sends them could relay");
      return;
    }
  }
}

void prove_closed(Check& check, const Mail& mail) {
  const std::string path = join(kPath, "relay_networks");
  const auto ranges = relay_ranges(check, mail, path);
  if (!ranges || !check.parsed.interfaces_sound) return;
  const Sides sides(check);
  for (const AddressRange& range : *ranges) {
    const auto outsider = sides.find_outsider(range);
    if (!outsider) continue;
    const std::string address = to_text(outsider->address);
    check.report.error_at(
        path, address +
                  (outsider->by != nullptr
                       ? " is behind " + quote(outsider->by->name) + ", which is external"
                       : " is behind no inside interface") +
                  ": that would be an open relay. Name addresses inside alone; who is elsewhere "
                  "logs in (services.mail.submission)");
    return;
  }
  require_no_spoofing(check, *ranges, path);
}

// --- servers elsewhere

struct Host {
  const std::string& host;
  uint16_t port;
  const MailTls& tls;
  mail::TlsMode unsaid;  // where `tls` does not say how
  std::string path;
};

bool is_pin(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256/";
  constexpr size_t kBase64 = 44;
  if (!text.starts_with(kPrefix) || text.size() != kPrefix.size() + kBase64) return false;
  text.remove_prefix(kPrefix.size());
  return text.back() == '=' && std::all_of(text.begin(), text.end() - 1, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '+' || c == '/';
         });
}

void validate_host(Check& check, const Host& host) {
  const mail::TlsMode mode = host.tls.mode.value_or(host.unsaid);
  for (size_t i = 0; i < host.tls.pins.size(); ++i) {
    if (is_pin(host.tls.pins[i])) continue;
    check.report.error_at(
        item_path(join(host.path, "tls_pins"), i, host.tls.pins.size()),
        quote(host.tls.pins[i]) + " is not sha256/ and the base64 of 32 bytes of a key");
  }
  const bool is_proved = mode == mail::TlsMode::required || mode == mail::TlsMode::implicit;
  if (!is_proved && (!host.tls.pins.empty() || !host.tls.name.empty() || !host.tls.ca.empty())) {
    check.report.warning_at(join(host.path, "tls"),
                            "does not ask who the server is: tls_name, tls_pins and tls_ca have no "
                            "effect without required or implicit");
  }
  const auto address = parse_ipv4(host.host);
  if (!address) return;
  const std::string_view fault = address->is_loopback() ? std::string_view() : host_fault(*address);
  if (!fault.empty()) {
    check.report.error_at(join(host.path, "host"), quote(host.host) + " " + std::string(fault));
  } else if (check.owner_of(*address) != nullptr) {
    check.report.error_at(join(host.path, "host"),
                          quote(host.host) + " is this gateway, which would ask itself");
  }
}

void validate_login(Check& check, const MailLogin& login, const Host& host) {
  const bool has_password = !login.password_file.empty(), has_token = !login.token_command.empty();
  if (has_password && has_token) {
    check.report.error_at(join(host.path, "token_command"), "there is password_file already");
  } else if (!login.user.empty() && !has_password && !has_token) {
    check.report.error_at(join(host.path, "user"), "needs password_file or token_command");
  } else if (login.user.empty() && (has_password || has_token)) {
    check.report.error_at(join(host.path, has_password ? "password_file" : "token_command"),
                          "needs user");
  }
  if (has_token && login.token_command[0][0] != '/') {
    check.report.error_at(
        item_path(join(host.path, "token_command"), 0, login.token_command.size()),
        quote(login.token_command[0]) + " is not a path from the root");
  }
  const mail::TlsMode mode = host.tls.mode.value_or(host.unsaid);
  if (login.user.empty()) return;
  if (mode == mail::TlsMode::none) {
    check.report.warning_at(join(host.path, "tls"), "sends the password unencrypted");
  } else if (mode == mail::TlsMode::opportunistic) {
    check.report.warning_at(join(host.path, "tls"),
                            "gives the password to whoever answers in the server's place; write "
                            "required");
  }
}

using Needs = std::vector<Need>;

void validate_hosts(Check& check, const std::vector<MailHop>& hosts, const std::string& path,
                    Needs& needs) {
  for (size_t i = 0; i < hosts.size(); ++i) {
    const MailHop& hop = hosts[i];
    const mail::TlsMode unsaid =
        hop.login.user.empty() ? mail::TlsMode::opportunistic : mail::TlsMode::required;
    const Host host{hop.host, hop.port, hop.tls, unsaid, join(path, i)};
    validate_host(check, host);
    validate_login(check, hop.login, host);
    needs.push_back({nullptr, kTcp, hop.port, host.path});
  }
}

void validate_relay(Check& check, const MailRelay& relay, Needs& needs) {
  const std::string path = join(kPath, "relay");
  validate_hosts(check, relay.hosts, join(path, "hosts"), needs);
  for (size_t i = 0; i < relay.by_sender.size(); ++i) {
    const std::string place = join(join(path, "by_sender"), i);
    validate_hosts(check, relay.by_sender[i].hosts, join(place, "hosts"), needs);
    if (relay.by_sender[i].hosts.empty())
      check.report.error_at(place, "has no hosts for mail of these senders to go to");
  }
  if (relay.mx && !relay.hosts.empty()) {
    check.report.error_at(join(path, "mx"), "is without hosts: all mail goes to those");
  } else if (relay.mx) {
    const auto& dns = check.model.services.dns;
    if (!dns || !dns->enabled) {
      check.report.error_at(join(path, "mx"),
                            "asks the gateway's own name service: services.dns is missing");
    }
    needs.push_back({nullptr, kTcp, kSmtpPort, join(path, "mx")});
  }
  if (relay.hosts.empty() && relay.by_sender.empty() && !relay.mx) {
    check.report.error_at(path, "leads nowhere: add hosts, or mx: true for each domain's own");
  }
  check.require_items(ItemKind::time, relay.when, join(path, "when"));
}

void validate_fetch(Check& check, const Mail& mail, Needs& needs) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < mail.fetch.size(); ++i) {
    const MailFetch& fetch = mail.fetch[i];
    const std::string path = join(join(kPath, "fetch"), i);
    if (!fetch.name.empty() && !names.insert(fetch.name).second) {
      check.report.error_at(join(path, "name"),
                            quote(fetch.name) + " is the name of an earlier one");
    }
    const mail::TlsMode mode = fetch.tls.mode.value_or(mail::TlsMode::implicit);
    const uint16_t port =
        fetch.port.value_or(mode == mail::TlsMode::implicit ? kPop3sPort : kPop3Port);
    const Host host{fetch.host, port, fetch.tls, mail::TlsMode::implicit, path};
    validate_host(check, host);
    validate_login(check, fetch.login, host);
    check.require_items(ItemKind::time, fetch.when, join(path, "when"));
    if (fetch.leave_for.ns != 0 && !fetch.leave)
      check.report.warning_at(join(path, "leave_for"), "has no effect without leave: true");
    if (!fetch.to.empty() && !fetch.envelope_fields.empty()) {
      check.report.warning_at(join(path, "envelope_fields"),
                              "have no effect: all of it is for " + quote(fetch.to));
    }
    if (!fetch.envelope_prefix.empty() && fetch.envelope_fields.empty())
      check.report.warning_at(join(path, "envelope_prefix"),
                              "has no effect without envelope_fields");
    if (fetch.enabled) needs.push_back({nullptr, kTcp, port, path});
  }
}

void validate_etrn(Check& check, const Mail& mail, Needs& needs) {
  for (size_t i = 0; i < mail.etrn.size(); ++i) {
    const MailEtrn& etrn = mail.etrn[i];
    const std::string path = join(join(kPath, "etrn"), i);
    validate_host(check, {etrn.host, etrn.port, etrn.tls, mail::TlsMode::opportunistic, path});
    check.require_items(ItemKind::time, etrn.when, join(path, "when"));
    for (size_t j = 0; j < etrn.domains.size(); ++j) {
      const bool is_own = std::any_of(
          mail.domains.begin(), mail.domains.end(),
          [&](const auto& own) { return mail_domain(own) == mail_domain(etrn.domains[j]); });
      if (is_own) continue;
      check.report.error_at(item_path(join(path, "domains"), j, etrn.domains.size()),
                            quote(etrn.domains[j]) + " is none of services.mail.domains");
    }
    needs.push_back({nullptr, kTcp, etrn.port, path});
  }
}

// Without such rules the service is there, and reaches nobody.
void warn_of_egress(Check& check, Needs& needs) {
  meet_by_rules(check, needs);
  for (const Need& need : needs) {
    if (need.is_met) continue;
    check.report.warning_at(need.path,
                            "no rule lets the gateway reach it; add one with in: gateway, "
                            "service: tcp/" +
                                std::to_string(need.port));
  }
}

}  // namespace

void validate_mail_relay(Check& check, const Mail& mail) {
  prove_closed(check, mail);
  if (mail.pop3) check.require_items(ItemKind::address, mail.pop3->from, "services.mail.pop3.from");
  Needs needs;
  if (mail.relay) validate_relay(check, *mail.relay, needs);
  validate_fetch(check, mail, needs);
  validate_etrn(check, mail, needs);
  if (!mail.enabled || check.report.errors() > 0) return;
  if (!mail.relay) {
    check.report.warning_at(std::string(kPath),
                            "mail for other domains is refused: there is no relay");
  }
  if (check.model.filter.posture == Posture::normal) warn_of_egress(check, needs);
}

}  // namespace postern::config
