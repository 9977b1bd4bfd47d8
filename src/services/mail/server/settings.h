// SPDX-License-Identifier: BSD-3-Clause
// ServerSettings: who may come for mail and where. Plain values; thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "services/io/listen_address.h"

namespace postern::mail {

enum class SmtpPort : uint8_t {
  mail,         // for our domains from anybody, for others from relay_networks and who logs in,
                // which only clients of relay_networks and pop3_networks can
  submission,   // for who logs in, by STARTTLS (RFC 6409)
  submissions,  // the same, TLS from the first octet (RFC 8314)
};

struct SmtpListener {
  io::ListenAddress at;
  SmtpPort port = SmtpPort::mail;
  friend bool operator==(const SmtpListener&, const SmtpListener&) = default;
};

struct Pop3Listener {
  io::ListenAddress at;
  bool is_tls = false;  // from the first octet
  friend bool operator==(const Pop3Listener&, const Pop3Listener&) = default;
};

// Strangers come again after a while, senders of junk mostly do not. Counted by the client's /24,
// the sender and the recipient.
struct GreylistSettings {
  bool is_on = false;
  Duration wait = seconds(300);
  Duration memory = seconds(3'110'400);  // 36 days
  friend bool operator==(const GreylistSettings&, const GreylistSettings&) = default;
};

// What a result of SPF (RFC 7208) leads to, of clients that are not ours.
enum class SpfUse : uint8_t {
  off,
  mark,    // Received-SPF alone
  refuse,  // fail is refused, temperror put off
};

struct ServerSettings {
  std::vector<SmtpListener> smtp;
  std::vector<Pop3Listener> pop3;
  std::string certificate;  // PEM, with its chain; empty: no TLS, and no passwords in clear either
  std::string key;          // PEM
  std::vector<AddressRange> relay_networks;  // may send to anywhere without a password
  std::vector<AddressRange> pop3_networks;   // may come to POP3; empty: nobody
  bool has_clear_passwords = false;          // from relay_networks and pop3_networks
  // Of who logged in: the envelope's sender has to be an address of theirs.
  bool is_sender_checked = false;
  uint64_t message_octets = uint64_t{50} << 20;
  size_t recipients = 1000;           // of a message
  size_t clients = 1000;              // at once, SMTP and POP3 each
  size_t clients_of_one = 50;         // from one address, each
  uint32_t messages_per_minute = 0;   // of one address outside relay_networks; 0: no limit
  Duration greet_delay;               // before the greeting, for clients outside relay_networks
  Duration pop3_idle = seconds(600);  // RFC 1939 section 3: at least 10 minutes
  GreylistSettings greylist;
  SpfUse spf = SpfUse::off;
  friend bool operator==(const ServerSettings&, const ServerSettings&) = default;
};

}  // namespace postern::mail
