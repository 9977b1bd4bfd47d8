// SPDX-License-Identifier: BSD-3-Clause
// ServerBed: the SMTP and the POP3 server on loopback with a queue and mailboxes in a folder of
// their own, and clients that talk to them by real sockets; all on one loop, which the test turns.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "services/mail/message/address.h"
#include "services/mail/server/pop3_server.h"
#include "services/mail/server/smtp_server.h"
#include "unit/mail/net/stream_bed.h"

namespace postern::mail::test {

constexpr Ipv4Address kLoopback{127, 0, 0, 1};

inline uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at = io::socket_address(kLoopback, 0);
  socklen_t length = sizeof at;
  const bool is_bound = bind(fd, reinterpret_cast<sockaddr*>(&at), length) == 0 &&
                        getsockname(fd, reinterpret_cast<sockaddr*>(&at), &length) == 0;
  close(fd);
  REQUIRE(is_bound);
  return ntohs(at.sin_port);
}

// Turns the loop until it holds; false: it did not within `patience`.
inline bool turn_until(boost::asio::io_context& context, const std::function<bool()>& is_done,
                       std::chrono::seconds patience = std::chrono::seconds(10)) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!is_done() && std::chrono::steady_clock::now() < end) {
    context.restart();
    context.run_for(std::chrono::milliseconds(2));
  }
  return is_done();
}

// Talks in lines; what it is told stands in `got`.
class TestClient {
 public:
  TestClient(boost::asio::io_context& context, uint16_t port) : context_(context) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in to = io::socket_address(kLoopback, port);
    REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    fd_ = fd;
    end_.open(context, fd);
  }
  ~TestClient() { end_.stream->close(); }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  void send(const std::string& octets) { end_.stream->send(octets); }
  // The next lines until one of `is_last`; all of them without their CRLFs, by '|'.
  std::string until(const std::function<bool(const std::string& line)>& is_last) {
    std::string all;
    for (std::string line = next(); !line.empty(); line = next()) {
      all += (all.empty() ? "" : "|") + line.substr(0, line.size() - 2);
      if (is_last(line)) return all;
    }
    return all + (all.empty() ? "" : "|") + "(nothing more)";
  }
  // A reply of SMTP.
  std::string reply() {
    return until([](const std::string& line) { return line.size() > 3 && line[3] != '-'; });
  }
  std::string say(const std::string& line) {
    send(line + "\r\n");
    return reply();
  }
  // A line of POP3, or all of them up to the dot.
  std::string line() {
    return until([](const std::string&) { return true; });
  }
  std::string pop(const std::string& command) {
    send(command + "\r\n");
    return line();
  }
  std::string lines() {
    return until([](const std::string& one) { return one == ".\r\n"; });
  }
  void start_tls() {
    TlsUse use;
    use.mode = TlsMode::opportunistic;
    end_.stream->secure_as_client(client_tls(use), "mx.a.example");
    REQUIRE(turn_until(context_, [this] { return !end_.secured.empty(); }));
    REQUIRE(end_.secured == "yes");
  }
  bool is_gone() {
    return turn_until(context_, [this] { return end_.ends + end_.failures > 0; });
  }
  void half_close() const { shutdown(fd_, SHUT_WR); }
  void break_off() { end_.stream->close(); }
  void stop_reading() { end_.stream->want_input(false); }
  void read_on() { end_.stream->want_input(true); }
  size_t unsent() const { return end_.stream->unsent(); }
  const std::string& left() const { return end_.got; }
  End& end() { return end_; }

 private:
  // With its CRLF; empty: there is none.
  std::string next() {
    const auto has_line = [this] { return end_.got.find("\r\n") != std::string::npos; };
    turn_until(context_, [&] { return has_line() || end_.ends + end_.failures > 0; });
    if (!has_line()) return {};
    std::string line = end_.got.substr(0, end_.got.find("\r\n") + 2);
    end_.got.erase(0, line.size());
    return line;
  }

  boost::asio::io_context& context_;
  int fd_ = -1;
  End end_;
};

