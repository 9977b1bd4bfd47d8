// SPDX-License-Identifier: BSD-3-Clause
// Lines typed at a terminal, with the keys of emacs, a history in memory and completion by the tab
// key; and lines of anything else that is standard input. Thread: the only one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::cli {

constexpr int kHistoryLines = 500;  // the oldest are forgotten; nothing is kept on disk

// What may stand at the end of a line, and how many bytes of it are there already.
struct Offer {
  std::vector<std::string> words;
  size_t typed = 0;
};

class LineEditor {
 public:
  using Completer = std::function<Offer(const std::string& before_cursor)>;

  // Standard input must be a terminal.
  LineEditor(std::string prompt, Completer completer);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  // Without its end; empty where ^C gave it up; nothing at the end of the input (^D).
  std::optional<std::string> read();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A line of standard input, byte by byte, so that what follows is left to who reads next. At most
// kLineMax + 1 bytes of it; nothing at the end of the input.
std::optional<std::string> read_plain_line();

}  // namespace postern::cli
