// SPDX-License-Identifier: BSD-3-Clause
#include "cli/lab/lab.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "cli/lab/network.h"
#include "cli/lab/topology.h"

namespace postern::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kRoot[] = "/run/postern-lab";
constexpr size_t kNameMax = 12;
constexpr int kGatewayGraceMs = 8000;  // posternd gives ports and addresses back
constexpr int kGraceMs = 1000;

// Held from the first look until the work is done; the kernel lets go of it with the process.
class LabLock {
 public:
  LabLock() {
    std::error_code ignored;
    fs::create_directories(kRoot, ignored);
    fd_ = ::open(kRoot, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd_ >= 0) ::flock(fd_, LOCK_EX);
  }
  ~LabLock() {
    ::rmdir(kRoot);  // succeeds only when no lab is left
    if (fd_ >= 0) ::close(fd_);
  }
  LabLock(const LabLock&) = delete;
  LabLock& operator=(const LabLock&) = delete;

 private:
  int fd_ = -1;
};

Result<std::string> read_file(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return Error{ErrorCode::failed, path.string() + ": cannot be read"};
  return text.str();
}

Result<void> write_file(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::trunc);
  file << text << std::flush;
  if (!file) return Error{ErrorCode::failed, path.string() + ": cannot be written"};
  return {};
}

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

fs::path from_environment(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? fs::path() : fs::path(value);
}

}  // namespace

fs::path lab_share() {
  fs::path share = from_environment("POSTERN_LAB_DIR");
  if (!share.empty()) return share;
  share = POSTERN_LAB_SOURCE;
  return fs::exists(share / "lab.yaml") ? share : fs::path(POSTERN_LAB_INSTALLED);
}

fs::path postern_program() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored);
}

fs::path posternd_program() {
  fs::path given = from_environment("POSTERND");
  if (!given.empty()) return given;
  const fs::path here = postern_program().parent_path();
  for (const char* place : {"posternd", "../control/posternd", "../sbin/posternd"}) {
    std::error_code missing;
    fs::path found = fs::canonical(here / place, missing);
    if (!missing) return found;
  }
  return "posternd";
}

Result<Lab> Lab::named(const std::string& name) {
  const bool fits =
      !name.empty() && name.size() <= kNameMax &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string::npos;
  if (!fits) {
    return Error{ErrorCode::invalid,
                 "a lab's name is 1 to 12 lower case letters and digits, not \"" + name + "\""};
  }
  return Lab(name);
}

fs::path Lab::directory() const {
  return fs::path(kRoot) / name_;
}

bool Lab::is_up() const {
  return fs::exists(directory() / "ready");
}

bool Lab::exists() const {
  if (fs::exists(directory())) return true;
  const std::vector<fs::path> paths = netns_paths(name_);
  return std::any_of(paths.begin(), paths.end(), [](const fs::path& p) { return fs::exists(p); });
}

Result<void> Lab::up(const LabOptions& options) const {
  const LabLock lock;
  if (is_up()) {
    return Error{ErrorCode::failed,
                 "lab \"" + name_ + "\" is up already; end it with: postern lab down"};
  }
  if (exists()) sweep();
  Result<void> done = write_files(options);
  if (done) done = build_network(name_);
  if (done) done = start_servers();
  if (done && !options.without_gateway) done = start_gateway();
  if (done) done = write_file(directory() / "ready", "");
  return done;
}

Result<void> Lab::down() const {
  const LabLock lock;
  sweep();
  if (!exists()) return {};
  return Error{ErrorCode::failed, "something of lab \"" + name_ + "\" is left; see ip netns and " +
                                      directory().string()};
}

void Lab::sweep() const {
  std::vector<ProcessId> gateway;
  for (const LabProcess& process : processes()) {
    if (process.what == "posternd") gateway.push_back(process.id);
  }
  end(gateway, kGatewayGraceMs);
  end(processes_in(netns_paths(name_)), kGraceMs);
  static_cast<void>(remove_network(name_));  // what stays is seen by the caller
  std::error_code ignored;
  fs::remove_all(directory(), ignored);
}