// As long as it lives no file of this process grows.
class FullDisk {
 public:
  FullDisk() {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none = {0, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &none);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_ = {};
};

struct ServerBed {
  ServerBed() {
    std::string name = std::filesystem::temp_directory_path() / "postern-server-XXXXXX";
    REQUIRE(mkdtemp(name.data()) != nullptr);
    folder = name;
    seams.now = [this] {
      const auto now = std::chrono::steady_clock::now().time_since_epoch();
      return Instant{std::chrono::nanoseconds(now).count()} + ahead;
    };
    seams.wall_s = [this] { return time(nullptr) + ahead.ns / seconds(1).ns; };
    seams.zone_min = [] { return 0; };
    seams.warn = [this](const std::string& line) { warnings.push_back(line); };
    seams.log = [this](const MailEvent& event) {
      events.push_back(std::string(to_text(event.kind)) + ' ' + std::string(event.by) +
                       (event.to == nullptr ? "" : ' ' + mail::to_text(event.to->address)) +
                       (event.user.empty() ? "" : " user=" + std::string(event.user)) +
                       (event.result.empty() ? "" : " " + std::string(event.result)));
    };
    seams.check_password = [this](const std::string& user, const std::string& password, Ipv4Address,
                                  const Seams::Checked& then) {
      const auto known = passwords.find(user);
      const bool is_right = known != passwords.end() && known->second == password;
      const PasswordCheck check = is_busy    ? PasswordCheck::busy
                                  : is_right ? PasswordCheck::right
                                             : PasswordCheck::wrong;
      boost::asio::post(context, [then, check] { then(check); });
    };
    settings.host = "mx.a.example";
    settings.book.own_domain = "a.example";
    settings.book.domains = {"a.example"};
    settings.book.users = {"anna", "ben"};
    settings.book.aliases = {{"info", {"anna", "ben"}}};
    settings.book.postmaster = "anna";
    settings.server.smtp = {{{"", kLoopback, free_port()}, SmtpPort::mail}};
    settings.server.pop3 = {{{"", kLoopback, free_port()}, false}};
    settings.server.pop3_networks = {{kLoopback, kLoopback}};
    settings.queue.octets = uint64_t{200} << 20;
  }
  ~ServerBed() {
    smtp.reset();
    pop3.reset();
    queue.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  ServerBed(const ServerBed&) = delete;
  ServerBed& operator=(const ServerBed&) = delete;

  void open() {
    Queue::Options options;
    options.folder = folder + "/queue";
    options.limits = settings.queue;
    options.post = [this](std::function<void()> task) {
      boost::asio::post(context, std::move(task));
    };
    options.on_trouble = [this](const std::string& line) { warnings.push_back(line); };
    auto opened = Queue::open(std::move(options));
    REQUIRE(opened);
    queue = std::move(*opened);
    auto made = Mailboxes::open(folder + "/mailboxes");
    REQUIRE(made);
    mailboxes.emplace(std::move(*made));
    SmtpServer::Parts parts{context, seams, *queue, jobs, folder, {}, {}, {}};
    parts.finish = [this](FinishedMessage message, const SmtpHost::Answer& then) {
      finish(std::move(message), then);
    };
    smtp = std::make_unique<SmtpServer>(std::move(parts));
    pop3 = std::make_unique<Pop3Server>(context, seams, *mailboxes, jobs);
    follow();
  }
  void follow() {
    REQUIRE(smtp->follow(settings, tls));
    REQUIRE(pop3->follow(settings, tls));
  }

  // What Intake does, without all that is behind it.
  void finish(FinishedMessage message, const SmtpHost::Answer& then) {
    bys.emplace_back(message.by);
    message.incoming->commit(message.envelope, seams.wall_s(),
                             [then](const Result<uint64_t>& done) {
                               if (done) return then({250, "2.0.0", "queued"});
                               then({452, "4.3.1", done.error().text});
                             });
  }

  // The texts of all that is in the queue.
  std::vector<std::string> texts() {
    std::vector<std::string> all;
    queue->each([&](const QueuedMessage& message) {
      bool is_told = false;
      queue->read(message.number, [&](const Result<std::shared_ptr<const Body>>& body) {
        is_told = true;
        REQUIRE(body);
        all.emplace_back((*body)->octets(), '\0');
        CHECK((*body)->read(0, all.back()) == all.back().size());
      });
      REQUIRE(turn_until(context, [&] { return is_told; }));
      return true;
    });
    return all;
  }
  void deliver(const std::string& user, const std::string& id, const std::string& text) const {
    auto box = mailboxes->mailbox(user);
    REQUIRE(box);
    Delivery delivery;
    delivery.id = id;
    delivery.now_s = time(nullptr);
    REQUIRE(box->deliver(delivery, Body(std::make_shared<const std::string>(text))));
  }
  bool turn(const std::function<bool()>& is_done) { return turn_until(context, is_done); }
  bool has_event(const std::string& start) const {
    for (const std::string& event : events) {
      if (event.starts_with(start)) return true;
    }
    return false;
  }
  void allow_relaying() { settings.server.relay_networks = {{kLoopback, kLoopback}}; }
  void add_tls() { tls = server_tls(); }
  uint16_t smtp_port() const { return settings.server.smtp.front().at.port; }
  uint16_t pop3_port() const { return settings.server.pop3.front().at.port; }

  boost::asio::io_context context;
  std::string folder;
  Duration ahead;  // of the clocks
  Seams seams;
  MailSettings settings;
  std::map<std::string, std::string> passwords = {{"anna", "secret"}, {"ben", "secret"}};
  bool is_busy = false;
  std::vector<std::string> events, warnings, bys;
  std::shared_ptr<ServerTls> tls;
  io::JobPool jobs{context, {"mail-test", 2, 100}};
  std::unique_ptr<Queue> queue;
  std::optional<Mailboxes> mailboxes;
  std::unique_ptr<SmtpServer> smtp;
  std::unique_ptr<Pop3Server> pop3;
};

}  // namespace postern::mail::test
