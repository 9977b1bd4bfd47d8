// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/rotated_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace postern {
namespace {

constexpr mode_t kFileMode = 0640, kDirectoryMode = 0750;

int open_to_append(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kFileMode);
  if (fd >= 0) fchmod(fd, kFileMode);
  return fd;
}

// The lines at the front of `text` that have room.
size_t whole_lines(std::string_view text, uint64_t room) {
  if (text.size() <= room) return text.size();
  if (room == 0) return 0;
  const size_t end = text.rfind('\n', static_cast<size_t>(room) - 1);
  return end == std::string_view::npos ? 0 : end + 1;
}

}  // namespace

RotatedFile::~RotatedFile() {
  if (fd_ >= 0) close(fd_);
}

Result<void> RotatedFile::check() const {
  const std::string directory = settings_.path.substr(0, settings_.path.rfind('/'));
  if (mkdir(directory.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
    return Error{ErrorCode::failed, directory + ": " + std::strerror(errno)};
  }
  const int fd = open_to_append(settings_.path);
  if (fd < 0) return Error{ErrorCode::failed, settings_.path + ": " + std::strerror(errno)};
  close(fd);
  return {};
}

size_t RotatedFile::append(std::string_view text) {
  size_t done = 0;
  while (done < text.size()) {
    if (fd_ < 0 && !open()) break;
    std::string_view rest = text.substr(done);
    const uint64_t room = settings_.bytes_max - std::min(size_, settings_.bytes_max);
    size_t size = whole_lines(rest, room);
    if (size == 0 && size_ > 0 && rotate()) continue;
    // A line that is larger than a file, or a file that cannot be put aside, is better than a gap.
    if (size == 0) size = rest.find('\n') + 1;
    rest = rest.substr(0, size);
    const size_t written = write(rest);
    done += written;
    if (written < rest.size()) break;
  }
  return done;
}

bool RotatedFile::open() {
  fd_ = open_to_append(settings_.path);
  if (fd_ < 0) return false;
  struct stat facts = {};
  fstat(fd_, &facts);
  size_ = static_cast<uint64_t>(facts.st_size);
  return true;
}

// Whether lines go on in an empty file.
bool RotatedFile::rotate() {
  for (uint32_t i = settings_.keep; i > 0; --i) {
    const int done = std::rename(name(i - 1).c_str(), name(i).c_str());
    if (done != 0 && errno != ENOENT) return false;
  }
  if (settings_.keep == 0) unlink(settings_.path.c_str());
  close(std::exchange(fd_, -1));
  size_ = 0;
  return true;
}

// What is written of a line that does not fit is taken back.
size_t RotatedFile::write(std::string_view lines) {
  size_t written = 0;
  while (written < lines.size()) {
    const ssize_t some = ::write(fd_, lines.data() + written, lines.size() - written);
    if (some < 0 && errno == EINTR) continue;
    if (some <= 0) break;
    written += static_cast<size_t>(some);
  }
  const size_t whole = whole_lines(lines, written);
  if (whole < written) {
    const off_t end = lseek(fd_, 0, SEEK_END) - static_cast<off_t>(written - whole);
    if (ftruncate(fd_, end) != 0) close(std::exchange(fd_, -1));
  }
  size_ += whole;
  return whole;
}

std::string RotatedFile::name(uint32_t number) const {
  if (number == 0) return settings_.path;
  const size_t dot = settings_.path.rfind('.');
  return fmt::format("{}.{}{}", settings_.path.substr(0, dot), number, settings_.path.substr(dot));
}

}  // namespace postern
