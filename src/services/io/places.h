// SPDX-License-Identifier: BSD-3-Clause
// Places: how many connections a service has at once, in all and of one client, so that no client
// takes what is for the others.
//
// Each connection keeps its Place as long as it lives; the place goes back with it. A Place may
// outlive its Places. Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/address.h"

namespace postern::io {

class Places {
  struct State;

 public:
  class Place {
   public:
    Place(Place&&) noexcept = default;
    Place& operator=(Place&& other) noexcept;  // what it had goes with `other`
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place();

   private:
    friend class Places;
    Place(std::shared_ptr<State> state, Ipv4Address client);
    std::shared_ptr<State> state_;  // nullptr: moved from
    Ipv4Address client_;
  };

  Places(size_t all_max, size_t of_one_max);

  // For who comes from now on; who is in stays, and counts.
  void set_limits(size_t all_max, size_t of_one_max) {
    all_max_ = all_max;
    of_one_max_ = of_one_max;
  }

  // Nothing when there is none left, in all or for this client: the client is to be turned away.
  std::optional<Place> take(Ipv4Address client);
  size_t taken() const;
  // How often there was none.
  uint64_t turned_away() const { return turned_away_; }

 private:
  size_t all_max_;
  size_t of_one_max_;
  uint64_t turned_away_ = 0;
  std::shared_ptr<State> state_;  // shared with the places that are taken
};

}  // namespace postern::io
