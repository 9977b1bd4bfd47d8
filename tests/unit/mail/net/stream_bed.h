// SPDX-License-Identifier: BSD-3-Clause
// Two streams that are connected to each other, and what they told; a certificate for tests.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>

#include "services/mail/net/client_tls.h"
#include "services/mail/net/server_tls.h"
#include "services/mail/net/stream.h"
#include "services/portal/certificate.h"

namespace postern::mail::test {

// For mx.a.example and 127.0.0.1, signed by itself.
struct TestIdentity {
  TestIdentity() {
    const auto made = portal::make_certificate("mx.a.example", {Ipv4Address(127, 0, 0, 1)});
    REQUIRE(made);
    certificate = made->certificate;
    key = made->key;
    file = std::filesystem::temp_directory_path() / ("postern-mail-" + std::to_string(getpid()));
    std::ofstream(file) << certificate;
    // What a client that pins another key says has ours in it.
    boost::asio::io_context context;
    pin = pin_of_refusal(context);
  }
  ~TestIdentity() { std::filesystem::remove(file); }
  TestIdentity(const TestIdentity&) = delete;
  TestIdentity& operator=(const TestIdentity&) = delete;

  std::string certificate;
  std::string key;
  std::string file;  // of the certificate
  std::string pin;   // base64

 private:
  std::string pin_of_refusal(boost::asio::io_context& context) const {
    int fds[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    auto server = ServerTls::make(certificate, key);
    TlsUse use;
    use.mode = TlsMode::required;
    use.pins = {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};
    auto client = ClientTls::make(use, "mx.a.example");
    REQUIRE((server && client));
    std::string why;
    auto here = Stream::take(context, fds[0]);
    auto there = Stream::take(context, fds[1]);
    here->begin({});
    Stream::Calls calls;
    calls.secured = [&why](const Result<void>& outcome) {
      if (!outcome) why = outcome.error().text;
    };
    there->begin(std::move(calls));
    here->secure_as_server(*server);
    there->secure_as_client(*client, "");
    while (why.empty())
      context.run_one();
    here->close();
    return why.substr(why.find("sha256/") + 7);
  }
};

inline const TestIdentity& identity() {
  static const TestIdentity made;
  return made;
}

inline std::shared_ptr<ServerTls> server_tls() {
  auto made = ServerTls::make(identity().certificate, identity().key);
  REQUIRE(made);
  return *made;
}

inline std::shared_ptr<ClientTls> client_tls(const TlsUse& use) {
  auto made = ClientTls::make(use, "mx.a.example");
  REQUIRE(made);
  return *made;
}

struct End {
  void open(boost::asio::io_context& context, int fd) {
    stream = Stream::take(context, fd);
    Stream::Calls calls;
    calls.received = [this](std::string_view octets) {
      got += octets;
      if (on_received) on_received(octets);
    };
    calls.drained = [this] { ++drained; };
    calls.secured = [this](const Result<void>& outcome) {
      secured = outcome ? "yes" : outcome.error().text;
    };
    calls.end_of_input = [this] { ++ends; };
    calls.failed = [this](const Error& why) {
      ++failures;
      error = why.text;
    };
    stream->begin(std::move(calls));
  }
  std::shared_ptr<Stream> stream;
  std::function<void(std::string_view octets)> on_received;
  std::string got;
  std::string secured;  // "yes", or why not
  std::string error;
  int drained = 0;
  int ends = 0;
  int failures = 0;
};

struct StreamBed {
  StreamBed() {
    int fds[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    client_fd = fds[0];
    server_fd = fds[1];
    client.open(context, fds[0]);
    server.open(context, fds[1]);
  }
  ~StreamBed() {
    client.stream->close();
    server.stream->close();
  }
  StreamBed(const StreamBed&) = delete;
  StreamBed& operator=(const StreamBed&) = delete;

  bool wait(const std::function<bool()>& is_done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!is_done() && std::chrono::steady_clock::now() < end) {
      context.restart();
      context.run_for(std::chrono::milliseconds(2));
    }
    return is_done();
  }
  void run_a_while() {
    context.restart();
    context.run_for(std::chrono::milliseconds(30));
  }

  boost::asio::io_context context;
  End client;
  End server;
  int client_fd = -1;
  int server_fd = -1;
};

}  // namespace postern::mail::test
