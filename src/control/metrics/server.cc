// SPDX-License-Identifier: BSD-3-Clause
#include "control/metrics/server.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <optional>
#include <utility>

#include "services/io/places.h"
#include "services/io/tcp_listener.h"
#include "services/io/tcp_socket.h"
#include "services/io/watch.h"

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

class Connection;

}  // namespace

struct Server::State {
  State(Loop& loop, MakePage make, const Limits& of)
      : context(loop.context()),
        listener(context, [this](const io::ListenAddress& at,
                                 const io::TcpListener::Arrival& arrival) { take(at, arrival); }),
        second(context),
        make_page(std::move(make)),
        limits(of) {
    second.start(seconds(1), [this] { listener.tick(); });
  }

  struct KeptPage {
    Page page;
    SteadyClock::time_point made;
  };

  asio::io_context& context;
  io::TcpListener listener;
  io::Timer second;
  io::Places places{kClientsMax, kClientsOfOneMax};
  MakePage make_page;
  Limits limits;
  Settings settings;
  Counters counters;
  std::vector<std::shared_ptr<Connection>> clients;
  std::array<KeptPage, 2> pages;  // by Format

  void close_all_clients();
  void take(const io::ListenAddress& at, const io::TcpListener::Arrival& arrival);
  bool may_ask(const io::ListenAddress& at, Ipv4Address from) const;
  void let_go(const Connection* client);
  Page page(Format format);
};

namespace {

// One client. Each pending operation holds it, and so does the server until it ends.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, io::Places::Place place, const Server::Limits& limits,
             Counters& counters)
      : place_(std::move(place)),
        limits_(limits),
        counters_(counters),
        socket_(std::move(socket)),
        timer_(socket_.get_executor()) {}

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
    place_.reset();
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

  std::optional<io::Places::Place> place_;  // until it is closed
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

void Server::State::close_all_clients() {
  for (const auto& client : std::vector(clients))
    client->close();
}

void Server::State::take(const io::ListenAddress& at, const io::TcpListener::Arrival& arrival) {
  auto socket = io::socket_of(context, arrival.fd);
  if (!socket) return;
  if (!may_ask(at, arrival.from)) {
    ++counters.refused_sources;
    return;
  }
  auto place = places.take(arrival.from);
  if (!place) return;
  auto client =
      std::make_shared<Connection>(std::move(*socket), std::move(*place), limits, counters);
  clients.push_back(client);
  // The state outlives the connections: its end closes them.
  client->begin({[this](Format format) { return page(format); },
                 [this, which = client.get()] { let_go(which); }});
}

bool Server::State::may_ask(const io::ListenAddress& at, Ipv4Address from) const {
  return at.address.is_loopback() ||
         std::any_of(settings.from.begin(), settings.from.end(),
                     [from](const AddressRange& range) { return range.contains(from); });
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
    : state_(std::make_unique<State>(loop, std::move(make_page), limits)) {}

Server::~Server() {
  const Result<void> ignored = apply({});
  state_->close_all_clients();
}

Result<void> Server::apply(const Settings& settings) {
  if (!(settings == state_->settings)) state_->close_all_clients();
  state_->settings = settings;
  return state_->listener.listen(settings.listen);
}

Counters Server::counters() const {
  Counters counters = state_->counters;
  counters.refused_full = state_->places.turned_away();
  return counters;
}

size_t Server::connections() const {
  return state_->clients.size();
}

}  // namespace postern::metrics
