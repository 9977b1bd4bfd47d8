// SPDX-License-Identifier: BSD-3-Clause
// Pop3Box: a POP3 server over loopback as tests want it: messages in memory, connections that drop
// where they are told to, with and without UIDL, TLS and tokens. It knows nothing of our sessions.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "services/mail/message/data.h"
#include "services/mail/net/server_tls.h"
#include "services/mail/net/stream.h"

namespace postern::mail::test {

class Pop3Box {
 public:
  struct Message {
    std::string uid;
    std::string text;
    uint64_t listed = 0;  // octets; 0: the truth
  };
  std::vector<Message> messages;
  bool has_uidl = true;
  bool is_silent = false;  // says nothing at all
  std::string password = "secret";
  std::string token;               // base64 of what AUTH XOAUTH2 is to bring; empty: not offered
  std::shared_ptr<ServerTls> tls;  // STLS is offered
  bool is_implicit = false;        // TLS from the first octet
  int64_t octets_left = -1;        // that are sent before the connection drops; -1: all
  std::string drop_at;             // the command that gets no answer, but is carried out
  size_t connections = 0;
  std::vector<std::string> commands;

  explicit Pop3Box(boost::asio::io_context& context) : context_(context), listener_(context) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(::listen(fd, 64) == 0);
    REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    port_ = ntohs(at.sin_port);
    listener_.assign(fd);
    accept();
  }
  ~Pop3Box() { close_all(); }
  Pop3Box(const Pop3Box&) = delete;
  Pop3Box& operator=(const Pop3Box&) = delete;

  uint16_t port() const { return port_; }
  void add(const std::string& text) {
    messages.push_back({"uid" + std::to_string(++added_), text});
  }
  void close_all() {
    for (const auto& each : sessions_)
      each->stream->close();
    sessions_.clear();
  }
  size_t count(const std::string& word) const {
    size_t found = 0;
    for (const std::string& command : commands)
      found += command.starts_with(word) ? 1 : 0;
    return found;
  }

 private:
  struct Session {
    std::shared_ptr<Stream> stream;
    std::string input;
    std::set<size_t> deleted;
    bool is_response = false;  // of AUTH
    bool is_in = false;
  };

  void accept() {
    listener_.async_wait(
        boost::asio::posix::stream_descriptor::wait_read, [this](const auto& error) {
          if (error) return;
          const int fd =
              ::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
          if (fd >= 0) greet(fd);
          accept();
        });
  }
  void greet(int fd) {
    ++connections;
    auto session = std::make_shared<Session>();
    sessions_.insert(session);
    session->stream = Stream::take(context_, fd);
    const std::weak_ptr<Session> weak = session;
    Stream::Calls calls;
    calls.received = [this, weak](std::string_view octets) {
      const auto self = weak.lock();
      if (!self) return;
      self->input += octets;
      take(self);
    };
    calls.end_of_input = [this, weak] { drop(weak.lock()); };
    calls.failed = [this, weak](const Error&) { drop(weak.lock()); };
    session->stream->begin(std::move(calls));
    if (is_implicit) session->stream->secure_as_server(tls);
    say(session, "+OK box");
  }
  void drop(const std::shared_ptr<Session>& session) {
    if (!session) return;
    session->stream->close();
    sessions_.erase(session);
  }
  void send(const std::shared_ptr<Session>& session, std::string octets) {
    if (is_silent || sessions_.count(session) == 0) return;
    const bool is_last = octets_left >= 0 && static_cast<size_t>(octets_left) < octets.size();
    if (is_last) octets.resize(static_cast<size_t>(octets_left));
    if (octets_left >= 0) octets_left -= static_cast<int64_t>(octets.size());
    session->stream->send(std::move(octets));
    if (!is_last) return;
    session->stream->close_when_sent(seconds(1));
    sessions_.erase(session);
  }
  void say(const std::shared_ptr<Session>& session, const std::string& line) {
    send(session, line + "\r\n");
  }
  void take(const std::shared_ptr<Session>& session) {
    for (size_t end = session->input.find("\r\n");
         end != std::string::npos && sessions_.count(session) != 0;
         end = session->input.find("\r\n")) {
      const std::string line = session->input.substr(0, end);
      session->input.erase(0, end + 2);
      commands.push_back(line);
      const bool is_drop = !drop_at.empty() && line.starts_with(drop_at);
      const int64_t left = octets_left;
      if (is_drop) octets_left = 0;
      answer(session, line);
      if (is_drop) octets_left = left;
    }
  }
  void answer(const std::shared_ptr<Session>& session, const std::string& line) {
    if (session->is_response) return take_token(session, line);
    if (line == "CAPA") {
      std::string text = "+OK\r\nUSER\r\n";
      if (tls && session->stream->tls_text().empty()) text += "STLS\r\n";
      return say(session, text + ".");
    }
    if (line == "STLS") {
      say(session, "+OK");
      return session->stream->secure_as_server(tls);
    }
    if (line == "AUTH XOAUTH2") {
      session->is_response = true;
      return say(session, "+ ");
    }
    if (line.starts_with("USER ")) return say(session, "+OK");
    if (line.starts_with("PASS ")) {
      session->is_in = line.substr(5) == password;
      return say(session, session->is_in ? "+OK" : "-ERR [AUTH] no");
    }
    if (line == "QUIT") return quit(session);
    if (!session->is_in) return say(session, "-ERR log in first");
    answer_in(session, line);
  }
  void take_token(const std::shared_ptr<Session>& session, const std::string& line) {
    session->is_response = false;
    session->is_in = line == token;
    say(session, session->is_in ? "+OK" : "-ERR [AUTH] expired");
  }
  void answer_in(const std::shared_ptr<Session>& session, const std::string& line) {
    if (line == "STAT") return say(session, "+OK " + std::to_string(messages.size()) + " 1");
    if (line == "LIST" || (line == "UIDL" && has_uidl)) {
      std::string text = "+OK\r\n";
      for (size_t i = 0; i < messages.size(); ++i) {
        const Message& one = messages[i];
        const uint64_t octets = one.listed == 0 ? one.text.size() : one.listed;
        text += std::to_string(i + 1) + ' ' + (line == "UIDL" ? one.uid : std::to_string(octets)) +
                "\r\n";
      }
      return say(session, text + ".");
    }
    const size_t at = line.size() > 5 ? std::stoul(line.substr(5)) - 1 : messages.size();
    if (at >= messages.size()) return say(session, "-ERR what?");
    if (line.starts_with("DELE")) {
      session->deleted.insert(at);
      return say(session, "+OK");
    }
    std::string text = "+OK\r\n";
    DataEncoder encoder;
    REQUIRE(encoder.feed(messages[at].text, text));
    REQUIRE(encoder.finish(text));
    send(session, text);
  }
  void quit(const std::shared_ptr<Session>& session) {
    for (auto at = session->deleted.rbegin(); at != session->deleted.rend(); ++at)
      messages.erase(messages.begin() + static_cast<std::ptrdiff_t>(*at));
    say(session, "+OK");
    if (sessions_.erase(session) != 0) session->stream->close_when_sent(seconds(1));
  }

  boost::asio::io_context& context_;
  boost::asio::posix::stream_descriptor listener_;
  uint16_t port_ = 0;
  size_t added_ = 0;
  std::set<std::shared_ptr<Session>> sessions_;
};

}  // namespace postern::mail::test
