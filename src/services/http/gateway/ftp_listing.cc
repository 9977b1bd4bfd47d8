// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/gateway/ftp_listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <vector>

#include "services/http/gateway/ftp_reply.h"
#include "services/http/message/fields.h"
#include "services/http/message/octets.h"

namespace postern::http {
namespace {

using Kind = ListingEntry::Kind;
constexpr size_t kWordsMax = 12;  // of a line, before the name

struct Word {
  std::string_view text;
  size_t end = 0;  // in the line
};

std::vector<Word> words_of(std::string_view line) {
  std::vector<Word> words;
  words.reserve(kWordsMax);
  size_t at = 0;
  while (words.size() < kWordsMax) {
    at = std::min(line.find_first_not_of(' ', at), line.size());
    const size_t end = std::min(line.find(' ', at), line.size());
    if (at == end) break;
    words.push_back({line.substr(at, end - at), end});
    at = end;
  }
  return words;
}

bool is_number(std::string_view text, size_t min, size_t max) {
  return text.size() >= min && text.size() <= max && all_of(text, kDigitOctet);
}

bool is_month(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                        "jul", "aug", "sep", "oct", "nov", "dec"};
  return std::any_of(kMonths.begin(), kMonths.end(),
                     [text](std::string_view month) { return same_word(month, text); });
}

// 15:45, 5:45, 15:45:00
bool is_time(std::string_view text) {
  const size_t colon = text.find(':');
  return colon != std::string_view::npos && is_number(text.substr(0, colon), 1, 2) &&
         text.size() >= colon + 3 && is_number(text.substr(colon + 1, 2), 2, 2);
}

bool is_day(std::string_view text) {
  return is_number(text, 1, 2);
}

// 2026-01-31
bool is_iso_date(std::string_view text) {
  return text.size() == 10 && text[4] == '-' && text[7] == '-' &&
         is_number(text.substr(0, 4), 4, 4) && is_number(text.substr(5, 2), 2, 2) &&
         is_number(text.substr(8, 2), 2, 2);
}

// 01-31-26, 01-31-2026
bool is_dos_date(std::string_view text) {
  return text.size() >= 8 && text[2] == '-' && text[5] == '-' &&
         is_number(text.substr(0, 2), 2, 2) && is_number(text.substr(3, 2), 2, 2) &&
         is_number(text.substr(6), 2, 4);
}

bool is_self(std::string_view name) {
  return name.empty() || name == "." || name == "..";
}

ListingEntry text_of(std::string_view line) {
  ListingEntry entry;
  entry.kind = Kind::text;
  entry.name = line;
  return entry;
}

// How many words from `at` on are a date as ls has it; 0: none.
size_t date_words(const std::vector<Word>& words, size_t at) {
  const auto word = [&](size_t i) { return at + i < words.size() ? words[at + i].text : ""; };
  if (is_iso_date(word(0)) && is_time(word(1))) return 2;
  const bool is_dated =
      (is_month(word(0)) && is_day(word(1))) || (is_day(word(0)) && is_month(word(1)));
  return is_dated && (is_time(word(2)) || is_number(word(2), 4, 4)) ? 3 : 0;
}

ListingEntry parse_unix(std::string_view line) {
  const std::vector<Word> words = words_of(line);
  for (size_t at = 2; at < words.size(); ++at) {
    const size_t count = date_words(words, at);
    if (count == 0) continue;
    ListingEntry entry;
    const Word& last = words[at + count - 1];
    if (last.end + 1 >= line.size()) return text_of(line);
    entry.name = line.substr(last.end + 1);
    for (size_t i = at; i < at + count; ++i)
      entry.date.append(i == at ? "" : " ").append(words[i].text);
    entry.kind = line[0] == 'd' ? Kind::folder : Kind::file;
    if (line[0] == '-') entry.octets = parse_ftp_size(words[at - 1].text);
    const size_t arrow = line[0] == 'l' ? entry.name.find(" -> ") : std::string_view::npos;
    if (arrow != std::string_view::npos) {
      entry.link = entry.name.substr(arrow + 4);
      entry.name = entry.name.substr(0, arrow);
    }
    if (is_self(entry.name)) return {};
    return entry;
  }
  return text_of(line);
}

ListingEntry parse_dos(std::string_view line) {
  const std::vector<Word> words = words_of(line);
  if (words.size() < 4 || !is_time(words[1].text)) return text_of(line);
  ListingEntry entry;
  const std::string_view what = words[2].text;
  entry.date.append(words[0].text).append(" ").append(words[1].text);
  entry.kind = what.starts_with('<') && !what.starts_with("<JUN") ? Kind::folder : Kind::file;
  if (entry.kind == Kind::file) entry.octets = parse_ftp_size(what);
  if (entry.kind == Kind::file && !entry.octets && !what.starts_with('<')) return text_of(line);
  const size_t begin = line.find_first_not_of(' ', words[2].end);
  entry.name = line.substr(begin);
  if (is_self(entry.name)) return {};
  return entry;
}

// A path where only a name may be: nothing that could be asked for below this folder.
bool is_name(std::string_view name) {
  return name.find('/') == std::string_view::npos;
}

std::string date_text(std::string_view fact) {
  if (!parse_ftp_time(fact)) return {};
  return fmt::format("{}-{}-{} {}:{}", fact.substr(0, 4), fact.substr(4, 2), fact.substr(6, 2),
                     fact.substr(8, 2), fact.substr(10, 2));
}

}  // namespace

ListingEntry parse_mlsd_line(std::string_view line) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return text_of(line);
  ListingEntry entry;
  entry.kind = Kind::file;
  entry.name = line.substr(space + 1);
  if (!is_name(entry.name)) return text_of(line);
  std::string_view facts = line.substr(0, space);
  while (!facts.empty()) {
    const size_t end = std::min(facts.find(';'), facts.size());
    const std::string_view fact = facts.substr(0, end);
    const size_t equals = fact.find('=');
    if (equals == std::string_view::npos) return text_of(line);
    const std::string_view key = fact.substr(0, equals);
    const std::string_view value = fact.substr(equals + 1);
    if (same_word(key, "type")) {
      if (same_word(value, "cdir") || same_word(value, "pdir")) return {};
      if (same_word(value, "dir")) entry.kind = Kind::folder;
      if (same_word(value.substr(0, 14), "os.unix=slink:")) entry.link = value.substr(14);
    } else if (same_word(key, "size")) {
      entry.octets = parse_ftp_size(value);
    } else if (same_word(key, "modify")) {
      entry.date = date_text(value);
    }
    facts.remove_prefix(std::min(end + 1, facts.size()));
  }
  if (is_self(entry.name)) return {};
  if (entry.kind == Kind::folder) entry.octets.reset();
  return entry;
}

ListingEntry parse_list_line(std::string_view line) {
  constexpr std::string_view kUnixKinds = "-dlbcps";
  if (line.empty()) return {};
  ListingEntry entry = text_of(line);
  if (line.size() > 10 && kUnixKinds.find(line[0]) != std::string_view::npos &&
      (line[1] == 'r' || line[1] == '-')) {
    entry = parse_unix(line);
  } else if (is_dos_date(line.substr(0, line.find(' ')))) {
    entry = parse_dos(line);
  } else if (line.starts_with("total ") && all_of(trimmed(line.substr(6)), kDigitOctet)) {
    return {};
  }
  const bool is_asked_for = entry.kind == Kind::file || entry.kind == Kind::folder;
  return is_asked_for && !is_name(entry.name) ? text_of(line) : entry;
}

}  // namespace postern::http
