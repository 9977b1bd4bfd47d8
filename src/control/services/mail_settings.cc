// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/mail_settings.h"

#include <sodium.h>

#include <algorithm>
#include <utility>

#include "control/compile/schedule.h"
#include "control/config/mail_book.h"
#include "control/text_file.h"

namespace postern {
namespace {

// --- servers elsewhere

mail::TlsUse tls_of(const config::MailTls& tls, mail::TlsMode unsaid) {
  constexpr std::string_view kPin = "sha256/";
  mail::TlsUse use;
  use.mode = tls.mode.value_or(unsaid);
  use.name = tls.name;
  for (const std::string& pin : tls.pins)
    use.pins.push_back(pin.substr(pin.starts_with(kPin) ? kPin.size() : 0));
  use.ca_file = tls.ca;
  return use;
}

// Its first line.
Result<mail::Credentials> credentials_of(const config::MailLogin& login) {
  mail::Credentials credentials;
  credentials.user = login.user;
  credentials.token_command = login.token_command;
  if (login.password_file.empty()) return credentials;
  auto text = read_regular_file(login.password_file);
  if (!text) return std::move(text).error();
  credentials.password = text->substr(0, text->find_first_of("\r\n"));
  sodium_memzero(text->data(), text->size());
  if (credentials.password.empty())
    return Error{ErrorCode::invalid, login.password_file + ": the first line is empty"};
  return credentials;
}

class Maker {
 public:
  Maker(const MailInputs& from, MailPlan& to) : in_(from), plan_(to) {}

  void relay();
  void fetch();
  void server();
  void sorting();

 private:
  // False: told.
  bool log_in_by(const config::MailLogin& login, const std::string& what, mail::Credentials& out) {
    auto credentials = credentials_of(login);
    if (credentials) {
      out = std::move(*credentials);
      return true;
    }
    if (plan_.complaint) plan_.complaint = std::move(credentials).error().within(what);
    return false;
  }
  void hosts(const std::vector<config::MailHop>& from, std::vector<mail::RelayHost>& to);
  std::vector<AddressRange> networks_of(const config::Listening& listening) const;
  std::vector<AddressRange> addresses(const std::vector<std::string>& items) const;
  std::vector<io::ListenAddress> inside(uint16_t port) const {
    if (port == 0) return {};
    return listeners_of(config::listening_of(in_.mail), port, in_.policy, in_.device_of);
  }

