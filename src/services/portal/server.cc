// SPDX-License-Identifier: BSD-3-Clause
#include "services/portal/server.h"

#include <openssl/crypto.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstring>
#include <map>
#include <utility>

namespace postern::portal {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorOfAsio = boost::system::error_code;

constexpr int kBacklog = 64;
constexpr size_t kReadBytes = 4096;

Error failed(const ListenAddress& at, const char* what) {
  return {ErrorCode::failed, to_text(at.address) + " port " + std::to_string(at.port) + ": " +
                                 what + ": " + std::strerror(errno)};
}

// The address need not be there yet.
Result<int> open_listener(const ListenAddress& at) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed(at, "socket");
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
  const tcp::endpoint local(asio::ip::address_v4(at.address.number), at.port);
  const char* wrong = nullptr;
  if (!at.device.empty() && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, at.device.data(),
                                       static_cast<socklen_t>(at.device.size())) != 0) {
    wrong = "bind to device";
  } else if (bind(fd, local.data(), static_cast<socklen_t>(local.size())) != 0) {
    wrong = "bind";
  } else if (::listen(fd, kBacklog) != 0) {
    wrong = "listen";
  }
  if (wrong == nullptr) return fd;
  Error error = failed(at, wrong);
  close(fd);
  return error;
}

}  // namespace

struct Server::State : std::enable_shared_from_this<Server::State> {
  struct Listener {
    ListenAddress at;
    tcp::acceptor acceptor;
    bool is_waiting = false;
  };
  struct Connection;

  State(asio::io_context& with, Handle call, Admit ask)
      : context(with), handle(std::move(call)), admit(std::move(ask)) {}

  void accept(const std::shared_ptr<Listener>& listener);
  void add(tcp::socket socket);

  asio::io_context& context;
  Handle handle;
  Admit admit;
  std::shared_ptr<asio::ssl::context> tls;
  std::vector<std::shared_ptr<Listener>> listeners;
  std::map<Ipv4Address, size_t> of_client;
  std::map<Connection*, std::weak_ptr<Connection>> connections;
  bool is_over = false;
  ServerCounters counters;
};

// Lives as long as something of it is under way: each step holds it.
struct Server::State::Connection : std::enable_shared_from_this<Connection> {
  Connection(std::shared_ptr<State> with, tcp::socket socket, Ipv4Address client)
      : state(std::move(with)),
        tls(state->tls),
        stream(std::move(socket), *tls),
        timer(state->context),
        from(client) {
    ++state->of_client[from];
  }
  ~Connection() {
    if (--state->of_client[from] == 0) state->of_client.erase(from);
    state->connections.erase(this);
    OPENSSL_cleanse(in.data(), in.size());  // a form may hold a password
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void begin();
  void read();
  void answer(const Response& response, bool is_head);
  void finish();
  void close();
  void give(Duration time);

  std::shared_ptr<State> state;
  std::shared_ptr<asio::ssl::context> tls;
  asio::ssl::stream<tcp::socket> stream;
  asio::steady_timer timer;
  Ipv4Address from;
  RequestReader reader;
  std::array<char, kReadBytes> in = {};
  std::string out;
};

void Server::State::Connection::close() {
  ErrorOfAsio ignored;
  timer.cancel();
  stream.lowest_layer().close(ignored);
}

// For what comes next; then it is over.
void Server::State::Connection::give(Duration time) {
  timer.expires_after(std::chrono::nanoseconds(time.ns));
  timer.async_wait([self = weak_from_this()](const ErrorOfAsio& error) {
    auto connection = self.lock();
    if (error || !connection) return;
    // The next step may have begun when this was on its way already.
    if (connection->timer.expiry() > std::chrono::steady_clock::now()) return;
    ++connection->state->counters.too_slow;
    connection->close();
  });
}

void Server::State::Connection::begin() {
  give(kPatience);
  stream.async_handshake(asio::ssl::stream_base::server,
                         [self = shared_from_this()](const ErrorOfAsio& error) {
                           if (error) return self->close();
                           self->read();
                         });
}

void Server::State::Connection::read() {
  stream.async_read_some(
      asio::buffer(in), [self = shared_from_this()](const ErrorOfAsio& error, size_t count) {
        if (error || self->state->is_over) return self->close();
        switch (self->reader.feed({self->in.data(), count})) {
          case RequestReader::State::more:
            return self->read();
          case RequestReader::State::refused: {
            ++self->state->counters.malformed;
            Response response;
            response.status = self->reader.status();
            return self->answer(response, false);
          }
          case RequestReader::State::done:
            break;
        }
        self->give(kVerdictMax);
        const bool is_head = self->reader.request().method == "HEAD";
        auto then = [self, is_head](const Response& response) { self->answer(response, is_head); };
        self->state->handle(self->reader.request(), self->from, then);
      });
}

void Server::State::Connection::answer(const Response& response, bool is_head) {
  if (!stream.lowest_layer().is_open()) return;
  out = encode(response, is_head);
  give(kPatience);
  asio::async_write(stream, asio::buffer(out),
                    [self = shared_from_this()](const ErrorOfAsio& error, size_t) {
                      if (error) return self->close();
                      self->finish();
                    });
}

void Server::State::Connection::finish() {
  stream.async_shutdown([self = shared_from_this()](const ErrorOfAsio&) { self->close(); });
}

void Server::State::accept(const std::shared_ptr<Listener>& listener) {
  listener->is_waiting = true;
  listener->acceptor.async_accept(
      [self = weak_from_this(), listener](const ErrorOfAsio& error, tcp::socket socket) {
        auto state = self.lock();
        listener->is_waiting = false;
        if (!state || !listener->acceptor.is_open()) return;
        // Without a descriptor the next tick() goes on.
        const bool is_gone = error == asio::error::connection_aborted;
        if (error && !is_gone) return;
        if (!error) state->add(std::move(socket));
        state->accept(listener);
      });
}

void Server::State::add(tcp::socket socket) {
  ErrorOfAsio error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error || !peer.address().is_v4() || tls == nullptr) return;
  const Ipv4Address from(peer.address().to_v4().to_uint());
  const auto known = of_client.find(from);
  if (connections.size() >= kConnectionsMax ||
      (known != of_client.end() && known->second >= kPerClientMax)) {
    ++counters.turned_away;
    return;
  }
  if (!admit(from)) {
    ++counters.too_often;
    return;
  }
  ++counters.connections;
  auto connection = std::make_shared<Connection>(shared_from_this(), std::move(socket), from);
  connections[connection.get()] = connection;
  connection->begin();
}

