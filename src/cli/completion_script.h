// SPDX-License-Identifier: BSD-3-Clause
// What may follow the words of a command line: as scripts for shells, and for the shell of our own.
// Commands without a group are hidden and left out. Thread: any.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace postern::cli {

std::vector<std::string> names_below(const CLI::App& app);
std::vector<std::string> options_of(const CLI::App& app);

std::string bash_completion(const CLI::App& root);
std::string zsh_completion(const CLI::App& root);

// Commands and options that may follow `before`, or the values of the option that stands last
// there.
std::vector<std::string> candidates(const CLI::App& root, const std::vector<std::string>& before);

}  // namespace postern::cli
