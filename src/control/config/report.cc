// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/report.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace postern::config {
namespace {

constexpr size_t kQuotedMax = 60;  // bytes of a value shown in a message
constexpr size_t kWordMax = 64;    // longer words are not compared: no name of ours is
constexpr size_t kListedMax = 24;  // words listed in "expected one of"

// Optimal string alignment distance: insertions, deletions, changes and swaps of neighbors.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = std::min(now[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, now);
  }
  return last[b.size()];
}

bool begins_with_key(std::string_view path, std::string_view key) {
  if (key.empty() || path.substr(0, key.size()) != key) return false;
  return path.size() == key.size() || path[key.size()] == '.' || path[key.size()] == '[';
}

// Takes "[N]" off the front of `path`.
bool take_index(std::string_view& path, size_t& index) {
  if (path.empty() || path[0] != '[') return false;
  size_t end = path.find(']');
  if (end == std::string_view::npos) return false;
  index = 0;
  for (char c : path.substr(1, end - 1))
    index = index * 10 + static_cast<size_t>(c - '0');
  path.remove_prefix(end + 1);
  return true;
}

// The entry of `map` whose key `path` begins with. Keys may hold dots: the longest one counts.
const Entry* find_key_of(const Node& map, std::string_view path) {
  const Entry* found = nullptr;
  for (const Entry& entry : map.entries) {
    bool longer = !found || entry.key.size() > found->key.size();
    if (longer && begins_with_key(path, entry.key)) found = &entry;
  }
  return found;
}

Mark find_mark(const Node& root, std::string_view path) {
  const Node* node = &root;
  while (!path.empty()) {
    if (path[0] == '.') path.remove_prefix(1);
    const Entry* next = nullptr;
    if (size_t index = 0; take_index(path, index)) {
      if (node->kind != NodeKind::list && index == 0) continue;  // it may stand without its list
      bool has = node->kind == NodeKind::list && index < node->entries.size();
      next = has ? &node->entries[index] : nullptr;
    } else if (node->kind == NodeKind::map) {
      next = find_key_of(*node, path);
      if (next) path.remove_prefix(next->key.size());
    }
    if (!next) break;
    node = &next->value;
  }
  return node->mark;
}

}  // namespace

void Report::add(Severity severity, Mark mark, std::string path, std::string text) {
  if (severity == Severity::error) ++errors_;
  if (findings_.size() == kFindingsMax) {
    ++left_out_;
    return;
  }
  findings_.push_back({severity, mark, std::move(path), std::move(text)});
}

void Report::error(Mark mark, std::string path, std::string text) {
  add(Severity::error, mark, std::move(path), std::move(text));
}

void Report::warning(Mark mark, std::string path, std::string text) {
  add(Severity::warning, mark, std::move(path), std::move(text));
}

void Report::error_at(std::string path, std::string text) {
  bool kept = findings_.size() < kFindingsMax;
  Mark mark = root_ && kept ? find_mark(*root_, path) : Mark{};
  add(Severity::error, mark, std::move(path), std::move(text));
}

void Report::warning_at(std::string path, std::string text) {
  bool kept = findings_.size() < kFindingsMax;
  Mark mark = root_ && kept ? find_mark(*root_, path) : Mark{};
  add(Severity::warning, mark, std::move(path), std::move(text));
}

std::vector<Finding> Report::take() {
  std::stable_sort(findings_.begin(), findings_.end(), [](const Finding& a, const Finding& b) {
    return std::pair(a.mark.line, a.mark.column) < std::pair(b.mark.line, b.mark.column);
  });
  if (left_out_ > 0) {
    // An error if an error may be among those left out: ok() must not turn true by the bound.
    findings_.push_back({errors_ > 0 ? Severity::error : Severity::warning,
                         {},
                         "",
                         std::to_string(left_out_) + " more findings are not shown"});
  }
  return std::move(findings_);
}

std::string join(std::string_view path, std::string_view key) {
  std::string joined(path);
  if (!joined.empty()) joined += '.';
  return joined + printable(key);
}

std::string join(std::string_view path, size_t index) {
  return std::string(path) + "[" + std::to_string(index) + "]";
}

std::string printable(std::string_view text) {
  std::string out;
  std::string_view shown = text.substr(0, kQuotedMax);
  // Not in the middle of a UTF-8 sequence.
  while (shown.size() < text.size() && !shown.empty() &&
         (static_cast<uint8_t>(text[shown.size()]) & 0xC0) == 0x80) {
    shown.remove_suffix(1);
  }
  for (size_t i = 0; i < shown.size(); ++i) {
    auto byte = static_cast<uint8_t>(shown[i]);
    bool c1 = byte == 0xC2 && i + 1 < shown.size() && static_cast<uint8_t>(shown[i + 1]) < 0xA0;
    if (byte >= 0x20 && byte != 0x7F && !c1) {
      out += shown[i];
      continue;
    }
    char escape[9];
    std::snprintf(escape, sizeof escape, "\\x%02x", c1 ? static_cast<uint8_t>(shown[++i]) : byte);
    out += escape;
  }
  return shown.size() < text.size() ? out + "..." : out;
}

std::string quote(std::string_view text) {
  return "'" + printable(text) + "'";
}

std::string_view nearest_word(std::string_view text, std::span<const std::string_view> words) {
  if (text.empty() || text.size() > kWordMax) return {};
  size_t best_distance = std::max<size_t>(1, std::min<size_t>(3, text.size() / 3)) + 1;
  std::string_view best;
  for (std::string_view word : words) {
    size_t gap = word.size() > text.size() ? word.size() - text.size() : text.size() - word.size();
    if (gap >= best_distance || word.size() > kWordMax) continue;
    size_t distance = edit_distance(text, word);
    if (distance < best_distance) {
      best_distance = distance;
      best = word;
    }
  }
  return best;
}

std::string hint(std::string_view text, std::span<const std::string_view> words) {
  std::string_view near = nearest_word(text, words);
  if (!near.empty()) return "; did you mean '" + std::string(near) + "'?";
  if (words.empty() || words.size() > kListedMax) return "";
  std::string out = "; expected one of ";
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += ", ";
    out += words[i];
  }
  return out;
}

}  // namespace postern::config
