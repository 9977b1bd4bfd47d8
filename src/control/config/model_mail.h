// SPDX-License-Identifier: BSD-3-Clause
// services.mail as typed data: mail for our domains, for others, and from elsewhere (F49-F54, P26);
// see model.h for how it comes to be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "control/config/model_mark.h"
#include "services/mail/net/tls_use.h"
#include "services/mail/scan/settings.h"
#include "services/mail/server/settings.h"

namespace postern::config {

// Mail is only taken where it is clear whose it is: lists of these lengths are read, no more.
constexpr size_t kMailAliasesMax = 16'384;
constexpr size_t kMailTargetsMax = 1024;  // of one alias

// How somebody else's server is spoken to.
struct MailTls {
  std::optional<mail::TlsMode> mode;  // empty: as the server, its port and the log-in ask for
  std::string name;                   // of its certificate; empty: the host
  std::vector<std::string> pins;
  std::string ca;  // file, PEM; empty: the system's authorities
  bool operator==(const MailTls&) const = default;
};

struct MailLogin {
  std::string user;  // empty: we do not log in
  std::string password_file;
  std::vector<std::string> token_command;  // prints an OAuth 2.0 token
  bool operator==(const MailLogin&) const = default;
};

struct MailHop {
  std::string host;
  uint16_t port = 25;
  MailTls tls;
  MailLogin login;
  bool operator==(const MailHop&) const = default;
};

struct MailSenderRelay {
  std::vector<std::string> senders;
  std::vector<MailHop> hosts;
  bool operator==(const MailSenderRelay&) const = default;
};

struct MailRelay {
  std::string helo;  // empty: Mail::name
  std::vector<MailHop> hosts;
  std::vector<MailSenderRelay> by_sender;
  bool mx = false;
  mail::TlsMode mx_tls = mail::TlsMode::opportunistic;
  std::vector<std::string> when;  // time items; empty: always
  uint32_t connections = 4;
  uint32_t messages = 100;
  Duration connect_timeout = seconds(30);
  Duration command_timeout = seconds(300);
  Duration end_timeout = seconds(600);
  Duration idle = seconds(10);
  bool operator==(const MailRelay&) const = default;
};

struct MailSubmission {
  uint16_t port = 587;      // 0: none, as below
  uint16_t tls_port = 465;  // TLS from the first octet
  bool sender_check = false;
  bool operator==(const MailSubmission&) const = default;
};

struct MailPop3 {
  uint16_t port = 110;
  uint16_t tls_port = 995;
  std::vector<std::string> from;  // address items; empty: the networks of the interfaces
  Duration idle = seconds(600);
  bool operator==(const MailPop3&) const = default;
};

struct MailServerTls {
  std::string certificate;  // file, PEM, with its chain; empty: the gateway makes one
  std::string key;          // file, PEM
  bool clear_passwords = false;
  bool operator==(const MailServerTls&) const = default;
};

struct MailAlias {
  std::string name;  // "sales" or "sales@b.example"
  std::vector<std::string> targets;
  Mark mark;
  bool operator==(const MailAlias&) const = default;
};

struct MailSorting {
  std::string name;
  bool enabled = true;
  std::vector<std::string> users;
  std::vector<std::string> senders;
  std::vector<std::string> recipients;
  std::vector<std::pair<std::string, std::string>> headers;  // field and pattern
  std::string folder;
  std::vector<std::string> to;
  bool keep_copy = false;
  Mark mark;
  bool operator==(const MailSorting&) const = default;
};

struct MailQueue {
  uint32_t messages = 10'000;
  uint64_t size = uint64_t{1} << 30;           // octets, of all
  uint64_t message_size = uint64_t{50} << 20;  // of one
  Duration first_retry = seconds(300);         // then twice as long each time
  Duration longest_retry = seconds(7200);
  Duration expiry = seconds(432'000);
  Duration warning = seconds(14'400);  // 0: never
  bool operator==(const MailQueue&) const = default;
};

struct MailFetch {
  std::string name;
  bool enabled = true;
  std::string host;
  std::optional<uint16_t> port;  // empty: 995, or 110 without TLS from the first octet
  MailTls tls;                   // its mode: empty: implicit
  MailLogin login;
  std::string to;
  std::vector<std::string> envelope_fields;
  std::string envelope_prefix;
  std::string unsorted;
  bool leave = false;
  Duration leave_for;
  Duration every = seconds(300);
  std::vector<std::string> when;  // time items; empty: always
  uint64_t message_size = uint64_t{50} << 20;
  Mark mark;
  bool operator==(const MailFetch&) const = default;
};

struct MailEtrn {
  std::string host;
  uint16_t port = 25;
  MailTls tls;
  std::vector<std::string> domains;  // empty: ours
  Duration every;                    // 0: when a link comes up
  std::vector<std::string> when;     // time items; empty: always
  bool operator==(const MailEtrn&) const = default;
};

struct MailScan {
  std::vector<std::string> milters;
  std::vector<std::string> command;
  Duration timeout = seconds(60);
  mail::WithoutScanner unavailable = mail::WithoutScanner::hold;
  mail::WithInfected infected = mail::WithInfected::refuse;
  bool operator==(const MailScan&) const = default;
};

struct MailGreylist {
  Duration wait = seconds(300);
  Duration memory = seconds(3'110'400);
  bool operator==(const MailGreylist&) const = default;
};

struct MailLimits {
  uint32_t recipients = 1000;
  uint32_t clients = 1000;
  uint32_t clients_of_one = 50;
  uint32_t messages_per_minute = 0;
  Duration greet_delay;
  bool operator==(const MailLimits&) const = default;
};

struct Mail {
  bool enabled = true;
  std::string name;                  // empty: the system's name and the first domain
  std::vector<std::string> domains;  // mail for them stays here
  std::string folder;                // empty: the one in the state directory
  std::vector<std::string> listen;   // interfaces; empty: those of the zone internal
  uint16_t port = 25;
  bool from_outside = false;  // port 25 of external interfaces, for mail to our domains alone
  // Address items; not set: the networks of the interfaces.
  std::optional<std::vector<std::string>> relay_networks;
  MailServerTls tls;
  std::optional<MailSubmission> submission;
  std::optional<MailPop3> pop3;
  std::vector<std::string> mailboxes = {"any"};    // user items
  std::optional<std::vector<std::string>> groups;  // of users, with an address; empty: all
  std::vector<MailAlias> aliases;
  std::vector<MailSorting> sorting;
  std::string catch_all;
  std::string postmaster;
  bool plus_addresses = true;
  std::optional<MailRelay> relay;  // empty: mail for others goes nowhere
  std::vector<MailFetch> fetch;
  std::vector<MailEtrn> etrn;
  std::optional<MailScan> scan;
  std::optional<MailGreylist> greylist;
  mail::SpfUse spf = mail::SpfUse::off;
  MailQueue queue;
  MailLimits limits;
  bool operator==(const Mail&) const = default;
};

}  // namespace postern::config
