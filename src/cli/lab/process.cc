// SPDX-License-Identifier: BSD-3-Clause
#include "cli/lab/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/assert.h"

namespace postern::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kOutputMax = 65536;
constexpr int kExecFailed = 127;
constexpr int kPollMs = 50;
constexpr int kThreadsField = 20;  // of /proc/PID/stat; the time of start is the second after it

Error system_error(const std::string& what) {
  return Error{ErrorCode::failed, what + ": " + std::strerror(errno)};
}

std::string joined(const Argv& command) {
  std::string text;
  for (const std::string& word : command)
    text += (text.empty() ? "" : " ") + word;
  return text;
}

// In the child: becomes `command`, or says why not and ends.
[[noreturn]] void become(const Argv& command) {
  std::vector<char*> words;
  for (const std::string& word : command)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words[0], words.data());
  const std::string text = command[0] + ": " + std::strerror(errno) + "\n";
  static_cast<void>(!::write(STDERR_FILENO, text.data(), text.size()));
  ::_exit(kExecFailed);
}

// Reads `fd` to its end; what exceeds the bound is read and forgotten.
std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    if (text.size() < kOutputMax) text.append(buffer, static_cast<size_t>(got));
  }
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

void sleep_ms(int ms) {
  ::poll(nullptr, 0, ms);
}

// A socket at `path` to which daemons say READY=1; removes it at the end.
class NotifySocket {
 public:
  explicit NotifySocket(fs::path path) : path_(std::move(path)) {
    ::unlink(path_.c_str());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path_.native().size() >= sizeof address.sun_path) return;
    std::memcpy(address.sun_path, path_.c_str(), path_.native().size());
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (fd_ >= 0 && ::bind(fd_, generic, sizeof address) < 0) {
      ::close(fd_);
      fd_ = -1;
    }
  }
  ~NotifySocket() {
    if (fd_ >= 0) ::close(fd_);
    ::unlink(path_.c_str());
  }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  bool is_open() const { return fd_ >= 0; }
  // Waits at most kPollMs for one message and says whether it was "ready".
  bool said_ready() const {
    pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, kPollMs) <= 0) return false;
    char buffer[1024];
    const ssize_t got = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got <= 0) return false;
    return std::string_view(buffer, static_cast<size_t>(got)).find("READY=1") !=
           std::string_view::npos;
  }

 private:
  fs::path path_;
  int fd_ = -1;
};

[[noreturn]] void become_daemon(const Daemon& daemon) {
  ::setsid();
  const int log = ::open(daemon.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (log < 0 || null < 0) ::_exit(kExecFailed);
  ::dup2(null, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  const Result<void> entered = enter(daemon.netns, daemon.resolv_conf);
  if (!entered) {
    const std::string text = entered.error().text + "\n";
    static_cast<void>(!::write(STDERR_FILENO, text.data(), text.size()));
    ::_exit(kExecFailed);
  }
  ::setenv("NOTIFY_SOCKET", daemon.notify_socket.c_str(), 1);
  become(daemon.command);
}

// ": " and the last line of a daemon's log, where it has one.
std::string last_words(const fs::path& log) {
  std::ifstream file(log);
  std::string line, last;
  while (std::getline(file, line)) {
    if (!line.empty()) last = line;
  }
  return last.empty() ? "" : ": " + last;
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return "was ended by signal " + std::to_string(WTERMSIG(status));
  return "ended with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Result<std::string> run(const Argv& command) {
  POSTERN_ASSERT(!command.empty());
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return system_error("pipe");
  const pid_t child = ::fork();
  if (child < 0) return system_error("fork");
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    become(command);
  }
  ::close(ends[1]);
  std::string said = read_all(ends[0]);
  ::close(ends[0]);
  if (wait_for(child) == 0) return said;
  while (!said.empty() && said.back() == '\n')
    said.pop_back();
  return Error{ErrorCode::failed, joined(command) + ": " + said};
}

Result<void> enter(const fs::path& netns, const fs::path& resolv_conf) {
  const int fd = ::open(netns.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return system_error(netns.string());
  const int moved = ::setns(fd, CLONE_NEWNET);
  ::close(fd);
  if (moved < 0) return system_error("setns " + netns.string());
  if (::unshare(CLONE_NEWNS) < 0) return system_error("unshare");
  if (::mount("", "/", "none", MS_SLAVE | MS_REC, nullptr) < 0) return system_error("mount /");
  // /sys shows the devices of the namespace in which it was mounted.
  ::umount2("/sys", MNT_DETACH);
  if (::mount("lab", "/sys", "sysfs", 0, nullptr) < 0) return system_error("mount /sys");
  std::error_code missing;
  const fs::path target = fs::canonical("/etc/resolv.conf", missing);
  if (!missing && fs::exists(resolv_conf)) {
    ::mount(resolv_conf.c_str(), target.c_str(), "none", MS_BIND, nullptr);
  }
  return {};
}

ProcessId identify(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text)) return {pid, 0};
  // The name in field 2 may hold anything; fields are read from behind its bracket.
  const size_t bracket = text.rfind(')');
  if (bracket == std::string::npos) return {pid, 0};
  std::istringstream fields(text.substr(bracket + 1));
  std::string state, skipped;
  fields >> state;
  for (int field = 4; field < kThreadsField; ++field)
    fields >> skipped;
  unsigned threads = 0;
  uint64_t started = 0;
  fields >> threads >> skipped >> started;
  // Its first thread may be gone while others still hold its files.
  if (state == "Z" && threads <= 1) return {pid, 0};
  return {pid, started};
}

