// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/relay/relay.h"

#include <algorithm>
#include <utility>

#include "services/mail/relay/hops.h"
#include "services/mail/relay/route.h"

namespace postern::mail {

Relay::Relay(boost::asio::io_context& context, Seams seams, uint16_t mx_port)
    : state_(std::make_shared<State>(context, std::move(seams), mx_port)) {}

Relay::~Relay() = default;

void Relay::follow(const RelaySettings& settings, const std::string& host) {
  state_->follow(settings, host);
}

void Relay::tick() {
  state_->tick();
}

void Relay::try_again() {
  for (auto& [key, hop] : state_->hops)
    hop.paused_until = {};
}

std::string Relay::hop_of(const Address& sender, const Address& recipient) const {
  return find_hop(state_->settings, sender, recipient);
}

// As many as there may be connections: the next message is here when one of these is done, and no
// more texts and descriptors wait than that.
bool Relay::has_room(const std::string& hop) const {
  const auto found = state_->hops.find(hop);
  const size_t waiting = found == state_->hops.end() ? 0 : found->second.waiting.size();
  return waiting < std::clamp<size_t>(state_->settings.connections, 1, kWaitingMax);
}

void Relay::send(const std::string& hop, RelayJob job, const Then& then) {
  auto work = std::make_unique<RelayWork>();
  work->job = std::move(job);
  work->then = then;
  state_->add(hop, std::move(work));
}

bool Relay::may_go_now() const {
  const auto& times = state_->settings.times;
  if (times.empty() || !state_->seams.time_holds) return times.empty();
  return std::ranges::any_of(times, state_->seams.time_holds);
}

size_t Relay::connections() const {
  return state_->connections();
}

}  // namespace postern::mail
