// SPDX-License-Identifier: BSD-3-Clause
// Bed: a proxy on loopback with its loop on a thread of its own, an origin whose answers a test
// writes, and clients that wait for what they are to get. Time-outs of minutes come by
// pass_seconds(), not by waiting.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "services/http/proxy/proxy.h"
#include "services/http/store/store.h"
#include "services/io/watch.h"

namespace postern::http::test {

// One end of a connection; reads end after some seconds, so that a test fails and does not hang.
class Wire {
 public:
  explicit Wire(int fd) : fd_(fd) {}
  static Wire connect(uint16_t port);
  ~Wire();
  Wire(Wire&& other) noexcept;
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  bool send(std::string_view octets) const;
  // What comes, `count` octets at most; empty: the end, or nothing in time.
  std::string read(size_t count = 65536);
  // All up to the end of the connection.
  std::string read_to_end();
  // A head with the empty line, then `count` octets behind it.
  std::string read_head();
  std::string read_exactly(size_t count);
  // A whole response: head and body, by its length or chunks. `has_body`: false for HEAD.
  std::string read_response(bool has_body = true);
  // Whether the far side has ended the connection (waits for it).
  bool is_ended();
  void finish() const;  // sends no more
  void reset();         // ends it at once, with RST
  int fd() const { return fd_; }

 private:
  int fd_;
  std::string held_;
};

// What a test says of an origin: for each request its answer, in octets.
class Origin {
 public:
  // Returns false to end the connection. `number` counts requests from 0.
  using Handle = std::function<bool(Wire& wire, const std::string& head, int number)>;
  explicit Origin(Handle handle);
  ~Origin();
  uint16_t port() const { return port_; }
  int requests() const { return requests_; }
  int connections() const { return connections_; }
  std::string url(std::string_view path) const;

 private:
  void serve(int fd);
  Handle handle_;
  int listener_;
  uint16_t port_ = 0;
  std::atomic<int> requests_ = 0;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// Always the same answer.
Origin::Handle always(const std::string& answer);
std::string response(std::string_view fields, std::string_view body);

class Bed {
 public:
  struct Plan {
    ProxySettings settings;  // listeners and allowed addresses are filled in
    Seams seams;
    bool has_store = false;
  };
  Bed();
  explicit Bed(Plan plan);
  ~Bed();

  Wire client() const { return Wire::connect(port_); }
  uint16_t port() const { return port_; }
  std::string get(const std::string& url, std::string_view fields = {}) const;
  void on_loop(const std::function<void()>& task);
  void pass_seconds(int seconds);
  ProxyCounters counters();
  Proxy::Load load();
  // Until all that was put into the store is on the disk: only then a part is found by requests for
  // more than it.
  void wait_for_disk();
  // Until some of a body has come from an origin, and no more comes as nobody takes it.
  void wait_until_still();
  Proxy& proxy() { return *proxy_; }
  std::vector<std::string> log();

 private:
  void start(Plan plan);
  boost::asio::io_context loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      loop_.get_executor()};
  std::string path_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Proxy> proxy_;
  std::unique_ptr<io::Timer> timer_;
  std::vector<std::string> log_;
  uint16_t port_ = 0;
  std::thread thread_;
};

// A Bed with a store of 64 MiB.
Bed::Plan with_store();
// Letters without a period that a mistake could hide behind.
std::string pattern(size_t size);
// Waits until it holds, for ten seconds at most; whether it does.
bool until(const std::function<bool()>& holds);
constexpr const char* kFresh = "Cache-Control: max-age=600\r\n";

std::string request(std::string_view url, std::string_view fields = {});
bool has(std::string_view text, std::string_view part);
unsigned status_of(std::string_view response);
std::string body_of(const std::string& response);
// Empty: they are the same; else in what they are not, briefly.
std::string difference(std::string_view got, std::string_view wanted);

}  // namespace postern::http::test