  const MailInputs& in_;
  MailPlan& plan_;
};

void Maker::hosts(const std::vector<config::MailHop>& from, std::vector<mail::RelayHost>& to) {
  for (const config::MailHop& hop : from) {
    mail::RelayHost& host = to.emplace_back();
    host.host = hop.host;
    host.port = hop.port;
    host.tls = tls_of(
        hop.tls, hop.login.user.empty() ? mail::TlsMode::opportunistic : mail::TlsMode::required);
    // Who cannot log in would be told that he may not send, and mail would come back.
    host.lacks_secret = !log_in_by(hop.login, "services.mail.relay: " + hop.host, host.credentials);
  }
}

void Maker::relay() {
  if (!in_.mail.relay) return;
  const config::MailRelay& from = *in_.mail.relay;
  mail::RelaySettings& to = plan_.settings.relay;
  to.helo = config::mail_domain(from.helo);
  hosts(from.hosts, to.hosts);
  for (const config::MailSenderRelay& one : from.by_sender) {
    mail::SenderRelay& relay = to.by_sender.emplace_back();
    relay.senders = one.senders;
    hosts(one.hosts, relay.hosts);
  }
  to.has_mx = from.mx;
  to.mx_tls.mode = from.mx_tls;
  for (const PolicyInterface& interface : in_.policy.interfaces) {
    for (const Prefix& own : interface.addresses)
      if (interface.exists) to.own.push_back({own.address, own.address});
  }
  for (const auto& external : in_.policy.nat.external_addresses)
    to.own.push_back({external.address, external.address});
  to.times = plan_.times.add(in_.objects, from.when);
  to.connections = from.connections;
  to.messages = from.messages;
  to.connect_timeout = from.connect_timeout;
  to.command_timeout = from.command_timeout;
  to.end_timeout = from.end_timeout;
  to.idle = from.idle;
}

void Maker::fetch() {
  constexpr uint16_t kPop3 = 110, kPop3s = 995;
  for (const config::MailFetch& from : in_.mail.fetch) {
    if (!from.enabled) continue;
    mail::FetchAccount to;
    to.name = from.name;
    to.host = from.host;
    to.tls = tls_of(from.tls, mail::TlsMode::implicit);
    to.port = from.port.value_or(to.tls.mode == mail::TlsMode::implicit ? kPop3s : kPop3);
    to.to = from.to;
    to.envelope_fields = from.envelope_fields;
    to.envelope_prefix = from.envelope_prefix;
    to.unsorted = from.unsorted;
    to.leaves = from.leave;
    to.leaves_for = from.leave_for;
    to.every = from.every;
    to.times = plan_.times.add(in_.objects, from.when);
    to.message_octets = std::min(from.message_size, in_.mail.queue.message_size);
    if (!log_in_by(from.login, "services.mail.fetch: " + from.name, to.credentials))
      to.times = {MailTimes::kNever};
    plan_.settings.fetch.accounts.push_back(std::move(to));
  }
  for (const config::MailEtrn& from : in_.mail.etrn) {
    mail::EtrnHost& to = plan_.settings.fetch.etrn.emplace_back();
    to.host = from.host;
    to.port = from.port;
    to.tls = tls_of(from.tls, mail::TlsMode::opportunistic);
    for (const std::string& domain : from.domains.empty() ? in_.mail.domains : from.domains)
      to.domains.push_back(config::mail_domain(domain));
    to.every = from.every;
    to.times = plan_.times.add(in_.objects, from.when);
  }
}

// --- clients

// Those of the addresses at which it is reached.
std::vector<AddressRange> Maker::networks_of(const config::Listening& listening) const {
  constexpr uint16_t kAnyPort = 0;  // it is the addresses that count
  std::vector<AddressRange> ranges;
  for (const io::ListenAddress& at : listeners_of(listening, kAnyPort, in_.policy, in_.device_of)) {
    for (const PolicyInterface& interface : in_.policy.interfaces) {
      for (const Prefix& own : interface.addresses) {
        if (interface.exists && own.address == at.address)
          ranges.push_back({own.network(), own.last()});
      }
    }
  }
  return ranges;
}

// They were found to resolve when the configuration was judged; else nobody is meant.
std::vector<AddressRange> Maker::addresses(const std::vector<std::string>& items) const {
  auto ranges = config::resolve_addresses(in_.objects, items);
  return ranges ? std::move(*ranges) : std::vector<AddressRange>();
}

void Maker::server() {
  const config::Mail& mail = in_.mail;
  mail::ServerSettings& server = plan_.settings.server;
  auto smtp = [&server](const std::vector<io::ListenAddress>& places, mail::SmtpPort port) {
    for (const io::ListenAddress& at : places)
      server.smtp.push_back({at, port});
  };
  smtp(inside(mail.port), mail::SmtpPort::mail);
  // F53: nothing else is heard outside.
  if (mail.port != 0) {
    smtp(listeners_of(config::outside_listening_of(mail), mail.port, in_.policy, in_.device_of),
         mail::SmtpPort::mail);
  }
  if (mail.submission) {
    smtp(inside(mail.submission->port), mail::SmtpPort::submission);
    smtp(inside(mail.submission->tls_port), mail::SmtpPort::submissions);
    server.is_sender_checked = mail.submission->sender_check;
  }
  const config::Listening listening = config::listening_of(mail);
  server.relay_networks =
      mail.relay_networks ? addresses(*mail.relay_networks) : networks_of(listening);
  if (mail.pop3) {
    for (const io::ListenAddress& at : inside(mail.pop3->port))
      server.pop3.push_back({at, false});
    for (const io::ListenAddress& at : inside(mail.pop3->tls_port))
      server.pop3.push_back({at, true});
    server.pop3_networks =
        mail.pop3->from.empty() ? networks_of(listening) : addresses(mail.pop3->from);
    server.pop3_idle = mail.pop3->idle;
  }
  server.has_clear_passwords = mail.tls.clear_passwords;
  server.message_octets = mail.queue.message_size;
  server.recipients = mail.limits.recipients;
  server.clients = mail.limits.clients;
  server.clients_of_one = mail.limits.clients_of_one;
  server.messages_per_minute = mail.limits.messages_per_minute;
  server.greet_delay = mail.limits.greet_delay;
  if (mail.greylist) server.greylist = {true, mail.greylist->wait, mail.greylist->memory};
  server.spf = mail.spf;
}

void Maker::sorting() {
  for (const config::MailSorting& from : in_.mail.sorting) {
    if (!from.enabled) continue;
    mail::SortingRule& to = plan_.settings.sorting.emplace_back();
    to.name = from.name;
    to.users = from.users;
    to.senders = from.senders;
    to.recipients = from.recipients;
    for (const auto& [name, pattern] : from.headers)
      to.headers.push_back({name, pattern});
    to.folder = from.folder;
    to.targets = from.to;
    to.keeps_copy = from.keep_copy;
  }
}

}  // namespace

mail::RecipientBook plan_mail_book(const MailInputs& inputs) {
  std::vector<config::MailPerson> people;
  people.reserve(inputs.people.users().size());
  for (const config::User& user : inputs.people.users())
    people.push_back({user.name, inputs.people.groups_of(user)});
  mail::RecipientBook book = config::mail_book(inputs.mail, people);
  for (const PolicyInterface& interface : inputs.policy.interfaces) {
    for (const Prefix& own : interface.addresses)
      if (interface.exists) book.own_addresses.push_back(own.address);
  }
  return book;
}

std::vector<uint32_t> MailTimes::add(const config::Objects& objects,
                                     const std::vector<std::string>& items) {
  if (items.empty()) return {};
  // As above: what does not resolve never is.
  auto times = config::resolve_times(objects, items);
  if (!times) return {kNever};
  times_.push_back(std::move(*times));
  return {static_cast<uint32_t>(times_.size() - 1)};
}

bool MailTimes::holds(uint32_t time, std::time_t now) const {
  if (time >= times_.size()) return false;
  const uint32_t minute = minute_of_week(now);
  return std::any_of(times_[time].begin(), times_[time].end(),
                     [minute](const config::WeekInterval& interval) {
                       return interval.first <= minute && minute < interval.last;
                     });
}

MailPlan plan_mail(const MailInputs& inputs) {
  const config::Mail& mail = inputs.mail;
  MailPlan plan;
  mail::MailSettings& settings = plan.settings;
  settings.host = config::mail_name(mail, inputs.system_name);
  settings.book = plan_mail_book(inputs);
  settings.queue = {mail.queue.messages, mail.queue.size, mail.queue.message_size};
  settings.delivery = {mail.queue.first_retry, mail.queue.longest_retry, mail.queue.expiry,
                       mail.queue.warning};
  if (mail.scan) {
    settings.scan = {mail.scan->milters, mail.scan->command, mail.scan->timeout,
                     mail.scan->unavailable, mail.scan->infected};
  }
  Maker maker(inputs, plan);
  maker.sorting();
  maker.server();
  maker.relay();
  maker.fetch();
  return plan;
}

std::vector<io::ListenAddress> places_of(const mail::ServerSettings& server) {
  std::vector<io::ListenAddress> places;
  for (const mail::SmtpListener& listener : server.smtp)
    places.push_back(listener.at);
  for (const mail::Pop3Listener& listener : server.pop3)
    places.push_back(listener.at);
  return places;
}

}  // namespace postern
