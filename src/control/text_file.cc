// SPDX-License-Identifier: BSD-3-Clause
#include "control/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace postern {
namespace {

Error system_error(const std::string& what) {
  bool is_denied = errno == EACCES || errno == EPERM;
  ErrorCode code = is_denied ? ErrorCode::denied : ErrorCode::failed;
  if (errno == ENOENT) code = ErrorCode::not_found;
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

Result<std::string> read_text_file(const std::string& path) {
  File file(path, O_RDONLY);
  if (file.fd() < 0) return system_error(path);
  return read_text(file.fd(), path);
}

Result<std::string> read_regular_file(const std::string& path) {
  // A FIFO is opened at once, too.
  File file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat facts = {};
  if (file.fd() < 0 || fstat(file.fd(), &facts) != 0) return system_error(path);
  if (!S_ISREG(facts.st_mode)) return Error{ErrorCode::invalid, path + ": this is no file"};
  return read_text(file.fd(), path);
}

Result<std::string> read_text(int fd, const std::string& name) {
  std::string text;
  char block[16384];
  for (;;) {
    ssize_t n = read(fd, block, sizeof block);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(name);
    if (n == 0) return text;
    text.append(block, static_cast<size_t>(n));
    if (text.size() > kTextFileMax) {
      return Error{ErrorCode::invalid, name + ": larger than 4 MiB"};
    }
  }
}

Result<void> write_text_file(const std::string& path, std::string_view text, unsigned mode) {
  std::string fresh = path + ".new";
  struct stat old = {};
  bool had_old = stat(path.c_str(), &old) == 0;
  {
    File file(fresh, O_WRONLY | O_CREAT | O_TRUNC);
    if (file.fd() < 0) return system_error(fresh);
    // One that was left behind by a crash may have another mode.
    if (fchmod(file.fd(), had_old ? old.st_mode & 07777 : mode) != 0) return system_error(fresh);
    if (!write_all(file.fd(), text) || fsync(file.fd()) != 0) return system_error(fresh);
  }
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return system_error(path);
  size_t slash = path.rfind('/');
  std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  File directory(parent, O_RDONLY | O_DIRECTORY);
  if (directory.fd() < 0 || fsync(directory.fd()) != 0) return system_error(parent);
  return {};
}

}  // namespace postern
