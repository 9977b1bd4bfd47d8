// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/outbox.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace postern::http {
namespace {

constexpr size_t kKeptMax = 16384;  // of memory that an empty outbox keeps
// Octets of a file that are sent at once: with a head they fit into one segment that the system
// hands on whole (64 KiB), and into the pipe within sendfile(2). What is left over there would be a
// segment right behind a full one, for which a system that paces (BBR) sets a timer.
constexpr size_t kPiece = size_t{48} << 10;

Outbox::State state_of_errno() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? Outbox::State::blocked
                                                                   : Outbox::State::broken;
}

iovec part(std::string_view octets) {
  return iovec{const_cast<char*>(octets.data()), octets.size()};
}

}  // namespace

void Outbox::clear() {
  text_.clear();
  if (text_.capacity() > kKeptMax) text_.shrink_to_fit();
  text_sent_ = 0;
  octets_ = {};
  tail_ = {};
  more_ = false;
}

void Outbox::settle() {
  if (octets_.empty() && tail_.empty()) return;
  text_.erase(0, text_sent_);
  text_sent_ = 0;
  text_ += octets_;
  text_ += tail_;
  octets_ = {};
  tail_ = {};
}

void Outbox::take(size_t sent) {
  const size_t of_text = std::min(sent, text_.size() - text_sent_);
  text_sent_ += of_text;
  sent -= of_text;
  if (text_sent_ == text_.size()) {
    text_.clear();
    text_sent_ = 0;
  }
  const size_t of_octets = std::min(sent, octets_.size());
  octets_.remove_prefix(of_octets);
  tail_.remove_prefix(std::min(sent - of_octets, tail_.size()));
}

Outbox::State Outbox::flush(int fd) {
  while (!empty()) {
    std::array<iovec, 3> parts;
    size_t count = 0;
    if (text_sent_ < text_.size())
      parts[count++] = part(std::string_view(text_).substr(text_sent_));
    if (!octets_.empty()) parts[count++] = part(octets_);
    if (!tail_.empty()) parts[count++] = part(tail_);
    msghdr message = {};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    const ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | (more_ ? MSG_MORE : 0));
    if (sent < 0) return state_of_errno();
    take(static_cast<size_t>(sent));
  }
  return State::empty;
}

Outbox::State Outbox::send_file(int fd, int file, uint64_t offset, size_t length, size_t& sent) {
  sent = 0;
  while (sent < length) {
    off_t at = static_cast<off_t>(offset + sent);
    const ssize_t count = sendfile(fd, file, &at, std::min(length - sent, kPiece));
    if (count < 0) return state_of_errno();
    if (count == 0) return State::broken;  // the file is shorter than it was
    sent += static_cast<size_t>(count);
  }
  return State::empty;
}

}  // namespace postern::http
