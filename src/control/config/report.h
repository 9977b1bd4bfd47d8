// SPDX-License-Identifier: BSD-3-Clause
// Report: collects findings while a file is read, and puts them in file order at the end.
//
// Findings are named by their key path ("filter.rules[3].service"); error_at() looks the place of a
// path up in the tree of the file, so that checks on the model need not carry marks of every field.
// Bounds: kFindingsMax are kept, further ones only counted. Thread: control.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/load.h"
#include "control/config/yaml.h"

namespace postern::config {

constexpr size_t kFindingsMax = 1000;  // nobody reads more, and a hostile file has 200,000

class Report {
 public:
  void error(Mark mark, std::string path, std::string text);
  void warning(Mark mark, std::string path, std::string text);

  // The tree in which error_at() and warning_at() look for paths; it must outlive their calls.
  void set_tree(const Node* root) { root_ = root; }
  // The place is that of the deepest part of `path` that the file has.
  void error_at(std::string path, std::string text);
  void warning_at(std::string path, std::string text);

  size_t errors() const { return errors_; }
  // Further findings are counted only, so that their texts need not be worked out.
  bool is_full() const { return findings_.size() >= kFindingsMax; }
  // In file order; findings at the same place keep the order in which they were made.
  std::vector<Finding> take();

 private:
  void add(Severity severity, Mark mark, std::string path, std::string text);

  const Node* root_ = nullptr;
  std::vector<Finding> findings_;
  size_t errors_ = 0;
  size_t left_out_ = 0;
};

// `path` with one more part; the empty path is the whole file.
std::string join(std::string_view path, std::string_view key);
std::string join(std::string_view path, size_t index);

// `text` for a message: control characters escaped, long texts cut.
std::string printable(std::string_view text);
// The same in quotes.
std::string quote(std::string_view text);

// The one of `words` that `text` most likely means, or empty when none is near.
std::string_view nearest_word(std::string_view text, std::span<const std::string_view> words);
// "; did you mean 'external'?" or, when nothing is near and the list is short, "; expected one of
// a, b, c".
std::string hint(std::string_view text, std::span<const std::string_view> words);

}  // namespace postern::config
