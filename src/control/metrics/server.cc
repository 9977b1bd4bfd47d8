// SPDX-License-Identifier: BSD-3-Clause
#include "control/metrics/server.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <chrono>

namespace postern::metrics {
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr size_t kLingerMax = 65'536;  // bytes

using Page = std::shared_ptr<const std::string>;

std::chrono::nanoseconds of(Duration duration) {
  return std::chrono::nanoseconds(duration.ns);
}

// No descriptor, or no memory for one.
bool is_shortage(error_code error) {
  return error == asio::error::no_descriptors || error.value() == ENFILE ||
         error == asio::error::no_buffer_space || error == asio::error::no_memory;
}

class Connection;

}  // namespace

struct Server::State {
  State(Loop& loop, MakePage make, const Limits& of)
      : context(loop.context()), make_page(std::move(make)), limits(of) {}

  struct Listener {
    Listener(asio::io_context& context, dns::ListenAddress where)
        : at(std::move(where)), acceptor(context), pause(context) {}
    dns::ListenAddress at;
    tcp::acceptor acceptor;
    asio::steady_timer pause;
  };
  struct KeptPage {
    Page page;
    SteadyClock::time_point made;
  };

  asio::io_context& context;
  MakePage make_page;
  Limits limits;
  Settings settings;
  Counters counters;
  std::vector<std::shared_ptr<Listener>> listeners;
  std::vector<std::shared_ptr<Connection>> clients;
  std::array<KeptPage, 2> pages;  // by Format

  Result<void> open(const std::shared_ptr<State>& self, const dns::ListenAddress& at);
  void close_all_clients();
  void accept(const std::shared_ptr<State>& self, const std::shared_ptr<Listener>& by);
  void accept_later(const std::shared_ptr<State>& self, const std::shared_ptr<Listener>& by);
  void take(const Listener& by, tcp::socket socket);
  bool has_place(Ipv4Address address) const;
  void let_go(const Connection* client);
  Page page(Format format);
};

namespace {

// One client. Each pending operation holds it, and so does the server until it ends.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, Ipv4Address address, const Server::Limits& limits,
             Counters& counters)
      : address_(address),
        limits_(limits),
        counters_(counters),
        socket_(std::move(socket)),
        timer_(socket_.get_executor()) {}

  Ipv4Address address() const { return address_; }

  struct Calls {
    std::function<Page(Format)> page;
    std::function<void()> on_end;
  };
  void begin(Calls calls) {
    calls_ = std::move(calls);
    wait_for_request();
  }

  void close() {
    if (!socket_.is_open()) return;
    error_code ignored;
    timer_.cancel();
    socket_.close(ignored);
    // What it calls may end this object.
    auto on_end = std::move(calls_.on_end);
    calls_ = {};
    if (on_end) on_end();
  }

 private:
  // A client may keep its connection between two scrapes, but not a request half said.
  void wait_for_request() {
    if (!received_.empty()) return read_head();
    limit(limits_.idle);
    socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code error) {
      self->has_ended(error) ? self->close() : self->read_head();
    });
  }

  void read_head() {
    limit(limits_.head);
    auto into = asio::dynamic_buffer(received_, kHeadMax);
    asio::async_read_until(socket_, into, "\r\n\r\n",
                           [self = shared_from_this()](error_code error, size_t bytes) {
                             const bool is_long = error == asio::error::not_found;
                             if (self->has_ended(is_long ? error_code() : error)) {
                               return self->close();
                             }
                             self->answer(is_long ? kHeadMax + 1 : bytes);
                           });
  }

  void answer(size_t bytes) {
    const bool is_whole = bytes <= received_.size();
    request_ = {};
    request_.status = Status::head_too_large;
    if (is_whole) {
      request_ = read_request(std::string_view(received_).substr(0, bytes));
      received_.erase(0, bytes);
    }
    const bool is_ok = request_.status == Status::ok;
    ++(is_ok ? counters_.pages : counters_.bad_requests);
    body_ = is_ok ? calls_.page(request_.format)
                  : std::make_shared<const std::string>(std::string(explanation(request_.status)) +
                                                        "; GET /metrics\n");
    head_ = response_head(request_, body_->size());
    write();
  }

  void write() {
    limit(limits_.write);
    const size_t bytes = request_.wants_body ? body_->size() : 0;
    const std::array<asio::const_buffer, 2> parts = {asio::buffer(head_),
                                                     asio::buffer(body_->data(), bytes)};
    asio::async_write(socket_, parts, [self = shared_from_this()](error_code error, size_t) {
      self->body_.reset();
      if (self->has_ended(error)) return self->close();
      self->request_.keeps_open ? self->wait_for_request() : self->linger();
    });
  }

  // A close with bytes unread would reset the connection, and the answer with it: the client
  // closes first, or has said kLingerMax more.
  void linger() {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    received_.clear();
    read_rest(0);
  }

  void read_rest(size_t so_far) {
    socket_.async_read_some(asio::buffer(rest_),
                            [self = shared_from_this(), so_far](error_code error, size_t bytes) {
                              if (self->has_ended(error) || so_far + bytes > kLingerMax)
                                return self->close();
                              self->read_rest(so_far + bytes);
                            });
  }

  // A step may have succeeded just before close().
  bool has_ended(error_code error) const { return error || !socket_.is_open(); }

  // Closes the connection when the step that begins now takes longer than this.
  void limit(Duration longest) {
    timer_.expires_after(of(longest));
    timer_.async_wait([weak = weak_from_this()](error_code error) {
      auto self = weak.lock();
      if (!self || self->has_ended(error)) return;
      // The next step may have begun when this was on its way already.
      if (self->timer_.expiry() > SteadyClock::now()) return;
      ++self->counters_.timeouts;
      self->close();
    });
  }

  Ipv4Address address_;
  const Server::Limits& limits_;
  Counters& counters_;
  Calls calls_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  std::string received_;
  std::array<char, 1024> rest_;
  Request request_;
  std::string head_;
  Page body_;
};

}  // namespace

