// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/queue/body.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace postern::mail {

Result<std::shared_ptr<const Body>> Body::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat facts = {};
  if (fd >= 0 && fstat(fd, &facts) == 0)
    return std::shared_ptr<const Body>(new Body(fd, static_cast<uint64_t>(facts.st_size)));
  Error fault{ErrorCode::failed, path + ": " + std::strerror(errno)};
  if (fd >= 0) close(fd);
  return fault;
}

Body::~Body() {
  if (fd_ >= 0) close(fd_);
}

size_t Body::read(uint64_t offset, std::span<char> into) const {
  if (offset >= octets_) return 0;
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(into.size(), octets_ - offset));
  if (text_) {
    std::memcpy(into.data(), text_->data() + offset, wanted);
    return wanted;
  }
  size_t done = 0;
  while (done < wanted) {
    const ssize_t count =
        pread(fd_, into.data() + done, wanted - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

}  // namespace postern::mail
