// SPDX-License-Identifier: BSD-3-Clause
// postern completion bash|zsh
#include <cstdio>

#include "cli/commands.h"
#include "cli/exit_code.h"

namespace postern::cli {

void add_completion(Command& root, const Globals&) {
  Command completion = root.add("completion", "print a completion script for a shell");
  completion.add("bash", "for bash: source <(postern completion bash)").runs([root] {
    std::fputs(root.bash_completion().c_str(), stdout);
    return kDone;
  });
  completion.add("zsh", "for zsh: source <(postern completion zsh)").runs([root] {
    std::fputs(root.zsh_completion().c_str(), stdout);
    return kDone;
  });
}

}  // namespace postern::cli
