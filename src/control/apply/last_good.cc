// SPDX-License-Identifier: BSD-3-Clause
#include "control/apply/last_good.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace postern {
namespace {

constexpr const char* kFileName = "/last-good.yaml";

Error system_error(const std::string& what) {
  ErrorCode code = errno == ENOENT                     ? ErrorCode::not_found
                   : errno == EACCES || errno == EPERM ? ErrorCode::denied
                                                       : ErrorCode::failed;
  return {code, what + ": " + std::strerror(errno)};
}

class File {
 public:
  File(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0640)) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

}  // namespace

std::string last_good_path(const std::string& state_dir) {
  return state_dir + kFileName;
}

Result<void> write_last_good(const std::string& state_dir, std::string_view text) {
  std::string path = last_good_path(state_dir);
  std::string fresh = path + ".new";
  {
    File file(fresh, O_WRONLY | O_CREAT | O_TRUNC);
    if (file.fd() < 0) return system_error(fresh);
    if (!write_all(file.fd(), text) || fsync(file.fd()) != 0) return system_error(fresh);
  }
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return system_error(path);
  File directory(state_dir, O_RDONLY | O_DIRECTORY);
  if (directory.fd() < 0 || fsync(directory.fd()) != 0) return system_error(state_dir);
  return {};
}

Result<std::string> read_last_good(const std::string& state_dir) {
  return read_text_file(last_good_path(state_dir));
}

Result<std::string> read_text_file(const std::string& path) {
  File file(path, O_RDONLY);
  if (file.fd() < 0) return system_error(path);
  std::string text;
  char block[16384];
  for (;;) {
    ssize_t n = read(file.fd(), block, sizeof block);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(path);
    if (n == 0) return text;
    text.append(block, static_cast<size_t>(n));
    if (text.size() > kConfigurationMax) {
      return Error{ErrorCode::invalid, path + ": larger than 4 MiB"};
    }
  }
}

}  // namespace postern
