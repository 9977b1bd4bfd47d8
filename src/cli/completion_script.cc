// SPDX-License-Identifier: BSD-3-Clause
#include "cli/completion_script.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

namespace postern::cli {
namespace {

// Case "PATH": the words that may follow; with `show)` for example `offered='sessions rules ...'`.
// Arguments may stand between a command without others below it and the word that is completed.
void add_words(std::string& script, const CLI::App& app, const std::string& path) {
  std::vector<std::string> words = names_below(app);
  std::string pattern = "'" + path + "'";
  if (words.empty()) pattern += "|'" + path + " '*";
  for (const std::string& name : options_of(app))
    words.push_back(name);
  script += fmt::format("    {}) offered='{}' ;;\n", pattern, fmt::join(words, " "));
  for (const CLI::App* sub : app.get_subcommands({})) {
    if (!sub->get_group().empty()) add_words(script, *sub, path + " " + sub->get_name());
  }
}

// The values that an option takes, where they are few; else empty.
std::string values_of(const CLI::Option& option) {
  std::string values = option.get_type_name();  // "a|b|c", see one_of()
  if (option.get_lnames().empty() || values.find('|') == std::string::npos) return {};
  std::replace(values.begin(), values.end(), '|', ' ');
  return values;
}

// Case "OPTION": its values.
void add_values(std::string& script, const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    std::string values = values_of(*option);
    if (values.empty()) continue;
    script += fmt::format("    --{}) offered='{}' ;;\n", option->get_lnames().front(), values);
  }
  for (const CLI::App* sub : app.get_subcommands({}))
    add_values(script, *sub);
}

struct Cases {
  std::string words, values;
};

Cases cases_of(const CLI::App& root) {
  Cases cases;
  add_words(cases.words, root, "");
  add_values(cases.values, root);
  return cases;
}

std::vector<std::string> split_at_blanks(const std::string& text) {
  std::vector<std::string> words;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find(' ', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

bool starts_with_dash(const std::string& word) {
  return word.starts_with("-");
}

}  // namespace

std::vector<std::string> names_below(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands({})) {
    if (!sub->get_group().empty()) names.push_back(sub->get_name());
  }
  return names;
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames())
      names.push_back("--" + name);
  }
  return names;
}

std::string bash_completion(const CLI::App& root) {
  Cases cases = cases_of(root);
  return fmt::format(R"(# bash completion for postern; made by `postern completion bash`
_postern() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}}
  local line='' offered='' i
  local valued='^--(run-dir|host|user|identity|password-file|known-hosts|fingerprint)$'
  for ((i = 1; i < COMP_CWORD; ++i)); do
    [[ ${{COMP_WORDS[i]}} == -* || ${{COMP_WORDS[i - 1]}} =~ $valued ]] && continue
    line+=" ${{COMP_WORDS[i]}}"
  done
  case $line in
{}  esac
  case $previous in
{}  esac
  [[ $current != -* && $offered == -* ]] && return
  mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$current")
}}
complete -o default -F _postern postern
)",
                     cases.words, cases.values);
}

std::string zsh_completion(const CLI::App& root) {
  Cases cases = cases_of(root);
  return fmt::format(R"(#compdef postern
# zsh completion for postern; made by `postern completion zsh`
_postern() {{
  local current=$words[CURRENT] previous=$words[CURRENT-1] line='' offered='' i
  local valued='^--(run-dir|host|user|identity|password-file|known-hosts|fingerprint)$'
  for ((i = 2; i < CURRENT; ++i)); do
    [[ $words[i] == -* || $words[i-1] =~ $valued ]] && continue
    line+=" $words[i]"
  done
  case $line in
{}  esac
  case $previous in
{}  esac
  if [[ -z $offered || ($current != -* && $offered == -*) ]]; then
    _files
  else
    compadd -- ${{=offered}}
  fi
}}
if [[ $funcstack[1] == _postern ]]; then _postern "$@"; else compdef _postern postern; fi
)",
                     cases.words, cases.values);
}

std::vector<std::string> candidates(const CLI::App& root, const std::vector<std::string>& before) {
  const CLI::App* app = &root;
  for (const std::string& word : before) {
    auto below = app->get_subcommands([&](const CLI::App* sub) { return sub->get_name() == word; });
    if (!below.empty()) app = below.front();
  }
  if (!before.empty() && starts_with_dash(before.back())) {
    const CLI::Option* option = app->get_option_no_throw(before.back());
    if (option != nullptr && option->get_items_expected_max() > 0) {
      return split_at_blanks(values_of(*option));
    }
  }
  std::vector<std::string> found = names_below(*app);
  for (const std::string& name : options_of(*app))
    found.push_back(name);
  return found;
}

}  // namespace postern::cli
