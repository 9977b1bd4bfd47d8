// SPDX-License-Identifier: BSD-3-Clause
// services.mail: where it is heard, and whether what it says can be. Who may send to where is in
// validate_mail_relay.cc, servers elsewhere are in validate_mail_remote.cc, who gets what is in
// validate_mail_users.cc.
#include <algorithm>
#include <string>

#include "control/config/listening.h"
#include "control/config/mail_book.h"
#include "control/config/needs.h"
#include "control/config/validate.h"
#include "services/mail/scan/milter_address.h"

namespace postern::config {
namespace {

constexpr std::string_view kPath = "services.mail";
constexpr uint8_t kTcp = 6;
constexpr uint16_t kDnsPort = 53;

void validate_listen(Check& check, const Mail& mail) {
  const std::string path = join(kPath, "listen");
  for (size_t i = 0; i < mail.listen.size(); ++i) {
    const std::string place = item_path(path, i, mail.listen.size());
    const Interface* interface = check.require_interface(mail.listen[i], place);
    if (interface == nullptr) continue;
    // F53: what is for hosts inside is not offered outside.
    if (interface->zone == Zone::external) {
      check.report.error_at(place, quote(mail.listen[i]) +
                                       " is external; mail from there is taken with from_outside: "
                                       "true, for the domains alone");
    } else if (interface->enabled && interface->addresses.empty() && !interface->dhcp) {
      check.report.error_at(place, quote(mail.listen[i]) + " has no address to be reached at");
    }
  }
}

struct OwnPort {
  std::string path;
  uint16_t port;
};

// Those that are open; 0 is none.
std::vector<OwnPort> ports_of(const Mail& mail) {
  std::vector<OwnPort> ports = {{join(kPath, "port"), mail.port}};
  if (mail.submission) {
    const std::string path = join(kPath, "submission");
    ports.push_back({join(path, "port"), mail.submission->port});
    ports.push_back({join(path, "tls_port"), mail.submission->tls_port});
  }
  if (mail.pop3) {
    const std::string path = join(kPath, "pop3");
    ports.push_back({join(path, "port"), mail.pop3->port});
    ports.push_back({join(path, "tls_port"), mail.pop3->tls_port});
  }
  std::erase_if(ports, [](const OwnPort& own) { return own.port == 0; });
  return ports;
}

// Another service of ours on the same interface.
void compare_with_others(Check& check, const Mail& mail, const OwnPort& own) {
  const Model& model = check.model;
  auto compare = [&](const char* name, const Listening& listening, uint16_t port) {
    if (port != own.port) return;
    const bool meets = std::any_of(
        model.interfaces.begin(), model.interfaces.end(), [&](const Interface& interface) {
          return listens_on(listening_of(mail), interface) && listens_on(listening, interface);
        });
    if (!meets) return;
    check.report.error_at(
        own.path, std::to_string(port) + " is the port of " + name + " on the same interface");
  };
  const Services& services = model.services;
  if (services.portal && services.portal->enabled)
    compare("services.portal", listening_of(*services.portal), services.portal->port);
  if (services.dns && services.dns->enabled)
    compare("services.dns", listening_of(*services.dns), kDnsPort);
  if (services.http && services.http->enabled)
    compare("services.http", listening_of(*services.http), services.http->port);
  if (model.admin.metrics)
    compare("admin.metrics", listening_of(*model.admin.metrics), model.admin.metrics->port);
  if (model.admin.remote && model.admin.remote->enabled)
    compare("admin.remote", listening_of(*model.admin.remote), model.admin.remote->port);
}

void validate_ports(Check& check, const Mail& mail) {
  const std::vector<OwnPort> ports = ports_of(mail);
  for (size_t i = 0; i < ports.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (ports[j].port != ports[i].port) continue;
      check.report.error_at(ports[i].path,
                            std::to_string(ports[i].port) + " is " + ports[j].path + ", too");
    }
    compare_with_others(check, mail, ports[i]);
  }
  if (ports.empty()) check.report.warning_at(std::string(kPath), "there is no port to listen on");
}

// What a port map takes never comes to us.
void warn_of_port_maps(Check& check, const Mail& mail) {
  for (const PortMap& map : check.model.nat.port_maps) {
    const Interface* on = check.find_interface(map.on);
    if (!map.enabled || on == nullptr || on->zone != Zone::external) continue;
    const auto services = check.resolver.services(map.service);
    if (!services || check.owner_of(map.to) != nullptr) continue;
    const bool takes = std::any_of(services->begin(), services->end(), [&](const auto& match) {
      return match.protocol == kTcp && match.destination.first <= mail.port &&
             mail.port <= match.destination.last;
    });
    if (!takes) continue;
    check.report.warning_at(join(kPath, "from_outside"),
                            "port map " + quote(map.name) + " leads what comes to port " +
                                std::to_string(mail.port) + " of " + map.on + " to a host inside");
  }
}

void validate_outside(Check& check, const Mail& mail) {
  if (!mail.from_outside) return;
  const std::string path = join(kPath, "from_outside");
  const std::vector<Interface>& interfaces = check.model.interfaces;
  const bool has_any =
      std::any_of(interfaces.begin(), interfaces.end(), [](const Interface& interface) {
        return interface.enabled && interface.zone == Zone::external;
      });
  if (mail.port == 0) {
    check.report.error_at(path, "takes mail by SMTP, for which there is no port");
  } else if (!has_any) {
    check.report.warning_at(path, "there is no external interface");
  } else {
    warn_of_port_maps(check, mail);
  }
}

// Unlike hosts inside, those outside come in by rules of the filter alone.
void warn_of_ingress(Check& check, const Mail& mail) {
  std::vector<Need> needs;
  for (const Interface& interface : check.model.interfaces) {
    if (listens_on(outside_listening_of(mail), interface))
      needs.push_back({&interface, kTcp, mail.port, join(kPath, "from_outside")});
  }
  meet_by_rules(check, needs);
  warn_of_unmet(check, needs);
}

bool names_outside(const FilterRule& rule, const Interface& interface) {
  return std::any_of(rule.in.begin(), rule.in.end(), [&](const std::string& end) {
    return end == interface.name || end == zone_word(interface.zone);
  });
}

// Submission and POP3 are heard inside alone: a rule that lets one of their ports in from outside
// was made for something else than what it does. Rules for many ports may mean others.
void warn_of_closed_ports(Check& check, const Mail& mail) {
  const std::vector<OwnPort> ports = ports_of(mail);
  auto warn = [&](const FilterRule& rule, const ServiceMatch& match) {
    const bool is_closed = std::any_of(ports.begin(), ports.end(), [&](const OwnPort& own) {
      return own.port != mail.port && match.protocol == kTcp &&
             match.destination.first == own.port && match.destination.last == own.port;
    });
    if (!is_closed) return;
    check.report.warning(
        rule.mark, join("filter.rules", rule.name),
        "lets tcp/" + std::to_string(match.destination.first) + " in from outside, where " +
            (mail.from_outside ? "mail listens at port " + std::to_string(mail.port) + " alone"
                               : "mail does not listen") +
            ": submission and POP3 are for hosts inside");
  };
  for (const FilterRule& rule : check.model.filter.rules) {
    const bool is_to_us = std::find(rule.out.begin(), rule.out.end(), "gateway") != rule.out.end();
    if (!rule.enabled || rule.action != RuleAction::permit || !is_to_us) continue;
    const auto& interfaces = check.model.interfaces;
    const bool is_outside =
        std::any_of(interfaces.begin(), interfaces.end(), [&](const Interface& interface) {
          return interface.zone == Zone::external && names_outside(rule, interface);
        });
    if (!is_outside) continue;
    const auto services = check.resolver.services(rule.service);
    for (const ServiceMatch& match : services ? *services : std::vector<ServiceMatch>())
      warn(rule, match);
  }
}

void validate_tls(Check& check, const Mail& mail) {
  const std::string path = join(kPath, "tls");
  if (mail.tls.certificate.empty() != mail.tls.key.empty()) {
    check.report.error_at(join(path, mail.tls.key.empty() ? "certificate" : "key"),
                          "a certificate and its key come together");
  }
  if (mail.tls.clear_passwords) {
    check.report.warning_at(join(path, "clear_passwords"),
                            "lets passwords come unencrypted, for anybody on the way to read; "
                            "clients of today know TLS");
  }
}

void warn_of_nobody(Check& check, const Mail& mail) {
  const std::vector<Interface>& interfaces = check.model.interfaces;
  const bool has_any = std::any_of(
      interfaces.begin(), interfaces.end(),
      [&](const Interface& interface) { return listens_on(listening_of(mail), interface); });
  if (!has_any && !mail.from_outside)
    check.report.warning_at(std::string(kPath), "there is no interface to listen on");
}

void validate_queue(Check& check, const MailQueue& queue) {
  const std::string path = join(kPath, "queue");
  if (queue.message_size > queue.size) {
    check.report.error_at(join(path, "message_size"), "is more than the queue holds (size)");
  }
  if (queue.longest_retry < queue.first_retry) {
    check.report.error_at(join(path, "longest_retry"), "is below first_retry");
  }
  if (queue.expiry <= queue.first_retry) {
    check.report.error_at(join(path, "expiry"), "is before the first retry");
  }
  if (queue.warning >= queue.expiry) {
    check.report.warning_at(join(path, "warning"), "is never sent: expiry comes before");
  }
}

std::string why_no_milter(const std::string& milter) {
  if (milter.starts_with("unix:/")) return " is no path of a socket: it has at most 107 octets";
  std::string why = " is neither unix:/run/clamav/milter.sock nor inet:127.0.0.1:7357";
  if (milter.starts_with('/')) why += "; did you mean " + quote("unix:" + milter) + "?";
  return why;
}

void validate_scan(Check& check, const MailScan& scan) {
  const std::string path = join(kPath, "scan");
  for (size_t i = 0; i < scan.milters.size(); ++i) {
    const std::string& milter = scan.milters[i];
    if (mail::parse_milter_address(milter)) continue;
    check.report.error_at(item_path(join(path, "milters"), i, scan.milters.size()),
                          quote(milter) + why_no_milter(milter));
  }
  if (!scan.command.empty() && scan.command[0][0] != '/') {
    check.report.error_at(item_path(join(path, "command"), 0, scan.command.size()),
                          quote(scan.command[0]) + " is not a path from the root");
  }
  if (scan.milters.empty() && scan.command.empty())
    check.report.warning_at(path,
                            "names neither milters nor a command: nothing is scanned; for ClamAV: "
                            "milters: [ unix:/run/clamav/clamav-milter.ctl ]");
  if (scan.unavailable == mail::WithoutScanner::pass) {
    check.report.warning_at(join(path, "unavailable"),
                            "lets mail pass unscanned while the scanner is away");
  }
}

}  // namespace

void validate_mail(Check& check) {
  if (!check.model.services.mail) return;
  const Mail& mail = *check.model.services.mail;
  validate_listen(check, mail);
  if (mail.enabled) validate_ports(check, mail);
  if (check.parsed.interfaces_sound) validate_outside(check, mail);
  validate_tls(check, mail);
  validate_queue(check, mail.queue);
  if (mail.scan) validate_scan(check, *mail.scan);
  validate_mail_users(check, mail);
  validate_mail_relay(check, mail);
  validate_mail_remote(check, mail);
  if (!mail.enabled || check.report.errors() > 0) return;
  warn_of_nobody(check, mail);
  warn_of_closed_ports(check, mail);
  if (check.model.filter.posture == Posture::normal) warn_of_ingress(check, mail);
}

}  // namespace postern::config
