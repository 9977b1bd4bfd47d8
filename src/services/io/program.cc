// SPDX-License-Identifier: BSD-3-Clause
#include "services/io/program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <cstring>

#include "services/io/trusted_program.h"

namespace postern::io {
namespace {

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts)
    pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

void set_descriptor(posix_spawn_file_actions_t& files, int as, int fd) {
  if (fd >= 0) {
    posix_spawn_file_actions_adddup2(&files, fd, as);
  } else {
    posix_spawn_file_actions_addopen(&files, as, "/dev/null", as == 0 ? O_RDONLY : O_WRONLY, 0);
  }
}

}  // namespace

Result<pid_t> start_program(const ProgramStart& start) {
  if (start.command.empty()) return Error{ErrorCode::invalid, "no program is named"};
  if (auto trusted = trusted_program(start.command[0], geteuid()); !trusted) {
    return std::move(trusted).error().within("not run");
  }
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t files;
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_init(&files);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  set_descriptor(files, 0, start.input);
  set_descriptor(files, 1, start.output);
  set_descriptor(files, 2, -1);
  posix_spawn_file_actions_addclosefrom_np(&files, 3);
  const std::vector<char*> arguments = pointers_to(start.command);
  const std::vector<char*> environment = pointers_to(start.environment);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, start.command[0].c_str(), &files, &attributes,
                                arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error == 0) return pid;
  return Error{ErrorCode::failed, start.command[0] + ": " + std::strerror(error)};
}

}  // namespace postern::io
