// SPDX-License-Identifier: BSD-3-Clause
#include "services/io/places.h"

#include <map>
#include <utility>

namespace postern::io {

struct Places::State {
  size_t all = 0;
  std::map<Ipv4Address, size_t> of_client;  // none is zero
};

Places::Place::Place(std::shared_ptr<State> state, Ipv4Address client)
    : state_(std::move(state)), client_(client) {
  ++state_->all;
  ++state_->of_client[client_];
}

Places::Place& Places::Place::operator=(Place&& other) noexcept {
  std::swap(state_, other.state_);
  std::swap(client_, other.client_);
  return *this;
}

Places::Place::~Place() {
  if (state_ == nullptr) return;
  --state_->all;
  if (--state_->of_client[client_] == 0) state_->of_client.erase(client_);
}

Places::Places(size_t all_max, size_t of_one_max)
    : all_max_(all_max), of_one_max_(of_one_max), state_(std::make_shared<State>()) {}

std::optional<Places::Place> Places::take(Ipv4Address client) {
  const auto known = state_->of_client.find(client);
  const size_t of_one = known == state_->of_client.end() ? 0 : known->second;
  if (state_->all >= all_max_ || of_one >= of_one_max_) {
    ++turned_away_;
    return std::nullopt;
  }
  return Place(state_, client);
}

size_t Places::taken() const {
  return state_->all;
}

}  // namespace postern::io
