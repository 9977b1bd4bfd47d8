// SPDX-License-Identifier: BSD-3-Clause
// SpfDns: a small DNS on loopback, of texts alone, that may also be silent; on a thread.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace postern::mail::test {

class SpfDns {
 public:
  // `texts`: by name; other names do not exist. Names that begin with "silent" have no answer.
  explicit SpfDns(std::map<std::string, std::string> texts)
      : texts_(std::move(texts)), fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof at;
    REQUIRE(bind(fd_, reinterpret_cast<sockaddr*>(&at), length) == 0);
    REQUIRE(getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &length) == 0);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~SpfDns() {
    is_ending_ = true;
    thread_.join();
    close(fd_);
  }
  SpfDns(const SpfDns&) = delete;
  SpfDns& operator=(const SpfDns&) = delete;

  // As postern-spf wants it.
  std::vector<std::string> place() const { return {"127.0.0.1", std::to_string(port_)}; }
  // Questions so far.
  unsigned asked() const { return asked_; }

 private:
  static constexpr size_t kHeader = 12, kTypeAndClass = 4;

  void serve() {
    while (!is_ending_) {
      pollfd wait = {fd_, POLLIN, 0};
      if (poll(&wait, 1, 10) <= 0) continue;
      std::array<char, 512> piece;
      sockaddr_in from = {};
      socklen_t length = sizeof from;
      const ssize_t count =
          recvfrom(fd_, piece.data(), piece.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
      if (count <= static_cast<ssize_t>(kHeader + kTypeAndClass)) continue;
      ++asked_;
      const std::string out = answer_to({piece.data(), static_cast<size_t>(count)});
      if (out.empty()) continue;
      sendto(fd_, out.data(), out.size(), 0, reinterpret_cast<sockaddr*>(&from), length);
    }
  }

  std::string answer_to(const std::string& question) const {
    std::string name;
    size_t at = kHeader;
    while (at < question.size() && question[at] != 0) {
      const size_t size = static_cast<unsigned char>(question[at]);
      name += (name.empty() ? "" : ".") + question.substr(at + 1, size);
      at += 1 + size;
    }
    if (name.starts_with("silent")) return {};
    const size_t end = at + 1 + kTypeAndClass;
    const bool is_text = question.size() >= end && question[at + 2] == 16;
    const auto found = texts_.find(name);
    const bool is_there = found != texts_.end();
    const char answers = is_there && is_text ? 1 : 0;
    std::string out = question.substr(0, 2);
    out += {'\x81', is_there ? '\x80' : '\x83', 0, 1, 0, answers, 0, 0, 0, 0};
    out += question.substr(kHeader, end - kHeader);
    if (answers == 0) return out;
    const auto size = static_cast<char>(found->second.size());
    out += {'\xC0', '\x0C', 0, 16, 0, 1, 0, 0, 0, 60, 0, static_cast<char>(size + 1), size};
    return out + found->second;
  }

  const std::map<std::string, std::string> texts_;
  const int fd_;
  uint16_t port_ = 0;
  std::atomic<bool> is_ending_ = false;
  std::atomic<unsigned> asked_ = 0;
  std::thread thread_;
};

}  // namespace postern::mail::test
