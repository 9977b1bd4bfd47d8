// SPDX-License-Identifier: BSD-3-Clause
#include "cli/shell/line_editor.h"

#include <histedit.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstdio>

#include "cli/shell/words.h"

namespace postern::cli {

struct LineEditor::State {
  std::string prompt;
  Completer completer;
  EditLine* editor = nullptr;
  History* history = nullptr;
  bool is_given_up = false;
};

namespace {

std::string common_start(const std::vector<std::string>& words) {
  std::string start = words.front();
  for (const std::string& word : words) {
    auto end = std::mismatch(start.begin(), start.end(), word.begin(), word.end()).first;
    start.erase(end, start.end());
  }
  return start;
}

}  // namespace

LineEditor::LineEditor(std::string prompt, Completer completer)
    : state_(std::make_unique<State>()) {
  setlocale(LC_CTYPE, "C.UTF-8");
  State& state = *state_;
  state.prompt = std::move(prompt);
  state.completer = std::move(completer);
  state.editor = el_init("postern", stdin, stdout, stderr);
  state.history = history_init();
  HistEvent event;
  history(state.history, &event, H_SETSIZE, kHistoryLines);
  history(state.history, &event, H_SETUNIQUE, 1);
  using Key = unsigned char (*)(EditLine*, int);
  const Key complete = [](EditLine* editor, int) -> unsigned char {
    void* data = nullptr;
    el_get(editor, EL_CLIENTDATA, &data);
    const LineInfo* info = el_line(editor);
    const Offer offer =
        static_cast<State*>(data)->completer(std::string(info->buffer, info->cursor));
    if (offer.words.empty()) return CC_REFRESH_BEEP;
    std::string more = common_start(offer.words).substr(offer.typed);
    if (offer.words.size() == 1) more += " ";
    if (!more.empty()) return el_insertstr(editor, more.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
    std::putchar('\n');
    for (const std::string& word : offer.words)
      std::printf("%s  ", word.c_str());
    std::putchar('\n');
    return CC_REDISPLAY;
  };
  const Key give_up = [](EditLine* editor, int) -> unsigned char {
    void* data = nullptr;
    el_get(editor, EL_CLIENTDATA, &data);
    static_cast<State*>(data)->is_given_up = true;
    std::fputs("^C\n", stdout);
    return CC_NEWLINE;
  };
  using Text = const char* (*)(EditLine*);
  const Text text_of_prompt = [](EditLine* editor) -> const char* {
    void* data = nullptr;
    el_get(editor, EL_CLIENTDATA, &data);
    return static_cast<State*>(data)->prompt.c_str();
  };
  EditLine* editor = state.editor;
  el_set(editor, EL_CLIENTDATA, &state);
  el_set(editor, EL_PROMPT, text_of_prompt);
  el_set(editor, EL_EDITOR, "emacs");
  el_set(editor, EL_HIST, history, state.history);
  el_set(editor, EL_ADDFN, "complete", "complete a word", complete);
  el_set(editor, EL_BIND, "^I", "complete", nullptr);
  el_set(editor, EL_ADDFN, "give-up", "give the line up", give_up);
  el_set(editor, EL_BIND, "^C", "give-up", nullptr);
  el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  // While a line is edited ^C is a key; while a command runs it is the signal.
  el_set(editor, EL_SETTY, "-d", "-isig", nullptr);
}

LineEditor::~LineEditor() {
  history_end(state_->history);
  el_end(state_->editor);
}

std::optional<std::string> LineEditor::read() {
  int count = 0;
  state_->is_given_up = false;
  // Before the prompt is there, not after: what is typed at once is a key already, and no signal.
  el_set(state_->editor, EL_PREP_TERM, 1);
  const char* typed = el_gets(state_->editor, &count);
  if (typed == nullptr || count <= 0) return std::nullopt;
  if (state_->is_given_up) return std::string();
  std::string line(typed, static_cast<size_t>(count));
  while (line.ends_with('\n') || line.ends_with('\r'))
    line.pop_back();
  HistEvent event;
  if (!line.empty()) history(state_->history, &event, H_ENTER, line.c_str());
  return line;
}

std::optional<std::string> read_plain_line() {
  std::string line;
  for (;;) {
    char c = 0;
    const ssize_t n = ::read(STDIN_FILENO, &c, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n != 1 && line.empty()) return std::nullopt;
    if (n != 1 || c == '\n') break;
    if (line.size() <= kLineMax) line += c;
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace postern::cli
