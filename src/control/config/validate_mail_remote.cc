// SPDX-License-Identifier: BSD-3-Clause
// services.mail.relay, fetch and etrn: servers elsewhere, whether they are spoken to as they expect
// it, how we log in there, and whether rules let the gateway reach them (F49, F51).
#include <algorithm>
#include <set>
#include <string>

#include "control/config/mail_book.h"
#include "control/config/needs.h"
#include "control/config/validate.h"

namespace postern::config {
namespace {

constexpr std::string_view kPath = "services.mail";
constexpr uint8_t kTcp = 6, kUdp = 17;
constexpr uint16_t kSmtpPort = 25, kDnsPort = 53, kPop3Port = 110, kSubmissionsPort = 465,
                   kSubmissionPort = 587, kPop3sPort = 995;

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

// RFC 8314 sections 3.2 and 3.3: such a server waits for our first octet while we wait for its
// greeting, or the other way round.
void warn_of_port(Check& check, const Host& host) {
  const bool is_implicit = host.tls.mode.value_or(host.unsaid) == mail::TlsMode::implicit;
  const bool wants_tls = host.port == kSubmissionsPort || host.port == kPop3sPort;
  const bool wants_greeting =
      host.port == kSmtpPort || host.port == kSubmissionPort || host.port == kPop3Port;
  if (wants_tls && !is_implicit) {
    check.report.warning_at(
        join(host.path, "tls"),
        "port " + std::to_string(host.port) + " speaks TLS from the first octet; write implicit");
  } else if (wants_greeting && is_implicit) {
    check.report.warning_at(join(host.path, "tls"), "port " + std::to_string(host.port) +
                                                        " begins without TLS; write required");
  }
}

void validate_host(Check& check, const Host& host) {
  warn_of_port(check, host);
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

// What has to be let out: the connection, and before it the question for a name, which without a
// DNS service of the gateway goes to the name servers of the system.
void add_needs(const Check& check, const Host& host, Needs& needs) {
  needs.push_back({nullptr, kTcp, host.port, host.path});
  const auto& dns = check.model.services.dns;
  const bool has_service = dns && dns->enabled;
  const bool is_asked = std::any_of(needs.begin(), needs.end(),
                                    [](const Need& need) { return need.protocol == kUdp; });
  if (has_service || is_asked || parse_ipv4(host.host)) return;
  needs.push_back({nullptr, kUdp, kDnsPort, join(host.path, "host")});
}

void validate_hosts(Check& check, const std::vector<MailHop>& hosts, const std::string& path,
                    Needs& needs) {
  for (size_t i = 0; i < hosts.size(); ++i) {
    const MailHop& hop = hosts[i];
    const mail::TlsMode unsaid =
        hop.login.user.empty() ? mail::TlsMode::opportunistic : mail::TlsMode::required;
    const Host host{hop.host, hop.port, hop.tls, unsaid, join(path, i)};
    validate_host(check, host);
    validate_login(check, hop.login, host);
    add_needs(check, host, needs);
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

// What only some of the keys mean together.
void warn_of_idle_keys(Check& check, const MailFetch& fetch, const std::string& path) {
  if (fetch.leave_for.ns != 0 && !fetch.leave)
    check.report.warning_at(join(path, "leave_for"), "has no effect without leave: true");
  if (!fetch.to.empty() && !fetch.envelope_fields.empty()) {
    check.report.warning_at(join(path, "envelope_fields"),
                            "have no effect: all of it is for " + quote(fetch.to));
  }
  if (!fetch.envelope_prefix.empty() && fetch.envelope_fields.empty())
    check.report.warning_at(join(path, "envelope_prefix"), "has no effect without envelope_fields");
  if (fetch.to.empty() && fetch.envelope_fields.empty() && fetch.unsorted.empty()) {
    check.report.warning_at(path,
                            "mail of lists and Bcc does not name its recipients, and goes to the "
                            "postmaster: add to, or envelope_fields with the field where the "
                            "provider tells them, or unsorted");
  }
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
    warn_of_idle_keys(check, fetch, path);
    if (fetch.enabled) add_needs(check, host, needs);
  }
}

// By the networks of our interfaces and the routes; a name may be anywhere.
bool is_inside(const Check& check, const std::string& host) {
  const auto address = parse_ipv4(host);
  if (!address) return false;
  const Interface* by = check.network_of(*address);
  const bool is_near = by != nullptr;
  uint8_t longest = 0;  // a default route says nothing about who is there
  for (const Route& route : check.model.routes) {
    if (is_near || route.to.length <= longest || !route.to.contains(*address)) continue;
    longest = route.to.length;
    by = route.interface.empty() ? check.network_of(route.via)
                                 : check.find_interface(route.interface);
  }
  return by != nullptr && by->zone != Zone::external;
}

void validate_etrn(Check& check, const Mail& mail, Needs& needs) {
  for (size_t i = 0; i < mail.etrn.size(); ++i) {
    const MailEtrn& etrn = mail.etrn[i];
    const std::string path = join(join(kPath, "etrn"), i);
    const Host host{etrn.host, etrn.port, etrn.tls, mail::TlsMode::opportunistic, path};
    validate_host(check, host);
    if (!mail.from_outside && !is_inside(check, etrn.host)) {
      check.report.warning_at(path,
                              "what is asked for comes by SMTP from outside: set from_outside: "
                              "true, and a rule that lets it in");
    }
    check.require_items(ItemKind::time, etrn.when, join(path, "when"));
    for (size_t j = 0; j < etrn.domains.size(); ++j) {
      const bool is_own = std::any_of(
          mail.domains.begin(), mail.domains.end(),
          [&](const auto& own) { return mail_domain(own) == mail_domain(etrn.domains[j]); });
      if (is_own) continue;
      check.report.error_at(item_path(join(path, "domains"), j, etrn.domains.size()),
                            quote(etrn.domains[j]) + " is none of services.mail.domains");
    }
    add_needs(check, host, needs);
  }
}

// Without such rules the service is there, and reaches nobody.
void warn_of_egress(Check& check, Needs& needs) {
  meet_by_rules(check, needs);
  for (const Need& need : needs) {
    if (need.is_met) continue;
    if (need.protocol == kUdp) {
      check.report.warning_at(need.path,
                              "is a name, and no rule lets the gateway ask a name server; add one "
                              "with in: gateway, service: tcp+udp/53");
      continue;
    }
    check.report.warning_at(need.path,
                            "no rule lets the gateway reach it; add one with in: gateway, "
                            "service: tcp/" +
                                std::to_string(need.port));
  }
}

}  // namespace

void validate_mail_remote(Check& check, const Mail& mail) {
  Needs needs;
  if (mail.relay) validate_relay(check, *mail.relay, needs);
  validate_fetch(check, mail, needs);
  validate_etrn(check, mail, needs);
  if (!mail.enabled || check.report.errors() > 0) return;
  if (check.model.filter.posture == Posture::normal) warn_of_egress(check, needs);
}

}  // namespace postern::config
