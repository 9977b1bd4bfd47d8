// SPDX-License-Identifier: BSD-3-Clause
// A DNS-over-TLS server for tests, on a port of 127.0.0.1 and threads of its own, with a
// certificate made for the test. What it does with a connection is a function of the test.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "services/dns/tls/tls_context.h"

namespace postern::test {

using Message = std::vector<uint8_t>;

// A key and a certificate that it signed itself.
class Identity {
 public:
  struct Options {
    std::string name = "dns.example";
    bool is_expired = false;
  };
  explicit Identity(const Options& options);
  ~Identity();
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  dns::SpkiPin pin() const;
  // The certificate as PEM in a file that goes with this.
  const std::string& ca_file() const { return file_; }
  void use(SSL_CTX* context) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
  std::string file_;
};

// A connection of the server, blocking.
class TlsPeer {
 public:
  explicit TlsPeer(SSL* ssl) : ssl_(ssl) {}
  // The next query; empty at the end of the connection.
  Message receive();
  void send(const Message& message);  // with its length in front
  void send_raw(const Message& octets);
  int connection = 0;  // counted from 1

 private:
  bool read(uint8_t* to, size_t length);
  SSL* ssl_;
};

class TlsServerBed {
 public:
  using Behaviour = std::function<void(TlsPeer&)>;
  // Without a behaviour it answers each query by its own octets with QR set.
  explicit TlsServerBed(const Identity& identity, Behaviour behaviour = echo);
  ~TlsServerBed();
  TlsServerBed(const TlsServerBed&) = delete;
  TlsServerBed& operator=(const TlsServerBed&) = delete;

  uint16_t port() const { return port_; }
  int connections() const { return connections_; }
  static void echo(TlsPeer& peer);

 private:
  void accept_all();
  void serve(int fd, int number);

  std::unique_ptr<SSL_CTX, dns::SslFree> context_;
  Behaviour behaviour_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;  // guards fds_
  std::vector<int> fds_;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace postern::test
