// SPDX-License-Identifier: BSD-3-Clause
#include "cli/top/screen.h"

#include <ncurses.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace postern::cli {

std::unique_ptr<Screen> Screen::open() {
  const char* term = std::getenv("TERM");
  const std::string_view name = term != nullptr ? term : "";
  if (name.empty() || name == "dumb" || isatty(STDOUT_FILENO) == 0 || isatty(STDIN_FILENO) == 0) {
    return nullptr;
  }
  if (newterm(nullptr, stdout, stdin) == nullptr) return nullptr;
  // A terminal that can only write on is no screen.
  if (tigetstr(const_cast<char*>("cup")) == nullptr) {
    endwin();
    return nullptr;
  }
  cbreak();
  noecho();
  keypad(stdscr, TRUE);
  set_escdelay(50);
  curs_set(0);
  return std::unique_ptr<Screen>(new Screen);
}

Screen::~Screen() {
  endwin();
}

TopSize Screen::size() const {
  return {static_cast<size_t>(COLS), static_cast<size_t>(LINES)};
}

void Screen::draw(const std::vector<std::string>& lines) {
  erase();
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i == 1) attron(A_BOLD);
    if (i == 2) attron(A_REVERSE);
    mvaddnstr(static_cast<int>(i), 0, lines[i].c_str(), COLS);
    attrset(A_NORMAL);
  }
  refresh();
}

int Screen::wait_key(int milliseconds) {
  timeout(milliseconds);
  const int key = getch();
  switch (key) {
    case KEY_RESIZE:
      return -1;
    case KEY_BACKSPACE:
    case '\b':
      return kKeyErase;
    case KEY_ENTER:
    case '\r':
      return kKeyEnter;
    default:
      return key;
  }
}

}  // namespace postern::cli