Result<void> Server::State::open(const std::shared_ptr<State>& self, const dns::ListenAddress& at) {
  auto fd = dns::open_listener(at, SOCK_STREAM);
  if (!fd) return std::move(fd).error();
  auto listener = std::make_shared<Listener>(context, at);
  error_code error;
  listener->acceptor.assign(tcp::v4(), *fd, error);
  if (error) {
    ::close(*fd);
    return Error{ErrorCode::failed, error.message()};
  }
  listeners.push_back(listener);
  accept(self, listener);
  return {};
}

void Server::State::close_all_clients() {
  for (const auto& client : std::vector(clients))
    client->close();
}

void Server::State::accept(const std::shared_ptr<State>& self,
                           const std::shared_ptr<Listener>& by) {
  by->acceptor.async_accept([self, by](error_code error, tcp::socket socket) {
    if (!by->acceptor.is_open()) return;
    if (is_shortage(error)) return self->accept_later(self, by);
    self->accept(self, by);
    if (!error) self->take(*by, std::move(socket));
  });
}

// At once it would fail again, without end.
void Server::State::accept_later(const std::shared_ptr<State>& self,
                                 const std::shared_ptr<Listener>& by) {
  by->pause.expires_after(of(kAcceptPause));
  by->pause.async_wait([self, by](error_code error) {
    if (!error && by->acceptor.is_open()) self->accept(self, by);
  });
}

void Server::State::take(const Listener& by, tcp::socket socket) {
  error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return;
  const Ipv4Address address(peer.address().to_v4().to_uint());
  const bool may_ask =
      by.at.address.is_loopback() ||
      std::any_of(settings.from.begin(), settings.from.end(),
                  [&](const AddressRange& range) { return range.contains(address); });
  const bool is_taken = may_ask && has_place(address);
  if (!may_ask) ++counters.refused_sources;
  if (may_ask && !is_taken) ++counters.refused_full;
  if (!is_taken) return;
  auto client = std::make_shared<Connection>(std::move(socket), address, limits, counters);
  clients.push_back(client);
  // The state outlives the connections: its end closes them.
  client->begin({[this](Format format) { return page(format); },
                 [this, which = client.get()] { let_go(which); }});
}

bool Server::State::has_place(Ipv4Address address) const {
  const auto of_one = std::count_if(clients.begin(), clients.end(), [&](const auto& client) {
    return client->address() == address;
  });
  return clients.size() < kClientsMax && static_cast<size_t>(of_one) < kClientsOfOneMax;
}

void Server::State::let_go(const Connection* client) {
  std::erase_if(clients, [&](const auto& one) { return one.get() == client; });
}

Page Server::State::page(Format format) {
  KeptPage& kept = pages.at(static_cast<size_t>(format));
  const auto now = SteadyClock::now();
  if (kept.page != nullptr && now - kept.made < of(kPageAge)) return kept.page;
  kept.page = std::make_shared<const std::string>(make_page(format));
  kept.made = now;
  counters.page_took = {std::chrono::nanoseconds(SteadyClock::now() - now).count()};
  return kept.page;
}

Server::Server(Loop& loop, MakePage make_page, Limits limits)
    : state_(std::make_shared<State>(loop, std::move(make_page), limits)) {}

Server::~Server() {
  const Result<void> ignored = apply({});
  state_->close_all_clients();
}

Result<void> Server::apply(const Settings& settings) {
  if (!(settings == state_->settings)) state_->close_all_clients();
  state_->settings = settings;
  std::erase_if(state_->listeners, [&](const auto& listener) {
    const bool is_wanted = std::find(settings.listen.begin(), settings.listen.end(),
                                     listener->at) != settings.listen.end();
    error_code ignored;
    if (!is_wanted) listener->acceptor.close(ignored);
    if (!is_wanted) listener->pause.cancel();
    return !is_wanted;
  });
  Result<void> outcome;
  for (const dns::ListenAddress& at : settings.listen) {
    const bool is_open = std::any_of(state_->listeners.begin(), state_->listeners.end(),
                                     [&](const auto& listener) { return listener->at == at; });
    if (is_open) continue;
    auto opened = state_->open(state_, at);
    if (!opened && outcome) outcome = std::move(opened);
  }
  return outcome;
}

const Counters& Server::counters() const {
  return state_->counters;
}

size_t Server::connections() const {
  return state_->clients.size();
}

}  // namespace postern::metrics
