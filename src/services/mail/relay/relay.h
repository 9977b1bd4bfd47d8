// SPDX-License-Identifier: BSD-3-Clause
// Relay: takes messages to other servers by SMTP (F49): to the relay hosts of the settings, to
// those of some senders, or to the hosts of the recipient's domain (RFC 5321 section 5.1).
//
//   send(hop, job) -> a connection that waits, else a new one, else the job waits
//
// A hop is a list of hosts: the next one is tried where one cannot be reached, greets with no, has
// the wrong certificate or refuses the password. What a host said to a message is never asked of
// another one. Connections are used for several messages and kept for a moment.
//
// Without an answer a message is put off, 4xx, never failed: so also where a host could not be
// found or our password is refused. Behind the end of the text the answer may be lost after the
// host has taken the message; then it goes again, as RFC 5321 section 4.5.3.2.6 wants it.
//
// Thread: control; commands that print tokens run on a thread of their own. Bounds:
// RelaySettings::connections to a hop, kConnectionsMax in all, kWaitingMax jobs that wait for one;
// a message goes in pieces of 64 KiB.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "services/mail/relay/next_hops.h"
#include "services/mail/relay/settings.h"
#include "services/mail/seams.h"

namespace boost::asio {
class io_context;
}

namespace postern::mail {

class Relay final : public NextHops {
 public:
  static constexpr size_t kConnectionsMax = 64;
  static constexpr size_t kWaitingMax = 1000;

  // `mx_port`: of the hosts of domains; another one than SMTP's is for tests.
  Relay(boost::asio::io_context& context, Seams seams, uint16_t mx_port = 25);
  ~Relay() override;  // what is under way is broken off; no `then` is called any more
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // `host`: our name, where the settings have no other one for HELO. What is under way goes on as
  // it began.
  void follow(const RelaySettings& settings, const std::string& host);
  // Once a second.
  void tick();
  // The network has changed, or an administrator wants it: hosts that could not be used a moment
  // ago are tried by the next message.
  void try_again();

  std::string hop_of(const Address& sender, const Address& recipient) const override;
  bool has_room(const std::string& hop) const override;
  void send(const std::string& hop, RelayJob job, const Then& then) override;
  bool may_go_now() const override;

  // Connections there are, those that wait for a further message included.
  size_t connections() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace postern::mail
