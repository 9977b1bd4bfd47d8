// SPDX-License-Identifier: BSD-3-Clause
#include "mail/mail_options.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "services/mail/message/address.h"

namespace postern::mail {
namespace {

Error wrong(const std::string& what, const std::string& text) {
  return {ErrorCode::invalid, what + ": " + text};
}

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(by, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

// "key=value"; the value is empty without one.
std::pair<std::string, std::string> pair_of(const std::string& text) {
  const size_t at = std::min(text.find('='), text.size());
  return {text.substr(0, at), at < text.size() ? text.substr(at + 1) : std::string()};
}

template <typename Number>
bool read_number(const std::string& text, Number& number) {
  const char* end = text.data() + text.size();
  const auto done = std::from_chars(text.data(), end, number);
  return done.ec == std::errc() && done.ptr == end;
}

// "host:port"
bool read_place(const std::string& text, std::string& host, uint16_t& port) {
  const size_t colon = text.rfind(':');
  host = text.substr(0, colon);
  return colon != std::string::npos && !host.empty() && read_number(text.substr(colon + 1), port);
}

Result<io::ListenAddress> listen_address(const std::string& text) {
  std::string host;
  io::ListenAddress at;
  const bool is_read = read_place(text, host, at.port);
  const std::optional<Ipv4Address> address = parse_ipv4(host);
  if (!is_read || !address) return wrong(text, "an address and a port, 127.0.0.1:2525");
  at.address = *address;
  return at;
}

Result<std::string> file_of(const std::string& path) {
  std::ifstream file(path);
  if (!file) return wrong(path, "cannot be read");
  return std::string{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Result<std::vector<AddressRange>> networks_of(const std::vector<std::string>& texts) {
  std::vector<AddressRange> networks;
  if (texts.empty())
    networks.push_back({Ipv4Address(127, 0, 0, 0), Ipv4Address(127, 255, 255, 255)});
  for (const std::string& text : texts) {
    if (text == "none") continue;
    const std::optional<AddressRange> range = parse_address_range(text);
    if (!range) return wrong(text, "not an address, range or prefix");
    networks.push_back(*range);
  }
  return networks;
}

// One of "tls=required", "user=...": false: it is none of a connection.
bool take_connection(const std::pair<std::string, std::string>& option, TlsUse& tls,
                     Credentials& credentials) {
  static const std::map<std::string, TlsMode> kModes = {{"none", TlsMode::none},
                                                        {"opportunistic", TlsMode::opportunistic},
                                                        {"required", TlsMode::required},
                                                        {"implicit", TlsMode::implicit}};
  const auto& [key, value] = option;
  const auto mode = kModes.find(value);
  if (key == "tls" && mode != kModes.end()) {
    tls.mode = mode->second;
  } else if (key == "name") {
    tls.name = value;
  } else if (key == "ca") {
    tls.ca_file = value;
  } else if (key == "pin") {
    tls.pins.push_back(value);
  } else if (key == "user") {
    credentials.user = value;
  } else if (key == "password") {
    credentials.password = value;
  } else if (key == "token-command") {
    credentials.token_command = {"/bin/sh", "-c", value};
  } else {
    return false;
  }
  return true;
}

Result<RelayHost> relay_of(const std::string& text) {
  const std::vector<std::string> parts = split(text, ',');
  RelayHost host;
  host.tls.mode = TlsMode::none;
  if (!read_place(parts.front(), host.host, host.port)) return wrong(text, "host:port");
  for (size_t i = 1; i < parts.size(); ++i) {
    if (!take_connection(pair_of(parts[i]), host.tls, host.credentials))
      return wrong(parts[i], "unknown");
  }
  return host;
}

bool take_fetch(const std::pair<std::string, std::string>& option, FetchAccount& account) {
  const auto& [key, value] = option;
  int64_t every_s = 0;
  if (key == "to") {
    account.to = value;
  } else if (key == "envelope") {
    account.envelope_fields.push_back(value);
  } else if (key == "prefix") {
    account.envelope_prefix = value;
  } else if (key == "unsorted") {
    account.unsorted = value;
  } else if (key == "leave") {
    account.leaves = true;
  } else if (key == "every" && read_number(value, every_s)) {
    account.every = seconds(every_s);
  } else {
    return take_connection(option, account.tls, account.credentials);
  }
  return true;
}

// "name=host:port,user=..."
Result<FetchAccount> fetch_of(const std::string& text) {
  const std::vector<std::string> parts = split(text, ',');
  const auto [name, place] = pair_of(parts.front());
  FetchAccount account;
  account.name = name;
  account.tls.mode = TlsMode::none;
  if (!read_place(place, account.host, account.port)) return wrong(text, "name=host:port");
  for (size_t i = 1; i < parts.size(); ++i) {
    if (!take_fetch(pair_of(parts[i]), account)) return wrong(parts[i], "unknown");
  }
  return account;
}

Result<EtrnHost> etrn_of(const std::string& text) {
  const std::vector<std::string> parts = split(text, ',');
  EtrnHost host;
  host.tls.mode = TlsMode::none;
  if (!read_place(parts.front(), host.host, host.port)) return wrong(text, "host:port");
  host.domains.assign(parts.begin() + 1, parts.end());
  return host;
}

// Adds what `make` makes of each text.
template <typename T, typename Make>
Result<void> add_all(std::vector<T>& all, const std::vector<std::string>& texts, const Make& make) {
  for (const std::string& text : texts) {
    auto made = make(text);
    if (!made) return made.error();
    all.push_back(std::move(*made));
  }
  return {};
}

Result<void> plan_listeners(const MailOptions& options, ServerSettings& server) {
  const auto smtp = [](SmtpPort port) {
    return [port](const std::string& text) -> Result<SmtpListener> {
      auto at = listen_address(text);
      if (!at) return at.error();
      return SmtpListener{*at, port};
    };
  };
  const auto pop3 = [](bool is_tls) {
    return [is_tls](const std::string& text) -> Result<Pop3Listener> {
      auto at = listen_address(text);
      if (!at) return at.error();
      return Pop3Listener{*at, is_tls};
    };
  };
  for (Result<void> done : {add_all(server.smtp, options.smtp, smtp(SmtpPort::mail)),
                            add_all(server.smtp, options.submission, smtp(SmtpPort::submission)),
                            add_all(server.smtp, options.submissions, smtp(SmtpPort::submissions)),
                            add_all(server.pop3, options.pop3, pop3(false)),
                            add_all(server.pop3, options.pop3s, pop3(true))}) {
    if (!done) return done;
  }
  return {};
}

void plan_book(const MailOptions& options, MailPlan& plan) {
  RecipientBook& book = plan.settings.book;
  book.domains.insert(options.domains.begin(), options.domains.end());
  if (!options.domains.empty()) book.own_domain = options.domains.front();
  for (const std::string& text : options.users) {
    const size_t colon = std::min(text.find(':'), text.size());
    const std::string name = to_lower(text.substr(0, colon));
    book.users.insert(name);
    if (colon < text.size()) plan.passwords[name] = text.substr(colon + 1);
  }
  for (const std::string& text : options.aliases) {
    const auto [name, targets] = pair_of(text);
    book.aliases[name] = split(targets, ',');
  }
  for (const std::string& text : options.groups) {
    const auto [name, users] = pair_of(text);
    book.groups[name] = split(users, ',');
  }
  book.catch_all = options.catch_all;
  book.postmaster = options.postmaster;
  if (book.postmaster.empty() && !book.users.empty()) book.postmaster = *book.users.begin();
}

Result<void> plan_server(const MailOptions& options, ServerSettings& server) {
  if (auto done = plan_listeners(options, server); !done) return done;
  auto relay = networks_of(options.relay_networks);
  auto pop3 = networks_of(options.pop3_networks);
  if (!relay || !pop3) return relay ? pop3.error() : relay.error();
  server.relay_networks = *relay;
  server.pop3_networks = *pop3;
  for (auto [path, text] : {std::pair{&options.certificate, &server.certificate},
                            std::pair{&options.key, &server.key}}) {
    if (path->empty()) continue;
    auto read = file_of(*path);
    if (!read) return read.error();
    *text = std::move(*read);
  }
  server.has_clear_passwords = options.has_clear_passwords;
  server.is_sender_checked = options.is_sender_checked;
  server.message_octets = options.message_octets;
  server.clients = options.clients;
  server.clients_of_one = options.clients_of_one;
  server.messages_per_minute = options.per_minute;
  server.greet_delay = milliseconds(options.greet_delay_ms);
  server.pop3_idle = seconds(options.pop3_idle_s);
  server.greylist.is_on = options.greylist_s >= 0;
  server.greylist.wait = seconds(std::max<int64_t>(options.greylist_s, 0));
  if (options.spf == "mark") server.spf = SpfUse::mark;
  if (options.spf == "refuse") server.spf = SpfUse::refuse;
  return {};
}

}  // namespace

void add_options(CLI::App& app, MailOptions& options) {
  app.add_option("--folder", options.folder, "of queue and mailboxes")->required();
  app.add_option("--host", options.host, "our name; default: mx. and the domain");
  app.add_option("--domain", options.domains, "mail for it stays here")->required();
  app.add_option("--port", options.port, "for mail, on 127.0.0.1; 0: any, which is printed");
  app.add_option("--smtp", options.smtp, "address:port for mail");
  app.add_option("--submission", options.submission, "address:port for who logs in");
  app.add_option("--submissions", options.submissions, "address:port, the same over TLS");
  app.add_option("--pop3", options.pop3, "address:port");
  app.add_option("--pop3s", options.pop3s, "address:port, over TLS");
  app.add_option("--user", options.users, "name[:password], with a mailbox");
  app.add_option("--alias", options.aliases, "name=target,target");
  app.add_option("--group", options.groups, "name=user,user");
  app.add_option("--catch-all", options.catch_all, "who gets what names nobody");
  app.add_option("--postmaster", options.postmaster, "default: the first user");
  app.add_option("--certificate", options.certificate, "file, PEM");
  app.add_option("--key", options.key, "file, PEM");
  app.add_option("--relay-network", options.relay_networks,
                 "may send anywhere; default 127.0.0.0/8; none");
  app.add_option("--pop3-network", options.pop3_networks, "default 127.0.0.0/8; none");
  app.add_flag("--clear-passwords", options.has_clear_passwords, "without TLS, too");
  app.add_flag("--check-senders", options.is_sender_checked, "of who logs in");
  app.add_option("--relay", options.relays,
                 "host:port[,tls=none|opportunistic|required|implicit][,user=][,password=]"
                 "[,token-command=][,ca=FILE][,pin=][,name=]");
  app.add_option("--relay-connections", options.relay_connections, "to one host at a time");
  app.add_option("--helo", options.helo, "our name for relay hosts");
  app.add_option("--milter", options.milters, "inet:host:port or unix:path");
  app.add_option("--scan-command", options.scan_command, "program and arguments");
  app.add_option("--without-scanner", options.without, "hold or pass");
  app.add_option("--infected", options.infected, "refuse, hold or discard");
  app.add_option("--fetch", options.fetches,
                 "name=host:port,user=,password=[,tls=][,to=][,envelope=][,prefix=][,unsorted=]"
                 "[,leave][,every=SECONDS]");
  app.add_option("--etrn", options.etrn, "host:port,domain,domain");
  app.add_option("--spf", options.spf, "off, mark or refuse");
  app.add_option("--greylist", options.greylist_s, "seconds to wait; without it there is none");
  app.add_option("--greet-delay", options.greet_delay_ms, "milliseconds");
  app.add_option("--per-minute", options.per_minute, "messages of a stranger");
  app.add_option("--pop3-idle", options.pop3_idle_s, "seconds");
  app.add_option("--first-retry", options.first_retry_s, "seconds");
  app.add_option("--longest-retry", options.longest_retry_s, "seconds");
  app.add_option("--expiry", options.expiry_s, "seconds");
  app.add_option("--warning", options.warning_s, "seconds until the sender hears of a delay");
  app.add_option("--queue-messages", options.queue_messages, "at most");
  app.add_option("--queue-octets", options.queue_octets, "at most");
  app.add_option("--message-octets", options.message_octets, "at most");
  app.add_option("--clients", options.clients, "at once, SMTP and POP3 each");
  app.add_option("--clients-of-one", options.clients_of_one, "from one address");
  app.add_flag("--quiet", options.is_quiet, "no line for each event");
}

Result<MailPlan> plan_of(const MailOptions& options) {
  MailPlan plan;
  MailSettings& settings = plan.settings;
  plan_book(options, plan);
  settings.host = options.host.empty() ? "mx." + settings.book.own_domain : options.host;
  if (auto done = plan_server(options, settings.server); !done) return done.error();
  settings.queue.messages = options.queue_messages;
  settings.queue.octets = options.queue_octets;
  settings.queue.message_octets = options.message_octets;
  settings.delivery.first_retry = seconds(options.first_retry_s);
  settings.delivery.longest_retry = seconds(options.longest_retry_s);
  settings.delivery.expiry = seconds(options.expiry_s);
  settings.delivery.warning = seconds(options.warning_s);
  settings.relay.helo = options.helo;
  settings.relay.connections = options.relay_connections;
  settings.scan.milters = options.milters;
  settings.scan.command = options.scan_command;
  if (options.without == "pass") settings.scan.without = WithoutScanner::pass;
  if (options.infected == "hold") settings.scan.infected = WithInfected::hold;
  if (options.infected == "discard") settings.scan.infected = WithInfected::discard;
  for (Result<void> done : {add_all(settings.relay.hosts, options.relays, relay_of),
                            add_all(settings.fetch.accounts, options.fetches, fetch_of),
                            add_all(settings.fetch.etrn, options.etrn, etrn_of)}) {
    if (!done) return done.error();
  }
  return plan;
}

}  // namespace postern::mail
