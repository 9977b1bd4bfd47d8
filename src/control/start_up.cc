// SPDX-License-Identifier: BSD-3-Clause
#include "control/start_up.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "control/apply/last_good.h"
#include "control/text_file.h"

namespace postern {
namespace {

// By errno, as the call before has left it.
Error no_access(const std::string& path) {
  if (errno != EACCES) return {ErrorCode::failed, path + ": " + std::strerror(errno)};
  return {ErrorCode::denied,
          path + ": " + std::strerror(errno) +
              "; run as root, or name directories of your own with --run-dir and --state-dir"};
}

}  // namespace

Result<void> make_directory(const std::string& path) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    std::string part = path.substr(0, end);
    if (mkdir(part.c_str(), 0750) != 0 && errno != EEXIST) {
      return no_access(part);
    }
    if (end == std::string::npos) break;
  }
  if (access(path.c_str(), W_OK) != 0) return no_access(path);
  return {};
}

Result<RunDirLock> RunDirLock::take(const std::string& run_dir) {
  std::string path = run_dir + "/posternd.lock";
  int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return Error{ErrorCode::failed, path + ": " + std::strerror(errno)};
  RunDirLock lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    char pid[16] = {};
    ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
    return Error{ErrorCode::denied,
                 fmt::format("another posternd (pid {}) uses {}; give this one its own --run-dir "
                             "and --state-dir",
                             n > 0 ? pid : "?", run_dir)};
  }
  std::string pid = std::to_string(getpid());
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    return Error{ErrorCode::failed, path + ": " + std::strerror(errno)};
  }
  return lock;
}

RunDirLock::RunDirLock(RunDirLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

RunDirLock::~RunDirLock() {
  if (fd_ >= 0) close(fd_);
}

Result<Choice> choose_configuration(const StartOptions& options, ErrorLog& log) {
  std::string refusal;
  auto text = read_text_file(options.config_file);
  if (text) {
    Checked checked = check_text(*text);
    for (const config::Finding& finding : checked.findings) {
      bool is_error = finding.severity == config::Severity::error;
      log.write(is_error ? config::LogLevel::error : config::LogLevel::warning,
                config::to_text(finding, options.config_file));
    }
    if (checked.ok()) {
      return Choice{std::move(*text), std::move(checked.model), false};
    }
    refusal = options.config_file + " is invalid";
  } else {
    refusal = text.error().text;
  }
  auto before = read_last_good(options.state_dir);
  if (!before) {
    return Error{ErrorCode::invalid, refusal +
                                         ", and there is no last good configuration; nothing is "
                                         "started and nothing crosses"};
  }
  Checked checked = check_text(*before);
  if (!checked.ok()) {
    return Error{ErrorCode::invalid, refusal + ", and so is the last good configuration " +
                                         last_good_path(options.state_dir)};
  }
  log.error(refusal + "; starting with the last good configuration " +
            last_good_path(options.state_dir));
  return Choice{std::move(*before), std::move(checked.model), true};
}

}  // namespace postern
