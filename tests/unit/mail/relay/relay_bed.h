// SPDX-License-Identifier: BSD-3-Clause
// A Relay on a loop of its own, and SMTP servers for it on the same loop, on ports of 127.0.0.1,
// that do what a test says.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "services/mail/net/server_tls.h"
#include "services/mail/relay/relay.h"

namespace postern::mail::test {

// A server. What it is told is in `said`, without texts.
class TestHost {
 public:
  explicit TestHost(boost::asio::io_context& context);
  ~TestHost();
  TestHost(const TestHost&) = delete;
  TestHost& operator=(const TestHost&) = delete;

  uint16_t port() const { return port_; }
  // As the only host, in clear.
  RelayHost as_relay() const;
  void close_all();  // connections, at once

  std::string greeting = "220 mx.b.example ESMTP";
  std::vector<std::string> offers = {"PIPELINING", "8BITMIME"};  // by EHLO
  // The reply to a command, without CRLF: "": the usual one; "close": none, the connection is
  // closed; "silence": none. A reply and " close": both.
  std::function<std::string(const std::string& line)> answer;
  // The same for the end of a text: "end" is what it gets.
  std::function<void(size_t octets)> in_text;  // of the text so far
  std::shared_ptr<ServerTls> tls;              // for STARTTLS
  bool is_implicit = false;                    // TLS from the first octet

  std::vector<std::string> said;
  std::vector<std::string> texts;  // decoded, the first MiB of each
  std::vector<size_t> sizes;       // of texts, decoded
  int connections = 0;
  int open = 0;
  int open_most = 0;
  int secured = 0;

  bool has_heard(const std::string& start) const;

 private:
  struct Peer;
  void accept();
  boost::asio::io_context& context_;
  struct Acceptor;
  std::unique_ptr<Acceptor> acceptor_;
  uint16_t port_ = 0;
  std::vector<std::shared_ptr<Peer>> peers_;
};

struct RelayBed {
  RelayBed();
  ~RelayBed();
  RelayBed(const RelayBed&) = delete;
  RelayBed& operator=(const RelayBed&) = delete;

  Seams seams();
  void follow(const RelaySettings& settings) { relay->follow(settings, "gate.a.example"); }
  void follow(const TestHost& host);
  // From <joe@a.example> to recipients at b.example; gives its number.
  uint64_t send(const std::vector<std::string>& to, const std::string& text = "Subject: a\r\n");
  uint64_t send(RelayJob job);
  RelayJob job(const std::vector<std::string>& to, const std::string& text) const;
  bool wait(const std::function<bool()>& is_done);
  // The result, waited for; "250 Ok|550 5.1.1 No" for two recipients.
  std::string outcome(uint64_t number);
  void pass(Duration time) { later = later + time; }  // for Relay, at once

  boost::asio::io_context context;
  std::map<std::string, Result<std::vector<MailHost>>> mail_hosts;
  std::map<std::string, Result<Seams::Addresses>> addresses;  // else 127.0.0.1
  Duration later;
  std::unique_ptr<Relay> relay;
  uint64_t last = 0;
  std::map<uint64_t, RelayResult> results;
};

}  // namespace postern::mail::test
