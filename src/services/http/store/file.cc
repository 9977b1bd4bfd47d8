// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/store/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "services/http/store/format.h"

namespace postern::http {
namespace {

Error system_error(const std::string& path, const char* what) {
  const int number = errno;
  const auto code = number == ENOENT ? ErrorCode::not_found : ErrorCode::failed;
  return Error{code, fmt::format("{}: {}: {}", path, what, std::strerror(number))};
}

class DiskFile final : public File {
 public:
  DiskFile(int fd, uint64_t octets) : fd_(fd), octets_(octets) {}
  ~DiskFile() override { ::close(fd_); }

  ssize_t read_now(std::span<uint8_t> into, uint64_t offset) override {
    iovec part{into.data(), into.size()};
    const ssize_t got = ::preadv2(fd_, &part, 1, static_cast<off_t>(offset), RWF_NOWAIT);
    // Less than all: the rest is not in the page cache; a file system without RWF_NOWAIT says so.
    return got == static_cast<ssize_t>(into.size()) ? got : -EAGAIN;
  }

  ssize_t read(std::span<uint8_t> into, uint64_t offset) override {
    size_t done = 0;
    while (done < into.size()) {
      const ssize_t got =
          ::pread(fd_, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return -errno;
      if (got == 0) return -EIO;
      done += static_cast<size_t>(got);
    }
    return static_cast<ssize_t>(done);
  }

  ssize_t write(std::span<iovec> parts, uint64_t offset) override {
    ssize_t done = 0;
    while (!parts.empty()) {
      const ssize_t put = ::pwritev(fd_, parts.data(), static_cast<int>(parts.size()),
                                    static_cast<off_t>(offset) + done);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return -errno;
      if (put == 0) return -EIO;
      done += put;
      parts = behind(parts, static_cast<size_t>(put));
    }
    return done;
  }

  // ext4(5), xfs(5) and btrfs(5) take the pages out of the page cache, whoever else holds them; one
  // that lies in the range in part would be cleared as it is.
  ssize_t renew(uint64_t offset, uint64_t count) override {
    if (!can_renew_) return 0;
    return zero(static_cast<off_t>(offset), static_cast<off_t>(count)) == 0 ? 0 : -errno;
  }
  bool can_renew(uint64_t alignment) override {
    // Behind the second superblock there are zeros.
    const off_t at = kSuperblocksOctets - kRecordUnit;
    can_renew_ = alignment % kSegmentForExtents == 0 && zero(at, kRecordUnit) == 0;
    return can_renew_;
  }

  ssize_t sync() override { return ::fdatasync(fd_) == 0 ? 0 : -errno; }

  void expect(uint64_t offset, uint64_t count) override {
    ::posix_fadvise(fd_, static_cast<off_t>(offset), static_cast<off_t>(count),
                    POSIX_FADV_WILLNEED);
  }

  int fd() const override { return fd_; }
  uint64_t octets() const override { return octets_; }

  bool is_allocated() const override {
    struct stat status {};
    return ::fstat(fd_, &status) == 0 && static_cast<uint64_t>(status.st_blocks) * 512 >= octets_;
  }

 private:
  // The parts without the first `count` octets, empty ones passed over.
  static std::span<iovec> behind(std::span<iovec> parts, size_t count) {
    while (!parts.empty() && count >= parts.front().iov_len) {
      count -= parts.front().iov_len;
      parts = parts.subspan(1);
    }
    if (!parts.empty()) {
      parts.front().iov_base = static_cast<uint8_t*>(parts.front().iov_base) + count;
      parts.front().iov_len -= count;
    }
    return parts;
  }

  int zero(off_t offset, off_t count) {
    return ::fallocate(fd_, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset, count);
  }

  int fd_;
  uint64_t octets_;
  bool can_renew_ = false;
};

// Reserves all of the file; by writing it where the file system cannot do it otherwise.
int reserve(int fd, uint64_t octets) {
  if (::fallocate(fd, 0, 0, static_cast<off_t>(octets)) == 0) return 0;
  if (errno != EOPNOTSUPP) return -1;
  const std::vector<uint8_t> zeros(size_t{1} << 20);
  for (uint64_t at = 0; at < octets;) {
    const size_t part = octets - at < zeros.size() ? octets - at : zeros.size();
    const ssize_t put = ::pwrite(fd, zeros.data(), part, static_cast<off_t>(at));
    if (put < 0 && errno != EINTR) return -1;
    if (put > 0) at += static_cast<uint64_t>(put);
  }
  return 0;
}

Result<int> open_locked(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | flags, 0600);
  if (fd < 0) return system_error(path, "cannot be opened");
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  ::close(fd);
  return Error{ErrorCode::unavailable, path + ": another process has this cache open"};
}

}  // namespace

Result<std::unique_ptr<File>> open_file(const std::string& path) {
  auto fd = open_locked(path, 0);
  if (!fd) return std::move(fd).error();
  struct stat status {};
  if (::fstat(*fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(*fd);
    return Error{ErrorCode::invalid, path + ": is no regular file"};
  }
  return std::unique_ptr<File>(new DiskFile(*fd, static_cast<uint64_t>(status.st_size)));
}

Result<std::unique_ptr<File>> make_file(const std::string& path, uint64_t octets) {
  auto fd = open_locked(path, O_CREAT);
  if (!fd) return std::move(fd).error();
  struct stat status {};
  if (::fstat(*fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(*fd);
    return Error{ErrorCode::invalid, path + ": is no regular file"};
  }
  // Cut to nothing first: the new one shall have nothing of the old one.
  if (::ftruncate(*fd, 0) != 0 || reserve(*fd, octets) != 0) {
    Error error = system_error(path, "the cache's file cannot be made");
    ::unlink(path.c_str());
    ::close(*fd);
    return error;
  }
  return std::unique_ptr<File>(new DiskFile(*fd, octets));
}

}  // namespace postern::http
