// SPDX-License-Identifier: BSD-3-Clause
// One line of a block list -> the names in it. Three formats, told apart line by line:
//
//   0.0.0.0 ads.example.com       hosts: this name alone (127.0.0.1, :: and ::1 serve as well)
//   ads.example.com               plain: this name and all below it; "*." in front changes nothing
//   ||ads.example.com^            adblock: the same; "@@" in front makes an exception of it
//
// Comments begin with '#' or '!', or stand behind white space and '#'. Lines that mean more than a
// name (paths, patterns, rules for the content of pages, options) are bad ones, never cut to a
// name: "example.com##.banner" must not block example.com.
//
// No state; any thread. Bound: the caller's line.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace postern::dns {

// A name as on the wire: length octets, lower case, with the root's zero (RFC 1035 section 3.1).
struct WireName {
  std::array<uint8_t, 255> bytes;
  size_t length = 0;

  std::span<const uint8_t> view() const { return {bytes.data(), length}; }
};

// Letters, digits, '-' and '_'; a dot at the end is permitted. False: no name, or one too long.
bool to_wire_name(std::string_view text, WireName& out);

struct ListedName {
  std::span<const uint8_t> wire;  // valid during the call
  bool with_subdomains = false;
  bool is_exception = false;
};

class NameSink {
 public:
  virtual ~NameSink() = default;
  virtual void take(const ListedName& name) = 0;
};

// Gives the names of the line to `sink`. Returns nullptr, or what is wrong with the line; names in
// front of the wrong one have been given then.
const char* parse_block_line(std::string_view line, NameSink& sink);

}  // namespace postern::dns
