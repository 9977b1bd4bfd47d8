// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/proxy.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "services/http/proxy/client_connection.h"
#include "services/http/proxy/core.h"
#include "services/http/proxy/exchange.h"
#include "services/http/proxy/listener.h"
#include "services/http/proxy/transfer.h"
#include "services/http/store/store.h"

namespace postern::http {

struct Proxy::State : Poller::Turns, ClientConnection::Owner {
  State(boost::asio::io_context& context, ProxySettings settings, Seams seams, Store* store)
      : core(context, std::move(settings), std::move(seams), *this) {
    core.store = store;
    if (store != nullptr)
      core.object_octets_max = static_cast<int64_t>(store->counters().octets / 2);
  }

  void begin_turn() override { core.clock.read(); }
  void end_turn() override { core.exchanges->end_turn(); }

  void take(int fd, const Peer& peer, const ProxyListener& at) {
    const auto known = per_client.find(peer.address.number);
    const size_t of_client = known == per_client.end() ? 0 : known->second;
    if (clients.size() >= core.settings.limits.connections ||
        of_client >= core.settings.limits.per_client) {
      ++core.counters.turned_away;
      close(fd);
      return;
    }
    auto client = std::make_unique<ClientConnection>(core, *this, fd, peer);
    if (at.is_transparent && !find_original(*client)) {
      if (of_client == 0) per_client.erase(peer.address.number);
      return;
    }
    if (!client->start()) {
      ++core.counters.turned_away;
      return;
    }
    ++core.counters.connections;
    ++per_client[peer.address.number];
    client->slot = clients.size();
    clients.push_back(std::move(client));
  }

  // False: nobody knows where it was going, or to us, and so it leads nowhere.
  bool find_original(ClientConnection& client) {
    if (core.seams.original_destination)
      client.set_original(core.seams.original_destination(client.fd(), client.peer()));
    if (client.is_transparent()) return true;
    ++core.counters.turned_away;
    const linger hard = {1, 0};
    setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    return false;
  }

  void on_client_gone(ClientConnection& connection) override {
    const auto found = per_client.find(connection.peer().address.number);
    if (--found->second == 0) per_client.erase(found);
    const size_t slot = connection.slot;
    std::unique_ptr<ClientConnection> gone = std::move(clients[slot]);
    if (slot + 1 != clients.size()) {
      clients[slot] = std::move(clients.back());
      clients[slot]->slot = slot;
    }
    clients.pop_back();
    Wheel::cancel(*gone);
    core.poller.bury(std::move(gone));
  }

  Core core;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::unique_ptr<ClientConnection>> clients;
  std::map<uint32_t, size_t> per_client;
};

Proxy::Proxy(boost::asio::io_context& context, ProxySettings settings, Seams seams, Store* store)
    : state_(std::make_unique<State>(context, std::move(settings), std::move(seams), store)) {}

Proxy::~Proxy() {
  state_->core.alive.reset();
  state_->listeners.clear();
  state_->clients.clear();
  state_->core.transfers->clear();
  state_->core.pool.clear();
  state_->core.poller.clean_up();
}

Result<void> Proxy::listen() {
  State& state = *state_;
  const std::vector<ProxyListener>& wanted = state.core.settings.listeners;
  std::erase_if(state.listeners, [&](const std::unique_ptr<Listener>& listener) {
    return std::find(wanted.begin(), wanted.end(), listener->at()) == wanted.end();
  });
  Result<void> result;
  std::vector<std::unique_ptr<Listener>> listeners;
  listeners.reserve(wanted.size());
  for (const ProxyListener& at : wanted) {
    const auto open = std::find_if(
        state.listeners.begin(), state.listeners.end(),
        [&](const std::unique_ptr<Listener>& other) { return other && other->at() == at; });
    if (open != state.listeners.end()) {
      listeners.push_back(std::move(*open));
      continue;
    }
    Result<std::unique_ptr<Listener>> opened = Listener::open(
        state.core.poller, at, [&state](int fd, const Peer& peer, const ProxyListener& where) {
          state.take(fd, peer, where);
        });
    if (opened) {
      listeners.push_back(std::move(*opened));
    } else if (result) {
      result = Error(opened.error());
    }
  }
  state.listeners = std::move(listeners);
  return result;
}

Result<void> Proxy::apply(ProxySettings settings) {
  Core& core = state_->core;
  core.settings = std::move(settings);
  core.pool.set_limits(core.settings.pool);
  // Kept connections were judged by other rules, or lead to another parent.
  core.pool.clear();
  core.request = std::make_unique<Request>(head_limits(core.settings.limits));
  return listen();
}

void Proxy::stop() {
  state_->listeners.clear();
  // Idle ones leave the list while it is walked.
  for (size_t i = state_->clients.size(); i-- > 0;)
    state_->clients[i]->stop_soon();
  state_->core.pool.clear();
  state_->core.poller.clean_up();
}

void Proxy::tick() {
  Core& core = state_->core;
  core.clock.read();
  core.wheel.tick();
  for (const std::unique_ptr<Listener>& listener : state_->listeners)
    listener->tick();
  core.exchanges->end_turn();
  core.poller.clean_up();
}

std::vector<uint16_t> Proxy::ports() const {
  std::vector<uint16_t> ports;
  ports.reserve(state_->listeners.size());
  for (const std::unique_ptr<Listener>& listener : state_->listeners)
    ports.push_back(listener->port());
  return ports;
}

bool Proxy::is_listening(bool transparently) const {
  const std::vector<ProxyListener>& wanted = state_->core.settings.listeners;
  return std::all_of(wanted.begin(), wanted.end(), [&](const ProxyListener& at) {
    return at.is_transparent != transparently ||
           std::any_of(state_->listeners.begin(), state_->listeners.end(),
                       [&at](const auto& listener) { return listener->at() == at; });
  });
}

const ProxyCounters& Proxy::counters() const {
  return state_->core.counters;
}

Proxy::Load Proxy::load() const {
  return Load{state_->clients.size(), state_->core.transfers->size(), state_->core.pool.size(),
              state_->per_client.size()};
}

}  // namespace postern::http
