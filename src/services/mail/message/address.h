// SPDX-License-Identifier: BSD-3-Clause
// Mail addresses as SMTP writes them (RFC 5321 sections 4.1.2 and 4.1.3, RFC 6531 section 3.3).
//
//   <joe@a.example>  <"joe b"@a.example>  <joe@[192.0.2.1]>  <>  <postmaster>
//   <@b.example,@c.example:joe@a.example>   a source route: told, and dropped
//
// Strict: no spaces, no comments, no empty labels, no trailing dot. "joe%b@a" and "b!joe@a" are
// local parts like any other: nobody here looks for a second address inside of one. Octets above
// 127 pass only where SMTPUTF8 was said, and only as well-formed UTF-8 without control characters.
//
// Bounds (RFC 5321 section 4.5.3.1): local part 64 octets, domain 255 with labels of 63, path 256
// with its brackets. The source route counts in the path, as RFC 5321 says. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "services/mail/message/envelope.h"

namespace postern::mail {

constexpr size_t kLocalMax = 64;
constexpr size_t kDomainMax = 255;
constexpr size_t kLabelMax = 63;
constexpr size_t kPathMax = 256;

enum class AddressFault : uint8_t {
  none,
  syntax,    // not an address
  too_long,  // one of the bounds
  utf8,      // sound, but needs SMTPUTF8, which was not said
};

struct PathRules {
  bool is_utf8 = false;      // SMTPUTF8 was said
  bool may_be_null = false;  // <>: in MAIL, never in RCPT
  bool may_be_bare = false;  // <postmaster> without a domain: in RCPT
};

struct Path {
  Address address;
  bool has_route = false;   // a source route stood before it
  bool is_literal = false;  // the domain is an address literal
};

// Reads a path with its brackets from the front of `text` and takes it away from there; on a fault
// both are left in an undefined but sound state.
AddressFault parse_path(std::string_view& text, const PathRules& rules, Path& path);

// All of `text` is "local@domain"; for configuration, AUTH= and lists.
AddressFault parse_mailbox(std::string_view text, bool is_utf8, Address& address);

// All of `text` is a domain name or an address literal; `out` gets it in lower case.
AddressFault parse_domain(std::string_view text, bool is_utf8, std::string& out);

// Whether the text is a host name or an address literal, as EHLO wants it (RFC 5321 section 4.1.4).
bool is_host(std::string_view text);

// The address of "[192.0.2.1]".
std::optional<Ipv4Address> literal_ipv4(std::string_view domain);

// "joe@a.example", quoted where it has to be; "" for the null address.
std::string to_text(const Address& address);
// The same in brackets: "<>" for the null address.
std::string to_path(const Address& address);

// Whether there are octets above 127: such an address is told only to who knows SMTPUTF8.
bool needs_utf8(const Address& address);

// Whether all of `text` is well-formed UTF-8 (RFC 3629: shortest forms, no surrogates).
bool is_utf8(std::string_view text);

// In ASCII only, as mail compares names of domains, fields and commands.
std::string to_lower(std::string_view text);
bool same_word(std::string_view a, std::string_view b);

}  // namespace postern::mail
