// SPDX-License-Identifier: BSD-3-Clause
// The fields that a server puts before a message: Received (RFC 5321 section 4.4, with the words of
// RFC 3848 and RFC 6531 section 4.3), and Return-Path at the last delivery.
//
//   Received: from pc.a.example (pc7.lan [192.168.1.7])
//     by mx.a.example with ESMTPSA id 4711
//     for <ann@b.example>; Mon, 23 Nov 2026 09:05:00 +0100
//
// What the client said of itself is told as it is, once it is a host; else its address stands in
// its place. Bounds: lines below 1000 octets as their parts are bounded. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/address.h"
#include "services/mail/message/envelope.h"

namespace postern::mail {

struct ReceivedFacts {
  std::string helo;         // as said
  std::string client_name;  // by the DNS, checked forward and back; empty: not known
  Ipv4Address client;
  std::string host;                    // ours
  std::string id;                      // of the queue; visible ASCII
  const Address* recipient = nullptr;  // the only one; with more none is told, as Bcc is secret
  std::string tls;                     // version and cipher as a comment; empty: none
  int64_t time_s = 0;                  // since 1970 UTC
  int zone_min = 0;
  bool is_extended = false;  // EHLO
  bool is_utf8 = false;      // SMTPUTF8
  bool is_authenticated = false;
};

// "SMTP", "ESMTPSA", "UTF8SMTPS" ...
std::string transmission_type(const ReceivedFacts& facts);

// With CRLF at the end.
std::string received_field(const ReceivedFacts& facts);
std::string return_path_field(const Address& sender);

}  // namespace postern::mail
