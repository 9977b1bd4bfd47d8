// SPDX-License-Identifier: BSD-3-Clause
#include "cli/shell/words.h"

#include <algorithm>

namespace postern::cli {
namespace {

Error wrong(const std::string& what) {
  return {ErrorCode::invalid, what};
}

// Takes words from the front of `rest`.
class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}

  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front()))
      rest_.remove_prefix(1);
  }
  bool is_at_end() const { return rest_.empty(); }

  Result<std::string> word() {
    std::string word;
    char quote = 0;
    for (; !rest_.empty(); rest_.remove_prefix(1)) {
      const char c = rest_.front();
      if (quote == 0 && is_blank(c)) return word;
      if (quote == 0 && (c == '\'' || c == '"')) {
        quote = c;
      } else if (c == quote) {
        quote = 0;
      } else if (c == '\\' && quote != '\'') {
        if (rest_.size() == 1) return wrong("the line ends behind a backslash");
        rest_.remove_prefix(1);
        word += rest_.front();
      } else {
        word += c;
      }
    }
    if (quote != 0) return wrong(std::string("a ") + quote + " has no end");
    return word;
  }

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\t'; }

  std::string_view rest_;
};

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < ' ' && c != '\t') || byte == 127;
}

}  // namespace

Result<std::vector<std::string>> split_words(std::string_view line) {
  if (line.size() > kLineMax) return wrong("the line is too long");
  if (std::any_of(line.begin(), line.end(), is_control)) {
    return wrong("the line has control characters");
  }
  std::vector<std::string> words;
  Reader reader(line);
  for (reader.skip_blanks(); !reader.is_at_end(); reader.skip_blanks()) {
    auto word = reader.word();
    if (!word) return std::move(word).error();
    if (words.size() == kWordsMax) return wrong("the line has too many words");
    words.push_back(std::move(*word));
  }
  return words;
}

}  // namespace postern::cli
