// SPDX-License-Identifier: BSD-3-Clause
// Lines of the shell of our own: words within the bounds, of what the line has; put in quotes, they
// are the same words again; and the gate is asked about them.
#include "cli/shell/words.h"

#include <cstdint>
#include <cstdlib>

#include "cli/shell/gate.h"

namespace {

using Words = std::vector<std::string>;

std::string quoted(const Words& words) {
  std::string line;
  for (const std::string& word : words) {
    line += '"';
    for (const char c : word) {
      if (c == '"' || c == '\\') line += '\\';
      line += c;
    }
    line += "\" ";
  }
  return line;
}

void ask_gate(const Words& words) {
  postern::cli::Spoken spoken;
  for (const std::string& word : words) {
    if (spoken.command.empty()) {
      spoken.command = word;
    } else {
      spoken.given.push_back({spoken.command, word, words});
    }
    (void)postern::cli::is_offered(words, word);
  }
  (void)postern::cli::may_run(spoken);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  auto words = postern::cli::split_words(line);
  if (!words) return 0;
  size_t bytes = 0;
  for (const std::string& word : *words)
    bytes += word.size();
  if (words->size() > postern::cli::kWordsMax || bytes > line.size()) std::abort();
  const std::string again = quoted(*words);
  if (again.size() <= postern::cli::kLineMax) {
    auto same = postern::cli::split_words(again);
    if (!same || *same != *words) std::abort();
  }
  ask_gate(*words);
  return 0;
}