Server::Server(asio::io_context& context, Handle handle, Admit admit)
    : state_(std::make_shared<State>(context, std::move(handle), std::move(admit))) {}

Server::~Server() {
  state_->is_over = true;
  state_->handle = [](const Request&, Ipv4Address, const Answer&) {};
  state_->admit = [](Ipv4Address) { return false; };
  ErrorOfAsio ignored;
  for (const auto& listener : state_->listeners)
    listener->acceptor.close(ignored);
  const auto open = state_->connections;
  for (const auto& [key, connection] : open) {
    if (auto held = connection.lock()) held->close();
  }
}

Result<void> Server::set_certificate(const CertificateText& text) {
  ErrorOfAsio error;
  auto tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv3 |
                   asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
  SSL_CTX* native = tls->native_handle();
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                                  SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  tls->use_certificate_chain(asio::buffer(text.certificate), error);
  if (!error) tls->use_private_key(asio::buffer(text.key), asio::ssl::context::pem, error);
  if (error || SSL_CTX_check_private_key(native) != 1) {
    return Error{ErrorCode::invalid, "the certificate cannot be used: " + error.message()};
  }
  state_->tls = std::move(tls);
  return {};
}

void Server::close_others(const std::vector<ListenAddress>& addresses) {
  ErrorOfAsio ignored;
  auto is_wanted = [&](const std::shared_ptr<State::Listener>& listener) {
    return std::find(addresses.begin(), addresses.end(), listener->at) != addresses.end();
  };
  for (const auto& listener : state_->listeners) {
    if (!is_wanted(listener)) listener->acceptor.close(ignored);
  }
  std::erase_if(state_->listeners, [&](const auto& listener) { return !is_wanted(listener); });
}

Result<void> Server::listen(const std::vector<ListenAddress>& addresses) {
  close_others(addresses);
  Result<void> outcome;
  for (const ListenAddress& at : addresses) {
    const bool is_open = std::any_of(state_->listeners.begin(), state_->listeners.end(),
                                     [&](const auto& listener) { return listener->at == at; });
    if (is_open) continue;
    auto fd = open_listener(at);
    if (!fd) {
      if (outcome) outcome = fd.error();
      continue;
    }
    auto listener = std::make_shared<State::Listener>(
        State::Listener{at, tcp::acceptor(state_->context), false});
    ErrorOfAsio error;
    listener->acceptor.assign(tcp::v4(), *fd, error);
    if (error) {
      close(*fd);
      outcome = Error{ErrorCode::failed, error.message()};
      continue;
    }
    state_->listeners.push_back(listener);
    state_->accept(listener);
  }
  return outcome;
}

void Server::tick() {
  for (const auto& listener : state_->listeners) {
    if (!listener->is_waiting) state_->accept(listener);
  }
}

std::vector<ListenAddress> Server::listening() const {
  std::vector<ListenAddress> addresses;
  addresses.reserve(state_->listeners.size());
  for (const auto& listener : state_->listeners)
    addresses.push_back(listener->at);
  return addresses;
}

size_t Server::connections() const {
  return state_->connections.size();
}

const ServerCounters& Server::counters() const {
  return state_->counters;
}

}  // namespace postern::portal
