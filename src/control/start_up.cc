// SPDX-License-Identifier: BSD-3-Clause
#include "control/start_up.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "control/apply/last_good.h"
#include "control/apply/trial.h"
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

Result<DirectoryLock> DirectoryLock::take(const std::string& directory, const std::string& name) {
  std::string path = directory + "/" + name;
  int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return Error{ErrorCode::failed, path + ": " + std::strerror(errno)};
  DirectoryLock lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    char pid[16] = {};
    ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
    return Error{ErrorCode::denied,
                 fmt::format("another posternd (pid {}) uses {}; give this one its own --run-dir "
                             "and --state-dir",
                             n > 0 ? pid : "?", directory)};
  }
  std::string pid = std::to_string(getpid());
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    return Error{ErrorCode::failed, path + ": " + std::strerror(errno)};
  }
  return lock;
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

DirectoryLock::~DirectoryLock() {
  if (fd_ >= 0) close(fd_);
}

namespace {

void write_findings(const Checked& checked, const std::string& file, ErrorLog& log) {
  for (const config::Finding& finding : checked.findings) {
    bool is_error = finding.severity == config::Severity::error;
    log.write(is_error ? config::LogLevel::error : config::LogLevel::warning,
              config::to_text(finding, file));
  }
}

// The posternd before ended during a trial. Its text is refused from now on, and so is the file if
// it is not what was in force before: who wrote it may have meant that text. Unless it is the last
// good configuration by now: then it was confirmed at the last moment.
void end_trial(const StartOptions& options, const std::string& last_good,
               const std::optional<std::string>& file, TrialRecord& record, ErrorLog& log) {
  if (last_good == record.on_trial->digest) {
    record.on_trial.reset();
  } else {
    const std::string who = record.on_trial->who;
    log.warning("the change by " + who +
                " was on trial when posternd ended; what was in force before is in force again");
    record.end_trial(std::time(nullptr));
    if (file && *file != last_good) record.refuse({*file, who, std::time(nullptr)});
  }
  if (auto kept = write_trial(options.state_dir, record); !kept) log.error(kept.error().text);
}

// C01: whether the file, known by its digest (empty: there is none), is what nobody confirmed. A
// record that cannot be read may forbid any text.
bool is_unconfirmed(const StartOptions& options, const std::optional<std::string>& file,
                    ErrorLog& log) {
  auto record = read_trial(options.state_dir);
  if (!record) {
    log.error(record.error().text + "; the file may be a change that nobody confirmed");
    return true;
  }
  auto text = read_last_good(options.state_dir);
  const std::string last_good = text ? digest_of(*text) : std::string();
  if (record->on_trial) end_trial(options, last_good, file, *record, log);
  return file && *file != last_good && record->refuses(*file);
}

// Why the start before ended when it had this text; asked once, so that the start after this one
// takes the file again. Empty: it did not, or there is nothing else to start with.
std::optional<std::string> fault_of_attempt(const StartOptions& options, const std::string& digest,
                                            ErrorLog& log) {
  auto attempt = read_attempt(options.state_dir);
  if (auto removed = remove_attempt(options.state_dir); !removed) log.error(removed.error().text);
  auto last_good = read_last_good(options.state_dir);
  if (!attempt || attempt->digest != digest || !last_good || digest_of(*last_good) == digest) {
    return std::nullopt;
  }
  if (attempt->fault.empty()) return "posternd ended while it started with it";
  return attempt->fault;
}

// The file, or why not.
Result<Choice> choose_file(const StartOptions& options, ErrorLog& log) {
  auto text = read_text_file(options.config_file);
  std::optional<std::string> digest;
  if (text) digest = digest_of(*text);
  // Even without a file, what was on trial is over.
  const bool is_refused = is_unconfirmed(options, digest, log);
  if (!text) return std::move(text).error();
  if (is_refused) {
    return Error{ErrorCode::invalid,
                 fmt::format("{0} has a change that nobody confirmed; `postern apply {0}` takes it",
                             options.config_file)};
  }
  if (auto fault = fault_of_attempt(options, *digest, log)) {
    return Error{ErrorCode::failed, options.config_file + " did not come up: " + *fault};
  }
  Checked checked = check_text(*text);
  if (checked.ok()) {
    for (config::Finding& finding : machine_findings(*text, checked.model, geteuid()))
      checked.findings.push_back(std::move(finding));
  }
  write_findings(checked, options.config_file, log);
  if (!checked.ok()) return Error{ErrorCode::invalid, options.config_file + " is invalid"};
  return Choice{std::move(*text), std::move(checked.model), false, {}};
}

}  // namespace

Result<Choice> choose_configuration(const StartOptions& options, ErrorLog& log) {
  auto file = choose_file(options, log);
  if (file) return file;
  const std::string& refusal = file.error().text;
  auto before = read_last_good(options.state_dir);
  if (!before) {
    return Error{ErrorCode::invalid, refusal +
                                         ", and there is no last good configuration; nothing is "
                                         "started and nothing crosses"};
  }
  Checked checked = check_text(*before);
  if (!checked.ok()) {
    return Error{ErrorCode::invalid, refusal + ", and the last good configuration is invalid: " +
                                         last_good_path(options.state_dir)};
  }
  log.error(refusal + "; starting with the last good configuration " +
            last_good_path(options.state_dir));
  return Choice{std::move(*before), std::move(checked.model), true, refusal};
}

StartAttempt::StartAttempt(const StartOptions& options, const Choice& choice, ErrorLog& log)
    : options_(options), log_(log) {
  if (choice.is_last_good) return;
  auto last_good = read_last_good(options.state_dir);
  if (!last_good || *last_good == choice.text || !check_text(*last_good).ok()) return;
  attempt_.digest = digest_of(choice.text);
  auto noted = write_attempt(options.state_dir, attempt_);
  if (!noted) log_.error(noted.error().text + "; should this start fail, so does the next one");
  has_way_back_ = static_cast<bool>(noted);
}

void StartAttempt::succeeded() {
  if (!has_way_back_) return;
  if (auto removed = remove_attempt(options_.state_dir); !removed) {
    log_.error(removed.error().text);
  }
}

bool StartAttempt::failed(const Error& error) {
  if (!has_way_back_) return false;
  attempt_.fault = error.text;
  auto noted = write_attempt(options_.state_dir, attempt_);
  if (!noted) log_.error(noted.error().text);
  return static_cast<bool>(noted);
}

Error begin_anew(char** argv) {
  // What DPDK has open would keep its locks and its devices alive.
  close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) execv(program.c_str(), argv);
  execv("/proc/self/exe", argv);  // the file may have been replaced meanwhile
  return {ErrorCode::failed, std::string("the start anew failed: ") + std::strerror(errno)};
}

}  // namespace postern
