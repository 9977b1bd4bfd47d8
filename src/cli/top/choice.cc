// SPDX-License-Identifier: BSD-3-Clause
// What keys do, and what the screen says: without a terminal, for tests.
#include <fmt/format.h>

#include <algorithm>

#include "cli/top/screen.h"

namespace postern::cli {
namespace {

constexpr size_t kFilterMax = 40;
constexpr unsigned kIntervalMax = 60;

void type(TopChoice& choice, int key) {
  if (key == kKeyEnter) {
    choice.is_typing = false;
  } else if (key == kKeyEscape) {
    choice.is_typing = false;
    choice.filter.clear();
  } else if (key == kKeyErase) {
    if (!choice.filter.empty()) choice.filter.pop_back();
  } else if (key >= ' ' && key < kKeyErase && choice.filter.size() < kFilterMax) {
    choice.filter += static_cast<char>(key);
  }
}

std::string tabs(const TopChoice& choice, const std::vector<TopView>& views) {
  std::string line;
  for (size_t i = 0; i < views.size(); ++i) {
    const bool is_chosen = i == choice.view;
    line += fmt::format("{}{} {}{} ", is_chosen ? "[" : " ", i + 1, views[i].name,
                        is_chosen ? "]" : " ");
  }
  if (choice.is_paused) line += " PAUSED";
  return line;
}

std::string foot(const TopChoice& choice) {
  if (choice.is_typing) return "filter: " + choice.filter + "_   (Enter: keep, Esc: clear)";
  std::string line = "q quit  p pause  1-5 Tab view  s sort  r reverse  / filter  + - interval " +
                     std::to_string(choice.interval_s) + "s";
  if (!choice.filter.empty()) line += "  filter: " + choice.filter;
  return line;
}

}  // namespace

void press(TopChoice& choice, int key, const std::vector<TopView>& views) {
  choice.sort.resize(views.size());
  if (choice.is_typing) return type(choice, key);
  switch (key) {
    case 'q':
      choice.is_over = true;
      break;
    case 'p':
    case ' ':
      choice.is_paused = !choice.is_paused;
      break;
    case 's':
      choice.sort[choice.view] = (choice.sort[choice.view] + 1) % views[choice.view].columns.size();
      break;
    case 'r':
      choice.is_reversed = !choice.is_reversed;
      break;
    case '/':
      choice.is_typing = true;
      break;
    case kKeyEscape:
      choice.filter.clear();
      break;
    case kKeyTab:
      choice.view = (choice.view + 1) % views.size();
      break;
    case '+':
      choice.interval_s = std::min(choice.interval_s + 1, kIntervalMax);
      break;
    case '-':
      choice.interval_s = std::max(choice.interval_s, 2u) - 1;
      break;
    default:
      if (key >= '1' && key < '1' + static_cast<int>(views.size())) {
        choice.view = static_cast<size_t>(key - '1');
      }
  }
}

std::vector<std::string> screen_lines(const TopChoice& choice, const std::vector<TopView>& views,
                                      const std::string& headline, TopSize size) {
  std::vector<std::string> lines = {headline, tabs(choice, views)};
  if (size.height > 4) {
    const TopView& view = views[choice.view];
    const size_t sort = choice.view < choice.sort.size() ? choice.sort[choice.view] : view.sort;
    for (std::string& line : view.lines(choice.filter, sort, choice.is_reversed, size.height - 3)) {
      lines.push_back(std::move(line));
    }
    lines.resize(size.height - 1);
    lines.push_back(foot(choice));
  }
  lines.resize(std::min(lines.size(), size.height));
  for (std::string& line : lines)
    line.resize(std::min(line.size(), size.width));
  return lines;
}

}  // namespace postern::cli
