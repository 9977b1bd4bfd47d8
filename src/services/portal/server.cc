// SPDX-License-Identifier: BSD-3-Clause
#include "services/portal/server.h"

#include <openssl/crypto.h>

#include <array>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <map>
#include <utility>

#include "services/io/places.h"
#include "services/io/tcp_listener.h"
#include "services/io/tcp_socket.h"

namespace postern::portal {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorOfAsio = boost::system::error_code;

constexpr size_t kReadBytes = 4096;

}  // namespace

struct Server::State : std::enable_shared_from_this<Server::State> {
  struct Connection;

  State(asio::io_context& with, Handle call, Admit ask)
      : context(with),
        listener(with, [this](const io::ListenAddress&,
                              const io::TcpListener::Arrival& arrival) { add(arrival); }),
        handle(std::move(call)),
        admit(std::move(ask)) {}

  void add(const io::TcpListener::Arrival& arrival);

  asio::io_context& context;
  io::TcpListener listener;
  io::Places places{kConnectionsMax, kPerClientMax};
  Handle handle;
  Admit admit;
  std::shared_ptr<asio::ssl::context> tls;
  std::map<Connection*, std::weak_ptr<Connection>> connections;
  bool is_over = false;
  ServerCounters counters;
};

// Lives as long as something of it is under way: each step holds it.
struct Server::State::Connection : std::enable_shared_from_this<Connection> {
  Connection(std::shared_ptr<State> with, tcp::socket socket, Ipv4Address client,
             io::Places::Place kept)
      : state(std::move(with)),
        tls(state->tls),
        stream(std::move(socket), *tls),
        timer(state->context),
        from(client),
        place(std::move(kept)) {}
  ~Connection() {
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
  io::Places::Place place;
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

void Server::State::add(const io::TcpListener::Arrival& arrival) {
  auto socket = io::socket_of(context, arrival.fd);
  if (!socket || tls == nullptr) return;
  auto place = places.take(arrival.from);
  if (!place) return;
  if (!admit(arrival.from)) {
    ++counters.too_often;
    return;
  }
  ++counters.connections;
  auto connection = std::make_shared<Connection>(shared_from_this(), std::move(*socket),
                                                 arrival.from, std::move(*place));
  connections[connection.get()] = connection;
  connection->begin();
}

Server::Server(asio::io_context& context, Handle handle, Admit admit)
    : state_(std::make_shared<State>(context, std::move(handle), std::move(admit))) {}

Server::~Server() {
  state_->is_over = true;
  state_->handle = [](const Request&, Ipv4Address, const Answer&) {};
  state_->admit = [](Ipv4Address) { return false; };
  state_->listener.close_others({});
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

void Server::close_others(const std::vector<io::ListenAddress>& addresses) {
  state_->listener.close_others(addresses);
}

Result<void> Server::listen(const std::vector<io::ListenAddress>& addresses) {
  return state_->listener.listen(addresses);
}

void Server::tick() {
  state_->listener.tick();
}

std::vector<io::ListenAddress> Server::listening() const {
  return state_->listener.listening();
}

size_t Server::connections() const {
  return state_->connections.size();
}

ServerCounters Server::counters() const {
  ServerCounters counters = state_->counters;
  counters.turned_away = state_->places.turned_away();
  return counters;
}

}  // namespace postern::portal
