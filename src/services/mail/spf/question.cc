// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/spf/question.h"

#include <algorithm>
#include <array>

namespace postern::mail {
namespace {

constexpr std::array<SpfResult, 7> kResults = {
    SpfResult::none,     SpfResult::neutral,   SpfResult::pass,     SpfResult::fail,
    SpfResult::softfail, SpfResult::temperror, SpfResult::permerror};

bool is_plain(char octet) {
  return octet >= ' ' && octet < 0x7F && octet != '(' && octet != ')' && octet != '\\' &&
         octet != '"';
}

// NUL ends an argument, and what others end is not the program's to find out.
bool can_be_said(std::string_view text) {
  const auto is_control = [](char octet) { return (octet >= 0 && octet < ' ') || octet == 0x7F; };
  return text.size() <= kSpfPartMax && std::ranges::none_of(text, is_control);
}

}  // namespace

std::string_view to_text(SpfResult result) {
  switch (result) {
    case SpfResult::none:
      return "none";
    case SpfResult::neutral:
      return "neutral";
    case SpfResult::pass:
      return "pass";
    case SpfResult::fail:
      return "fail";
    case SpfResult::softfail:
      return "softfail";
    case SpfResult::temperror:
      return "temperror";
    case SpfResult::permerror:
      return "permerror";
  }
  return "none";
}

std::string spf_plain(std::string_view text) {
  std::string out;
  for (const char octet : text.substr(0, kSpfWhyMax))
    out += is_plain(octet) ? octet : '?';
  return out;
}

std::string received_spf_field(const SpfQuestion& question, const SpfAnswer& answer) {
  const bool is_helo = question.sender.empty();
  std::string out = "Received-SPF: " + std::string(to_text(answer.result));
  if (!answer.why.empty()) out += " (" + spf_plain(answer.why) + ")";
  out += "\r\n\treceiver=" + question.host + "; client-ip=" + to_text(question.client) + ";\r\n\t";
  if (!is_helo) out += "envelope-from=\"" + spf_plain(question.sender) + "\"; ";
  return out + "helo=\"" + spf_plain(question.helo) +
         "\"; identity=" + (is_helo ? "helo" : "mailfrom") + "\r\n";
}

std::optional<std::vector<std::string>> spf_arguments(const SpfQuestion& question) {
  std::vector<std::string> parts = {to_text(question.client), question.helo, question.sender,
                                    question.host};
  if (!std::ranges::all_of(parts, can_be_said)) return {};
  return parts;
}

std::optional<SpfQuestion> parse_spf_arguments(std::span<const std::string> arguments) {
  if (arguments.size() != 4 || !std::ranges::all_of(arguments, can_be_said)) return {};
  const auto client = parse_ipv4(arguments[0]);
  if (!client) return {};
  return SpfQuestion{*client, arguments[1], arguments[2], arguments[3]};
}

std::string encode_spf_answer(const SpfAnswer& answer) {
  return std::string(to_text(answer.result)) + ' ' + spf_plain(answer.why) + '\n';
}

std::optional<SpfAnswer> parse_spf_answer(std::string_view text) {
  if (text.size() > kSpfAnswerMax || !text.ends_with('\n')) return {};
  text.remove_suffix(1);
  const size_t space = text.find(' ');
  if (space == std::string_view::npos) return {};
  const std::string_view why = text.substr(space + 1);
  if (why.size() > kSpfWhyMax || !std::ranges::all_of(why, is_plain)) return {};
  for (const SpfResult result : kResults)
    if (text.substr(0, space) == to_text(result)) return SpfAnswer{result, std::string(why)};
  return {};
}

}  // namespace postern::mail
