// SPDX-License-Identifier: BSD-3-Clause
// The screen of `postern top`: ncurses, known to screen.cc alone. Thread: the only one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/top/views.h"

namespace postern::cli {

// What the user chose by keys.
struct TopChoice {
  size_t view = 1;           // interfaces
  std::vector<size_t> sort;  // by view
  bool is_reversed = false;
  bool is_paused = false;
  bool is_over = false;
  bool has_help = false;
  bool is_typing = false;  // the filter
  std::string filter;
  unsigned interval_s = 2;
};

// What a key does to the choice. `key` is a character, or one of those below.
constexpr int kKeyEscape = 27, kKeyEnter = 10, kKeyErase = 127, kKeyTab = 9;
void press(TopChoice& choice, int key, const std::vector<TopView>& views);

// The whole screen as lines of at most `width` columns, `height` at most.
struct TopSize {
  size_t width = 80, height = 24;
};
std::vector<std::string> screen_lines(const TopChoice& choice, const std::vector<TopView>& views,
                                      const std::string& headline, TopSize size);

// The terminal; nullptr from open(): it cannot be written all over (TERM=dumb, no terminal).
class Screen {
 public:
  static std::unique_ptr<Screen> open();
  ~Screen();  // the terminal is as it was
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  TopSize size() const;
  void draw(const std::vector<std::string>& lines);
  // Waits so long for a key; -1: none came, or the window changed its size.
  int wait_key(int milliseconds);

 private:
  Screen() = default;
};

}  // namespace postern::cli
