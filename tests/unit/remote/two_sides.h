// SPDX-License-Identifier: BSD-3-Clause
// A client and a server of the remote administration with the wire between them in the test's hand.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "control/remote/channel/handshake.h"

namespace postern::test {

// What goes over the wire one way, and what the test does to it.
struct Way {
  remote::Buffer sent;                                     // as it was sent
  std::function<void(remote::Buffer&, size_t at)> change;  // of octets that begin at `at`
  remote::Buffer waiting;

  void carry(remote::Buffer& out) {
    remote::Buffer octets = std::move(out);
    out.clear();
    if (octets.empty()) return;
    const size_t at = sent.size();
    sent.insert(sent.end(), octets.begin(), octets.end());
    if (change) change(octets, at);
    waiting.insert(waiting.end(), octets.begin(), octets.end());
  }
  // Hands `side` what it wants; false when there is not enough of it.
  template <typename Side>
  bool deliver(Side& side, typename Side::Step& step) {
    const size_t wanted = side.wanted();
    if (wanted == 0 || waiting.size() < wanted) return false;
    const remote::Buffer octets(waiting.begin(),
                                waiting.begin() + static_cast<std::ptrdiff_t>(wanted));
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(wanted));
    step = side.take(octets);
    return true;
  }
};

// One session: log-in, one request, one response, the end. run() goes on as far as it gets.
struct TwoSides {
  remote::SigningKey server_key = remote::SigningKey::generate();
  remote::SigningKey admin_key = remote::SigningKey::generate();
  std::string name = "alice", password;  // with a password: logs in by it
  std::string request = "show rules", response = "no-trojan";
  remote::Verdict verdict = remote::Verdict::welcome;

  remote::ServerSide server{server_key};
  remote::ClientSide client;
  Way to_server, to_client;

  std::string heard_request, heard_response;
  remote::LogIn heard;
  bool is_known = false;  // the log-in is that of `name`
  bool is_server_broken = false, is_client_broken = false;
  bool has_server_ended = false, has_client_ended = false;

  void run() {
    while (step_server() || step_client()) {
    }
  }
  bool is_broken() const { return is_server_broken || is_client_broken; }
  bool is_whole() const {
    return heard_request == request && heard_response == response && has_server_ended &&
           has_client_ended;
  }

  bool step_server() {
    to_server.carry(client.out());
    remote::ServerSide::Step step = {};
    if (!to_server.deliver(server, step)) return false;
    using Step = remote::ServerSide::Step;
    if (step == Step::broken) is_server_broken = true;
    if (step == Step::log_in) {
      heard = std::move(server.log_in());
      is_known = heard.name == name &&
                 (heard.method == remote::Method::key ? heard.key == admin_key.public_key()
                                                      : heard.password == password);
      server.decide(is_known ? verdict : remote::Verdict::denied);
    }
    if (step == Step::message) {
      heard_request = server.text();
      server.send(response, true);
    }
    if (step == Step::ended) has_server_ended = true;
    to_client.carry(server.out());
    return true;
  }

  bool step_client() {
    to_client.carry(server.out());
    remote::ClientSide::Step step = {};
    if (!to_client.deliver(client, step)) return false;
    using Step = remote::ClientSide::Step;
    if (step == Step::broken) is_client_broken = true;
    if (step == Step::hello) {
      password.empty() ? client.log_in(admin_key, name) : client.log_in(name, password);
    }
    if (step == Step::verdict && client.verdict() == remote::Verdict::welcome) client.send(request);
    if (step == Step::message) {
      heard_response = client.text();
      client.send_end();
    }
    if (step == Step::ended) has_client_ended = true;
    return true;
  }
};

}  // namespace postern::test
