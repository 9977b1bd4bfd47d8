// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/message/hop.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "services/http/message/octets.h"

namespace postern::http {
namespace {

// RFC9110-7.6.1, and what proxies say to each other (sections 11.7 and 6.6.2).
// Not Proxy-Status (RFC 9209): that goes to the end.
constexpr std::array<std::string_view, 11> kHopByHop = {"TE",
                                                        "Trailer",
                                                        "Upgrade",
                                                        "Connection",
                                                        "Keep-Alive",
                                                        "HTTP2-Settings",
                                                        "Proxy-Connection",
                                                        "Transfer-Encoding",
                                                        "Proxy-Authenticate",
                                                        "Proxy-Authorization",
                                                        "Proxy-Authentication-Info"};

bool is_kept(std::string_view name) {
  return same_word(name, "Host") || same_word(name, "Content-Length");
}

}  // namespace

bool is_hop_by_hop(std::string_view name) {
  return std::any_of(kHopByHop.begin(), kHopByHop.end(), [name](std::string_view other) {
    return other.size() == name.size() && same_word(other, name);
  });
}

Connection::Connection(const Fields& fields) {
  ListWalk walk(fields, "Connection");
  while (const auto member = walk.next()) {
    if (size_ == kConnectionMax || !all_of(*member, kTokenOctet)) {
      is_broken_ = true;
      return;
    }
    has_close_ = has_close_ || same_word(*member, "close");
    has_keep_alive_ = has_keep_alive_ || same_word(*member, "keep-alive");
    listed_[size_++] = *member;
  }
}

bool Connection::passes(std::string_view name) const {
  if (is_hop_by_hop(name)) return false;
  const auto end = listed_.begin() + size_;
  const bool is_listed = std::any_of(listed_.begin(), end, [name](std::string_view other) {
    return other.size() == name.size() && same_word(other, name);
  });
  return !is_listed || is_kept(name);
}

void append_via(std::string& out, uint8_t minor, std::string_view name) {
  out += minor == 0 ? "Via: 1.0 " : "Via: 1.1 ";
  out += name;
  out += "\r\n";
}

bool has_via(const Fields& fields, std::string_view name) {
  ListWalk walk(fields, "Via");
  while (const auto member = walk.next()) {
    // received-protocol RWS received-by [ RWS comment ]
    const size_t space = std::min(member->find_first_of(" \t"), member->size());
    const std::string_view rest = trimmed(member->substr(space));
    if (same_word(rest.substr(0, rest.find_first_of(" \t")), name)) return true;
  }
  return false;
}

MaxForwards max_forwards(std::string_view method, const Fields& fields) {
  if (method != "TRACE" && method != "OPTIONS") return {};
  const auto value = fields.find("Max-Forwards");
  if (!value) return {};
  if (fields.count("Max-Forwards") > 1 || !all_of(*value, kDigitOctet)) {
    return {MaxForwards::Kind::broken, 0};
  }
  uint32_t hops = 0;
  const auto read = std::from_chars(value->data(), value->data() + value->size(), hops);
  // More than we can count: we may pass on the most that we can.
  if (read.ec != std::errc()) hops = std::numeric_limits<uint32_t>::max();
  if (hops == 0) return {MaxForwards::Kind::answer_here, 0};
  return {MaxForwards::Kind::pass_on, hops - 1};
}

Expectation expectation(uint8_t minor, const Fields& fields) {
  Expectation found = Expectation::none;
  ListWalk walk(fields, "Expect");
  while (const auto member = walk.next()) {
    if (!same_word(*member, "100-continue")) return Expectation::unknown;
    if (minor > 0) found = Expectation::go_on;
  }
  return found;
}

}  // namespace postern::http