bool is_running(const ProcessId& process) {
  return process.started != 0 && identify(process.pid) == process;
}

Result<ProcessId> start(const Daemon& daemon) {
  const NotifySocket notify(daemon.notify_socket);
  if (!notify.is_open()) return system_error(daemon.notify_socket.string());
  const pid_t child = ::fork();
  if (child < 0) return system_error("fork");
  if (child == 0) become_daemon(daemon);
  std::string how = "is not ready after " + std::to_string(daemon.ready_within_s) + " s";
  for (int waited_ms = 0; waited_ms < daemon.ready_within_s * 1000; waited_ms += kPollMs) {
    if (notify.said_ready()) return identify(child);
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child) {
      how = how_it_ended(status);
      break;
    }
  }
  end({identify(child)}, 1000);
  return Error{ErrorCode::failed, daemon.command[0] + " " + how + last_words(daemon.log)};
}

void end(const std::vector<ProcessId>& processes, int grace_ms) {
  for (const ProcessId& process : processes) {
    if (!is_running(process)) continue;
    ::kill(process.pid, SIGTERM);
    ::kill(process.pid, SIGCONT);  // a stopped one cannot end by itself
  }
  for (int waited_ms = 0;; waited_ms += kPollMs) {
    bool any = false;
    for (const ProcessId& process : processes) {
      ::waitpid(process.pid, nullptr, WNOHANG);  // where it is ours
      any = any || is_running(process);
    }
    if (!any) return;
    if (waited_ms >= grace_ms) break;
    sleep_ms(kPollMs);
  }
  for (const ProcessId& process : processes) {
    if (!is_running(process)) continue;
    ::kill(process.pid, SIGKILL);
    while (is_running(process)) {
      ::waitpid(process.pid, nullptr, WNOHANG);
      sleep_ms(kPollMs / 10);
    }
  }
}

std::vector<ProcessId> processes_in(const std::vector<fs::path>& netns) {
  std::vector<struct stat> wanted;
  for (const fs::path& path : netns) {
    struct stat one {};
    if (::stat(path.c_str(), &one) == 0) wanted.push_back(one);
  }
  std::vector<ProcessId> found;
  std::error_code gone;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", gone)) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    struct stat one {};
    if (pid <= 0 || pid == ::getpid()) continue;
    if (::stat((entry.path() / "ns/net").c_str(), &one) != 0) continue;
    for (const struct stat& other : wanted) {
      if (one.st_dev == other.st_dev && one.st_ino == other.st_ino) found.push_back(identify(pid));
    }
  }
  return found;
}

}  // namespace postern::cli
