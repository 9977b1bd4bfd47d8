// SPDX-License-Identifier: BSD-3-Clause
#include "cli/difference.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace postern::cli {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { shut(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  void shut() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

Error system_error(const char* what) {
  return {ErrorCode::failed, std::string(what) + ": " + std::strerror(errno)};
}

// In memory, for a program that is handed the descriptor.
bool fill(int fd, std::string_view text) {
  if (fd < 0) return false;
  while (!text.empty()) {
    ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return lseek(fd, 0, SEEK_SET) == 0;
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 16384> block;
  for (ssize_t n = 0; (n = read(fd, block.data(), block.size())) != 0;) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    text.append(block.data(), static_cast<size_t>(n));
  }
  return text;
}

}  // namespace

Result<std::string> difference(const LabelledText& before, const LabelledText& after) {
  if (before.text == after.text) return std::string();
  Descriptor left(memfd_create("before", 0));
  Descriptor right(memfd_create("after", 0));
  std::array<int, 2> ends = {-1, -1};
  if (!fill(left.get(), before.text) || !fill(right.get(), after.text) ||
      pipe2(ends.data(), O_CLOEXEC) != 0) {
    return system_error("diff");
  }
  Descriptor out(ends[0]);
  Descriptor in(ends[1]);
  std::array<std::string, 9> words = {"diff",
                                      "-u",
                                      "--label",
                                      before.label,
                                      "--label",
                                      after.label,
                                      "--",
                                      "/dev/fd/" + std::to_string(left.get()),
                                      "/dev/fd/" + std::to_string(right.get())};
  std::array<char*, 10> arguments = {};
  for (size_t i = 0; i < words.size(); ++i)
    arguments[i] = words[i].data();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.get(), STDOUT_FILENO);
  pid_t child = 0;
  int wrong = posix_spawnp(&child, "diff", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (wrong != 0) {
    errno = wrong;
    return system_error("diff");
  }
  in.shut();
  std::string text = read_all(out.get());
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) {
    return Error{ErrorCode::failed, "diff failed"};
  }
  return text;
}

Result<LabelledText> text_of_daemon(const std::optional<uint32_t>& revision,
                                    const Globals& globals) {
  Json request = {{"command", "show config"}};
  if (revision) request["revision"] = *revision;
  auto response = call(globals, std::move(request));
  if (!response) return std::move(response).error();
  if (!response->value("ok", false)) return error_of(*response);
  std::string label = revision ? "revision " + std::to_string(*revision) : "in force";
  return LabelledText{std::move(label), response->at("result").value("text", "")};
}

Result<std::string> digest_of_daemon(const Globals& globals) {
  auto response = call(globals, {{"command", "history"}});
  if (!response) return std::move(response).error();
  if (!response->value("ok", false)) return error_of(*response);
  return response->at("result").value("digest", "");
}

Result<std::string> difference_to(const LabelledText& after, const Globals& globals) {
  auto now = text_of_daemon(std::nullopt, globals);
  if (!now) return std::move(now).error();
  return difference(*now, after);
}

}  // namespace postern::cli
