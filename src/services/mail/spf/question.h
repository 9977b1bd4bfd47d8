// SPDX-License-Identifier: BSD-3-Clause
// What is asked about a sender (RFC 7208), what the answer is, and both between posternd and
// postern-spf, the program that answers:
//
//   question: client, helo, sender, host as arguments    answer: one line, "pass ITS REASON"
//
// Neither trusts the other's text. Bounds: kSpfPartMax octets of an argument, kSpfAnswerMax of the
// answer. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace postern::mail {

enum class SpfResult : uint8_t { none, neutral, pass, fail, softfail, temperror, permerror };

// "pass", as in a Received-SPF field.
std::string_view to_text(SpfResult result);

struct SpfQuestion {
  Ipv4Address client;
  std::string helo;
  std::string sender;  // empty: postmaster of `helo` (RFC 7208 section 2.4)
  std::string host;    // ours
};

struct SpfAnswer {
  SpfResult result = SpfResult::none;
  std::string why;  // in words
};

constexpr size_t kSpfPartMax = 1024;
constexpr size_t kSpfAnswerMax = 512;
constexpr size_t kSpfWhyMax = 200;

// With CRLF at the end (RFC 7208 section 9.1).
std::string received_spf_field(const SpfQuestion& question, const SpfAnswer& answer);

// Nothing of it ends a line, a comment or a quoted string; at most kSpfWhyMax octets.
std::string spf_plain(std::string_view text);

// Nothing: it cannot be asked, as one of its parts has a control character, or is too long.
std::optional<std::vector<std::string>> spf_arguments(const SpfQuestion& question);
std::optional<SpfQuestion> parse_spf_arguments(std::span<const std::string> arguments);

std::string encode_spf_answer(const SpfAnswer& answer);
// Nothing: this is not what encode_spf_answer() makes.
std::optional<SpfAnswer> parse_spf_answer(std::string_view text);

}  // namespace postern::mail
