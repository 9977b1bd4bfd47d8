// SPDX-License-Identifier: BSD-3-Clause
// Section: reads one map of the file as described by a SectionSpec.
//
// The constructor refuses unknown keys, each read checks its value against the KeySpec and leaves
// the target untouched when the key is absent or wrong; finish() reports missing keys and asserts
// that every described key was asked for. Nothing stops at the first error. Thread: control.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "control/config/keys.h"
#include "control/config/report.h"
#include "control/config/yaml.h"

namespace postern::config {

// A value of the file with all that is needed to judge it and to complain about it.
struct Field {
  const Node& node;
  const KeySpec& spec;
  std::string path;
  Report& report;
  size_t index = 0;  // in its list

  void error(std::string text) const { report.error(node.mark, path, std::move(text)); }
};

// Each reads one scalar; nullopt after the error was reported.
std::optional<bool> read_boolean(const Field& field);
std::optional<int64_t> read_number(const Field& field);
std::optional<size_t> read_word(const Field& field);  // index into spec.words
std::optional<Duration> read_duration(const Field& field);
std::optional<uint64_t> read_size(const Field& field);  // in octets
// Text that no YAML reader takes for a number, boolean or null; one line, at most `bytes_max`.
std::optional<std::string> read_text(const Field& field, size_t bytes_max);
// Text in the grammar of spec.type.
std::optional<std::string> read_string(const Field& field);
std::optional<Ipv4Address> read_address(const Field& field);
std::optional<MacAddress> read_mac(const Field& field);

class Section {
 public:
  Section(Report& report, const Node& node, std::string path, const SectionSpec& spec);

  Report& report() const { return report_; }
  const std::string& path() const { return path_; }
  const Node& node() const { return node_; }

  void boolean(std::string_view key, bool& out);
  template <std::unsigned_integral T>
  void number(std::string_view key, T& out) {
    if (auto field = find(key)) {
      if (auto value = read_number(*field)) out = static_cast<T>(*value);
    }
  }
  template <std::unsigned_integral T>
  void numbers(std::string_view key, std::vector<T>& out) {
    for (const Field& field : find_list(key)) {
      if (auto value = read_number(field)) out.push_back(static_cast<T>(*value));
    }
  }
  template <typename E>
  requires std::is_enum_v<E>
  void word(std::string_view key, E& out) {
    if (auto field = find(key)) {
      if (auto value = read_word(*field)) out = static_cast<E>(*value);
    }
  }
  void duration(std::string_view key, Duration& out);
  void size(std::string_view key, uint64_t& out);
  void string(std::string_view key, std::string& out);
  void strings(std::string_view key, std::vector<std::string>& out);
  void address(std::string_view key, Ipv4Address& out);

  // The field as it stands, for types of their own; nullopt when absent or null (then reported).
  std::optional<Field> find(std::string_view key);
  // As list_of(); empty when absent.
  std::vector<Field> find_list(std::string_view key);
  // The elements of a list of sections; their number is bounded by the spec.
  std::vector<Field> find_sections(std::string_view key);
  std::optional<Section> section(std::string_view key);
  bool has(std::string_view key) const { return find_entry(node_, key) != nullptr; }

  void finish();

 private:
  const KeySpec& ask(std::string_view key);

  Report& report_;
  const Node& node_;
  std::string path_;
  const SectionSpec& spec_;
  uint64_t asked_ = 0;  // bit i: key i of the spec was read
};

// The elements of a list, or the single one that stands without it.
std::vector<Field> list_of(const Field& field);
// A map where one is expected; reports anything else.
bool expect_map(Report& report, const Node& node, const std::string& path);
std::vector<std::string_view> split_words(std::string_view words);

}  // namespace postern::config
