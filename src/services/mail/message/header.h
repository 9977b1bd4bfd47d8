// SPDX-License-Identifier: BSD-3-Clause
// HeaderScanner: the fields of a message (RFC 5322 section 2.2) out of the text as it passes, for
// the count of hops, for sorting and for who fetches from a mailbox that many share.
//
//   scanner.feed(text);      // as often as there is text; behind the header it costs nothing
//   scanner.finish();        // the message is over: a header without body ends here, too
//   scanner.fields().find("Message-ID")
//
// Read as it is, not as it should be: the header ends at the empty line, or before the first line
// that is neither a field nor the continuation of one (then it has no empty line). Folded lines are
// joined: the CRLF goes, the white space stays (RFC 5322 section 2.2.3). Encoded words are left
// alone.
//
// Bounds: HeaderLimits; what is beyond is not kept and is_cut() says so. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "services/mail/message/envelope.h"

namespace postern::mail {

struct HeaderLimits {
  size_t header = 262144;  // octets, all lines with their CRLFs
  size_t fields = 1000;
};

struct HeaderField {
  std::string name;   // as written
  std::string value;  // unfolded, without white space around it

  friend bool operator==(const HeaderField&, const HeaderField&) = default;
};

class HeaderFields {
 public:
  void add(std::string_view name, std::string_view value);

  // The value of the first field of that name, without regard to case; empty: there is none.
  std::string_view find(std::string_view name) const;
  bool has(std::string_view name) const { return count(name) != 0; }
  size_t count(std::string_view name) const;
  // The addresses of all fields of that name: To, Cc, Delivered-To, X-Envelope-To, Return-Path ...
  // Groups are opened, display names and comments dropped; what is no address is passed over. At
  // most kHeaderAddressesMax.
  std::vector<Address> addresses(std::string_view name) const;

  std::vector<HeaderField>::const_iterator begin() const { return fields_.begin(); }
  std::vector<HeaderField>::const_iterator end() const { return fields_.end(); }
  size_t size() const { return fields_.size(); }

  friend bool operator==(const HeaderFields&, const HeaderFields&) = default;

 private:
  std::vector<HeaderField> fields_;
};

constexpr size_t kHeaderAddressesMax = 1000;

// RFC 5322 section 3.4: "A <a@b>, g: c@d, \"e f\"@g;, (note) h@i". Adds to `out` until that holds
// kHeaderAddressesMax. False: something in it was no address and was passed over to the next comma.
bool parse_address_list(std::string_view text, std::vector<Address>& out);

class HeaderScanner {
 public:
  explicit HeaderScanner(const HeaderLimits& limits = HeaderLimits()) : limits_(limits) {}

  void feed(std::string_view text);
  void finish();

  bool is_done() const { return is_done_; }
  // A limit was reached: there is more header than is told here.
  bool is_cut() const { return is_cut_; }
  const HeaderFields& fields() const { return fields_; }
  // RFC 5321 section 6.3: how often it was handed on; a loop shows by 100 and more.
  size_t hops() const { return hops_; }
  // Octets of the header without the empty line, as far as it was read: where a field is put in.
  size_t length() const { return length_; }

 private:
  void take_line(std::string_view line);
  void take_field();
  void end();

  HeaderLimits limits_;
  HeaderFields fields_;
  std::string line_;   // not whole yet
  std::string field_;  // unfolded so far; goes into fields_ when the next begins
  size_t hops_ = 0;
  size_t length_ = 0;
  bool is_done_ = false;
  bool is_cut_ = false;
};

}  // namespace postern::mail
