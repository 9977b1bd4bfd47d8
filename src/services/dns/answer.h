// SPDX-License-Identifier: BSD-3-Clause
// take_answer(): what a server sent -> what may be kept and told to clients.
//
// Kept are, of the answer section, the records of the name that was asked and of the names that
// its CNAME and DNAME records lead to; of the authority section the SOA of a negative answer, and
// with DNSSEC what proves it. All else (OPT, additional, name servers, names nobody asked for) is
// left out, so that a lying server can say nothing about other names (RFC 5452 section 6). What is
// kept is written anew, with pointers of ours alone.
//
// Pure. Bounds: 64 KiB of message, kChainMax names.
#pragma once

#include <vector>

#include "services/dns/message.h"

namespace postern::dns {

constexpr size_t kChainMax = 16;

struct Question {
  Name name;  // lower-cased
  uint16_t type = 0;
  bool wants_dnssec = false;
  bool checking_disabled = false;
};

// Its buffers are used again by the next take_answer().
struct Answer {
  std::vector<uint8_t> message;  // header (ID 0, no AD), question in lower case, kept records
  std::vector<uint16_t> ttl_at;  // where the TTLs stand in it
  uint16_t rcode = 0;
  uint32_t ttl_s = 0;  // the least of all; of a negative answer as in RFC 2308
  bool is_negative = false;
  bool is_bounded = false;    // it says for how long it holds: not so a denial without SOA
  bool leads_inside = false;  // it has an address that no public name should have
  bool is_failure = false;    // no answer at all, but that there is none (RFC 9520)
  unsigned dropped = 0;       // records of the answer that belonged to other names
};

// `from` answers `question`, which the caller has compared. False when it is broken.
bool take_answer(Bytes from, const Question& question, Answer& answer);

// That no server has an answer to the question, to be kept for `ttl_s`.
void make_failure(const Question& question, uint32_t ttl_s, Answer& answer);

// Private, loopback, link-local and unspecified addresses, also as hints of SVCB and HTTPS records
// (RFC 9460): what DNS rebinding leads to.
bool is_inside_address(uint16_t type, Bytes data);

}  // namespace postern::dns
