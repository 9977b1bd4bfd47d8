// SPDX-License-Identifier: BSD-3-Clause
#include "unit/http/proxy/bed.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <future>
#include <utility>

namespace postern::http::test {
namespace {

constexpr int kPatienceMs = 5000;

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

std::string field_of(std::string_view head, std::string_view name) {
  std::string lower;
  for (const char letter : head)
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  const size_t at = lower.find("\r\n" + std::string(name) + ":");
  if (at == std::string::npos) return {};
  const size_t from = at + 2 + name.size() + 1;
  std::string value = lower.substr(from, lower.find("\r\n", from) - from);
  return value.substr(std::min(value.find_first_not_of(' '), value.size()));
}

}  // namespace

Wire Wire::connect(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in to = loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error("connect");
  return Wire(fd);
}

Wire::~Wire() {
  if (fd_ >= 0) close(fd_);
}

Wire::Wire(Wire&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), held_(std::move(other.held_)) {}

bool Wire::send(std::string_view octets) const {
  while (!octets.empty()) {
    const ssize_t sent = ::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    octets.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string Wire::read(size_t count) {
  if (!held_.empty()) {
    std::string taken = held_.substr(0, count);
    held_.erase(0, taken.size());
    return taken;
  }
  pollfd ready = {fd_, POLLIN, 0};
  if (poll(&ready, 1, kPatienceMs) <= 0) return {};
  std::string octets(count, '\0');
  const ssize_t got = recv(fd_, octets.data(), octets.size(), 0);
  octets.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return octets;
}

std::string Wire::read_to_end() {
  std::string all;
  for (std::string piece = read(); !piece.empty(); piece = read())
    all += piece;
  return all;
}

std::string Wire::read_head() {
  std::string all;
  for (;;) {
    const size_t end = all.find("\r\n\r\n");
    if (end != std::string::npos) {
      held_ = all.substr(end + 4) + held_;
      return all.substr(0, end + 4);
    }
    const std::string piece = read();
    if (piece.empty()) return {};
    all += piece;
  }
}

std::string Wire::read_exactly(size_t count) {
  std::string all;
  while (all.size() < count) {
    const std::string piece = read(count - all.size());
    if (piece.empty()) break;
    all += piece;
  }
  return all;
}

std::string Wire::read_response(bool has_body) {
  std::string all = read_head();
  if (all.empty() || !has_body) return all;
  const std::string length = field_of(all, "content-length");
  const unsigned status = status_of(all);
  if (status < 200 || status == 204 || status == 304) return all;
  if (!length.empty()) {
    const std::string body = read_exactly(std::stoul(length));
    return all + body + (body.size() == std::stoul(length) ? "" : "<cut>");
  }
  if (field_of(all, "transfer-encoding") != "chunked") return all + read_to_end();
  for (;;) {
    std::string line;
    while (line.size() < 2 || line.substr(line.size() - 2) != "\r\n") {
      const std::string octet = read(1);
      if (octet.empty()) return all + "<cut>";
      line += octet;
    }
    const size_t size = std::stoul(line, nullptr, 16);
    all += read_exactly(size);
    if (size != 0) {
      read_exactly(2);
      continue;
    }
    for (std::string end; end != "\r\n";) {
      end.clear();
      while (end.size() < 2 || end.substr(end.size() - 2) != "\r\n") {
        const std::string octet = read(1);
        if (octet.empty()) return all + "<cut>";
        end += octet;
      }
      if (end != "\r\n") all += "<trailer " + end.substr(0, end.size() - 2) + ">";
    }
    return all;
  }
}

bool Wire::is_ended() {
  if (!held_.empty()) return false;
  pollfd ready = {fd_, POLLIN, 0};
  char octet = 0;
  return poll(&ready, 1, kPatienceMs) > 0 && recv(fd_, &octet, 1, 0) <= 0;
}

void Wire::finish() const {
  shutdown(fd_, SHUT_WR);
}

void Wire::reset() {
  const linger hard = {1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close(std::exchange(fd_, -1));
}

Origin::Origin(Handle handle)
    : handle_(std::move(handle)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in at = loopback(0);
  socklen_t size = sizeof at;
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 ||
      listen(listener_, 128) != 0)
    throw std::runtime_error("listen");
  getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
  port_ = ntohs(at.sin_port);
  acceptor_ = std::thread([this] {
    for (;;) {
      const int fd = accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      ++connections_;
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd] { serve(fd); });
    }
  });
}

Origin::~Origin() {
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_)
      shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : threads_)
    thread.join();
  close(listener_);
}

void Origin::serve(int fd) {
  Wire wire(fd);
  for (;;) {
    const std::string head = wire.read_head();
    if (head.empty()) break;
    if (!handle_(wire, head, requests_++)) break;
  }
  const std::lock_guard lock(mutex_);
  std::erase(open_, fd);
}