Result<void> Lab::write_files(const LabOptions& options) const {
  std::error_code failed;
  for (const fs::path& path : {run_directory(), state_directory(), directory() / "log"}) {
    fs::create_directories(path, failed);
    if (failed) return Error{ErrorCode::failed, path.string() + ": " + failed.message()};
  }
  const fs::path source =
      options.config.empty() ? lab_share() / "lab.yaml" : fs::path(options.config);
  Result<std::string> text = read_file(source);
  if (!text) return std::move(text).error();
  Result<void> written =
      write_file(config_file(), replace_all(*text, "driver: auto", "driver: " + options.driver));
  if (!written) return written;
  return write_resolvers();
}

Result<void> Lab::write_resolvers() const {
  const std::string outside =
      "nameserver " + std::string(kLabResolver) + "\noptions timeout:2 attempts:2\n";
  Result<void> written = write_file(directory() / "resolv.conf", outside);
  if (!written) return written;
  return write_file(directory() / "resolv-office.conf",
                    "nameserver " + std::string(kLabOfficeResolver) + "\n" + outside);
}

fs::path Lab::resolver_of(const std::string& host) const {
  const bool is_office = std::ranges::find(kLabOffice, host) != std::end(kLabOffice);
  return directory() / (is_office ? "resolv-office.conf" : "resolv.conf");
}

Result<void> Lab::start_in(const std::string& host, const std::string& what,
                           const Argv& command) const {
  const Daemon daemon{.command = command,
                      .netns = netns_path(name_, host),
                      .resolv_conf = resolver_of(host),
                      .log = directory() / "log" / (host + "-" + what + ".log"),
                      .notify_socket = directory() / "notify"};
  Result<ProcessId> started = start(daemon);
  if (!started) return std::move(started).error();
  std::ofstream list(directory() / "processes", std::ios::app);
  list << started->pid << ' ' << started->started << ' ' << host << ' ' << what << '\n';
  return {};
}

Result<void> Lab::start_servers() const {
  for (const LabHost& host : lab_hosts()) {
    if (!host.serves) continue;
    Argv command{"/usr/bin/python3", "-B", lab_share() / "servers.py", std::string(host.name)};
    for (const LabAddress& one : lab_addresses()) {
      if (one.host == host.name) {
        command.emplace_back(one.address.substr(0, one.address.find('/')));
      }
    }
    Result<void> done = start_in(std::string(host.name), "servers", command);
    if (!done) return done;
  }
  return {};
}

Result<void> Lab::start_gateway() const {
  return start_in(std::string(kLabGateway), "posternd",
                  {posternd_program(), "--config", config_file(), "--run-dir", run_directory(),
                   "--state-dir", state_directory()});
}

Result<void> Lab::restart_gateway() const {
  const LabLock lock;
  if (!is_up()) return Error{ErrorCode::not_found, "lab \"" + name_ + "\" is not up"};
  std::vector<ProcessId> old;
  std::string others;
  for (const LabProcess& process : processes()) {
    if (process.what == "posternd") {
      old.push_back(process.id);
    } else {
      others += std::to_string(process.id.pid) + " " + std::to_string(process.id.started) + " " +
                process.host + " " + process.what + "\n";
    }
  }
  end(old, kGatewayGraceMs);
  Result<void> written = write_file(directory() / "processes", others);
  if (!written) return written;
  return start_gateway();
}

Error Lab::exec(const std::string& host, const Argv& command) const {
  if (!is_up())
    return {ErrorCode::not_found, "lab \"" + name_ + "\" is not up; try: postern lab up"};
  const Result<void> entered = enter(netns_path(name_, host), resolver_of(host));
  if (!entered) return entered.error();
  // postern itself is found, and talks to the gateway of this lab.
  const fs::path path = from_environment("PATH");
  ::setenv("PATH", (postern_program().parent_path().string() + ":" + path.string()).c_str(), 1);
  ::setenv("POSTERN_RUN_DIR", run_directory().c_str(), 1);
  std::vector<char*> words;
  for (const std::string& word : command)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words[0], words.data());
  return {ErrorCode::failed, command[0] + ": " + std::strerror(errno)};
}

std::vector<LabProcess> Lab::processes() const {
  std::vector<LabProcess> all;
  std::ifstream list(directory() / "processes");
  LabProcess one;
  while (list >> one.id.pid >> one.id.started >> one.host >> one.what)
    all.push_back(one);
  return all;
}

}  // namespace postern::cli
