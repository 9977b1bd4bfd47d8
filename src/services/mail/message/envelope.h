// SPDX-License-Identifier: BSD-3-Clause
// Address, Recipient, Envelope: what SMTP says about a message outside of it (RFC 5321 section
// 2.3.1). Everything else in mail speaks of these. Plain values; thread: any.
//
// Bounds: those of the parsers that fill them (address.h, parameters.h): local part 64 octets as
// it was written, domain 255, ENVID 100, ORCPT 500; recipients as many as the session allows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"

namespace postern::mail {

// The local part is what is meant: without the quotes and backslashes of a quoted string, so that
// <"joe"@a.example> and <joe@a.example> are equal, with the case as written. The domain is in lower
// case, or an address literal with its brackets. to_text() in address.h writes the quotes again.
struct Address {
  std::string local;
  std::string domain;  // empty: the null address, or <postmaster> without a domain

  // <>, the sender of notifications.
  bool is_null() const { return local.empty() && domain.empty(); }
  friend bool operator==(const Address&, const Address&) = default;
};

// RFC 3461 section 4.1, as bits; 0: not said.
enum Notify : uint8_t {
  kNotifyNever = 1,
  kNotifySuccess = 2,
  kNotifyFailure = 4,
  kNotifyDelay = 8,
};

struct Recipient {
  Address address;
  uint8_t notify = 0;    // Notify bits
  std::string original;  // ORCPT as written, "rfc822;joe@a.example" in xtext; empty: not said
  // Whose mailbox it is, and which folder of that ("Lists/DPDK"; empty: the inbox), once it is
  // decided (routing/). Empty user: the address is elsewhere.
  std::string user = {};
  std::string folder = {};

  friend bool operator==(const Recipient&, const Recipient&) = default;
};

// RFC 3461 section 4.3: what of the message comes back with a notification.
enum Returns : uint8_t {
  kReturnsUnsaid = 0,
  kReturnsFull = 1,
  kReturnsHeaders = 2,
};

struct Envelope {
  Address sender;
  std::vector<Recipient> recipients;
  std::string id;  // ENVID, in xtext as written; empty: not said
  uint8_t returns = kReturnsUnsaid;
  bool is_8bit = false;  // BODY=8BITMIME
  bool is_utf8 = false;  // SMTPUTF8 was said: the next hop has to know it, too
  std::string user;      // who authenticated; empty: nobody
  Ipv4Address client;
  std::string helo;  // as the client said it; empty: it did not
};

}  // namespace postern::mail