std::string Origin::url(std::string_view path) const {
  return fmt::format("http://127.0.0.1:{}{}", port_, path);
}

Origin::Handle always(const std::string& answer) {
  return [answer](Wire& wire, const std::string&, int) { return wire.send(answer); };
}

std::string response(std::string_view fields, std::string_view body) {
  return fmt::format("HTTP/1.1 200 OK\r\n{}Content-Length: {}\r\n\r\n{}", fields, body.size(),
                     body);
}

Bed::Plan with_store() {
  Bed::Plan plan;
  plan.has_store = true;
  return plan;
}

std::string pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return text;
}

bool until(const std::function<bool()>& holds) {
  for (int i = 0; i < 2000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return holds();
}

std::string request(std::string_view url, std::string_view fields) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\n{}\r\n", url, fields);
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

unsigned status_of(std::string_view response) {
  return response.size() < 12
             ? 0
             : static_cast<unsigned>(std::stoul(std::string(response.substr(9, 3))));
}

std::string body_of(const std::string& response) {
  const size_t end = response.find("\r\n\r\n");
  return end == std::string::npos ? std::string() : response.substr(end + 4);
}

std::string difference(std::string_view got, std::string_view wanted) {
  if (got == wanted) return {};
  const auto at = std::mismatch(got.begin(), got.end(), wanted.begin(), wanted.end()).first;
  return fmt::format("{} octets, not {}; differs at {}", got.size(), wanted.size(),
                     at - got.begin());
}

Bed::Bed() {
  start(Plan());
}

Bed::Bed(Plan plan) {
  start(std::move(plan));
}

void Bed::start(Plan plan) {
  if (plan.has_store) {
    char name[] = "/tmp/postern_http_XXXXXX";
    close(mkstemp(name));
    path_ = name;
    unlink(name);
    StoreOptions options;
    options.path = path_;
    options.octets = uint64_t{64} << 20;
    options.post = [this](std::function<void()> task) {
      boost::asio::post(loop_, std::move(task));
    };
    Result<std::unique_ptr<Store>> opened = Store::open(std::move(options));
    if (!opened) throw std::runtime_error(opened.error().text);
    store_ = std::move(*opened);
  }
  ProxyListener at;
  at.address = Ipv4Address(127, 0, 0, 1);
  at.port = 0;
  at.is_transparent = plan.seams.original_destination != nullptr;
  plan.settings.listeners = {at};
  plan.settings.destinations.allowed.push_back(
      {Ipv4Address(127, 0, 0, 1), Ipv4Address(127, 0, 0, 1)});
  plan.seams.log = [this](const LogRecord& record) {
    log_.push_back(fmt::format("{} {} {} {} {} {}", record.method, record.status, record.bytes,
                               to_text(record.result), record.is_complete ? "whole" : "cut",
                               record.detail) +
                   (record.rule ? fmt::format(" rule {}", *record.rule) : ""));
  };
  proxy_ =
      std::make_unique<Proxy>(loop_, std::move(plan.settings), std::move(plan.seams), store_.get());
  const Result<void> listening = proxy_->listen();
  if (!listening) throw std::runtime_error(listening.error().text);
  port_ = proxy_->ports().front();
  timer_ = std::make_unique<io::Timer>(loop_);
  timer_->start(seconds(1), [this] { proxy_->tick(); });
  thread_ = std::thread([this] { loop_.run(); });
}

Bed::~Bed() {
  on_loop([this] {
    timer_.reset();
    proxy_.reset();
    store_.reset();
    loop_.stop();
  });
  thread_.join();
  if (!path_.empty()) unlink(path_.c_str());
}

void Bed::on_loop(const std::function<void()>& task) {
  std::promise<void> done;
  boost::asio::post(loop_, [&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

void Bed::pass_seconds(int seconds) {
  on_loop([&] {
    for (int i = 0; i < seconds; ++i)
      proxy_->tick();
  });
}

ProxyCounters Bed::counters() {
  ProxyCounters counters;
  on_loop([&] { counters = proxy_->counters(); });
  return counters;
}

Proxy::Load Bed::load() {
  Proxy::Load load;
  on_loop([&] { load = proxy_->load(); });
  return load;
}

void Bed::wait_for_disk() {
  CHECK(until([this] {
    uint64_t fills = 0;
    on_loop([&] { fills = store_->counters().fills; });
    return fills == 0;
  }));
}

void Bed::wait_until_still() {
  uint64_t octets = 0;
  CHECK(until([&] {
    const uint64_t before = std::exchange(octets, counters().bytes_from_upstream);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return octets != 0 && before == octets;
  }));
}

std::vector<std::string> Bed::log() {
  std::vector<std::string> log;
  on_loop([&] { log = log_; });
  return log;
}

std::string Bed::get(const std::string& url, std::string_view fields) const {
  Wire wire = client();
  wire.send(request(url, fields));
  return wire.read_response();
}

}  // namespace postern::http::test
