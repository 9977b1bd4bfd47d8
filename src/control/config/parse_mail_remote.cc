// SPDX-License-Identifier: BSD-3-Clause
// services.mail.relay, fetch and etrn.
#include "control/config/parse.h"

namespace postern::config {
namespace {

constexpr uint16_t kPop3 = 110, kSubmissions = 465;  // the latter: RFC 8314 section 3.3

// Where the file does not say how, some ports do: `by_port` is what `usual` stands for.
struct UsualPort {
  uint16_t usual;
  mail::TlsMode by_port;
};
constexpr UsualPort kBySmtp{kSubmissions, mail::TlsMode::implicit};
constexpr UsualPort kByPop3{kPop3, mail::TlsMode::required};

// 0: the file has no port.
void parse_tls(Section& section, uint16_t port, const UsualPort& known, MailTls& tls) {
  mail::TlsMode mode = mail::TlsMode::opportunistic;
  section.word("tls", mode);
  if (section.has("tls")) {
    tls.mode = mode;
  } else if (port == known.usual) {
    tls.mode = known.by_port;
  }
  section.string("tls_name", tls.name);
  section.strings("tls_pins", tls.pins);
  section.string("tls_ca", tls.ca);
}

void parse_login(Section& section, MailLogin& login) {
  section.string("user", login.user);
  section.string("password_file", login.password_file);
  section.strings("token_command", login.token_command);
  // One that is wrong has been told of: that none is there is not worth another word.
  const bool is_told = section.has("password_file") || section.has("password");
  if (is_told && login.password_file.empty()) login.password_file.assign(1, '/');
}

void parse_hosts(Section& section, std::vector<MailHop>& hosts) {
  for (const Field& field : section.find_sections("hosts")) {
    Section entry(field.report, field.node, field.path, *field.spec.section);
    MailHop& host = hosts.emplace_back();
    entry.string("host", host.host);
    entry.number("port", host.port);
    parse_tls(entry, host.port, kBySmtp, host.tls);
    parse_login(entry, host.login);
    entry.finish();
  }
}

void parse_relay(Section& section, MailRelay& relay) {
  section.string("helo", relay.helo);
  parse_hosts(section, relay.hosts);
  for (const Field& field : section.find_sections("by_sender")) {
    Section entry(field.report, field.node, field.path, *field.spec.section);
    MailSenderRelay& by_sender = relay.by_sender.emplace_back();
    entry.strings("senders", by_sender.senders);
    parse_hosts(entry, by_sender.hosts);
    entry.finish();
  }
  section.boolean("mx", relay.mx);
  section.word("mx_tls", relay.mx_tls);
  section.strings("when", relay.when);
  section.number("connections", relay.connections);
  section.number("messages", relay.messages);
  section.duration("connect_timeout", relay.connect_timeout);
  section.duration("command_timeout", relay.command_timeout);
  section.duration("end_timeout", relay.end_timeout);
  section.duration("idle", relay.idle);
  section.finish();
}

void parse_fetch(Section& section, MailFetch& fetch) {
  fetch.mark = section.node().mark;
  section.string("name", fetch.name);
  section.boolean("enabled", fetch.enabled);
  section.string("host", fetch.host);
  uint16_t port = 0;
  section.number("port", port);
  if (port != 0) fetch.port = port;
  parse_tls(section, port, kByPop3, fetch.tls);
  parse_login(section, fetch.login);
  section.string("to", fetch.to);
  section.strings("envelope_fields", fetch.envelope_fields);
  section.string("envelope_prefix", fetch.envelope_prefix);
  section.string("unsorted", fetch.unsorted);
  section.boolean("leave", fetch.leave);
  section.duration("leave_for", fetch.leave_for);
  section.duration("every", fetch.every);
  section.strings("when", fetch.when);
  section.size("message_size", fetch.message_size);
  section.finish();
}

void parse_etrn(Section& section, MailEtrn& etrn) {
  section.string("host", etrn.host);
  section.number("port", etrn.port);
  parse_tls(section, etrn.port, kBySmtp, etrn.tls);
  section.strings("domains", etrn.domains);
  section.duration("every", etrn.every);
  section.strings("when", etrn.when);
  section.finish();
}

}  // namespace

void parse_mail_remote(Section& section, Mail& mail) {
  if (auto relay = section.section("relay")) parse_relay(*relay, mail.relay.emplace());
  for (const Field& field : section.find_sections("fetch")) {
    Section entry(field.report, field.node, field.path, *field.spec.section);
    parse_fetch(entry, mail.fetch.emplace_back());
  }
  for (const Field& field : section.find_sections("etrn")) {
    Section entry(field.report, field.node, field.path, *field.spec.section);
    parse_etrn(entry, mail.etrn.emplace_back());
  }
}

}  // namespace postern::config
