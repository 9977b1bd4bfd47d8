// SPDX-License-Identifier: BSD-3-Clause
// What tests of milters share: packets in short, a message, and a milter on a socket of its own.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "services/mail/queue/body.h"
#include "services/mail/scan/milter_session.h"

namespace postern::mail::test {

inline std::string packet(char command, std::string_view data = {}) {
  std::string out;
  append_packet(out, command, data);
  return out;
}

inline std::string options(uint32_t steps, uint32_t version = 6, uint32_t changes = 0x21) {
  std::string out;
  append_options(out, {version, changes, steps});
  return out;
}

inline std::shared_ptr<const Body> body_of(std::string_view text) {
  return std::make_shared<const Body>(std::make_shared<const std::string>(text));
}

inline Envelope envelope() {
  Envelope envelope;
  envelope.sender = {"joe", "a.example"};
  envelope.recipients = {{{"ann", "b.example"}, 0, {}}, {{"bob", "b.example"}, 0, {}}};
  envelope.client = Ipv4Address(192, 0, 2, 7);
  envelope.helo = "pc.a.example";
  return envelope;
}

// In two pieces, so that who looks for viruses lets the tests alone.
inline std::string eicar() {
  return std::string("X5O!P%@AP[4\\PZX54(P^)7CC)7}$") + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";
}

// Answers by `answer`, one connection after the other, on a thread of its own.
class ScriptedMilter {
 public:
  // The octets that answer a packet; nullopt: the connection is closed. Called on the thread.
  using Answer = std::function<std::optional<std::string>(const MilterPacket& packet)>;

  explicit ScriptedMilter(Answer answer) : answer_(std::move(answer)) {
    char directory[] = "/tmp/milter.XXXXXX";
    if (mkdtemp(directory) != nullptr) directory_ = directory;
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un at = {};
    at.sun_family = AF_UNIX;
    path().copy(at.sun_path, sizeof at.sun_path - 1);
    is_sound_ = bind(listener_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 &&
                listen(listener_, 16) == 0;
    thread_ = std::thread([this] { work(); });
  }
  ~ScriptedMilter() {
    is_ending_ = true;
    thread_.join();
    close(listener_);
    unlink(path().c_str());
    rmdir(directory_.c_str());
  }
  ScriptedMilter(const ScriptedMilter&) = delete;
  ScriptedMilter& operator=(const ScriptedMilter&) = delete;

  bool is_sound() const { return is_sound_; }
  std::string path() const { return directory_ + "/m.sock"; }
  std::string name() const { return "unix:" + path(); }
  // The commands of all connections, in order.
  std::string commands() {
    const std::lock_guard lock(mutex_);
    return commands_;
  }
  // The body of all, likewise.
  std::string body() {
    const std::lock_guard lock(mutex_);
    return body_;
  }

 private:
  bool is_readable(int fd) const {
    while (!is_ending_) {
      pollfd wait = {fd, POLLIN, 0};
      if (poll(&wait, 1, 20) > 0) return true;
    }
    return false;
  }
  void work() {
    while (is_readable(listener_)) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      talk(fd);
      close(fd);
    }
  }
  void talk(int fd) {
    MilterReader reader;
    char buffer[65536];
    while (is_readable(fd)) {
      const ssize_t count = recv(fd, buffer, sizeof buffer, 0);
      if (count <= 0) return;
      reader.take({buffer, static_cast<size_t>(count)});
      while (const auto next = reader.next()) {
        note(*next);
        const auto out = answer_(*next);
        if (!out) return;
        send(fd, out->data(), out->size(), MSG_NOSIGNAL);
      }
    }
  }
  void note(const MilterPacket& packet) {
    const std::lock_guard lock(mutex_);
    commands_ += packet.command;
    if (packet.command == milter_command::kBody) body_ += packet.data;
  }

  Answer answer_;
  std::string directory_;
  int listener_ = -1;
  bool is_sound_ = false;
  std::atomic<bool> is_ending_ = false;
  std::mutex mutex_;
  std::string commands_, body_;
  std::thread thread_;
};

// Agrees to all, takes no steps away, and says `at_end` to the end of the body.
inline ScriptedMilter::Answer agreeable(const std::string& at_end) {
  return [at_end](const MilterPacket& packet) -> std::optional<std::string> {
    switch (packet.command) {
      case milter_command::kOptions:
        return options(0);
      case milter_command::kMacros:
      case milter_command::kQuit:
        return "";
      case milter_command::kEndOfBody:
        return at_end;
      default:
        return test::packet(milter_answer::kProceed);
    }
  };
}

}  // namespace postern::mail::test
