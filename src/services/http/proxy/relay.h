// SPDX-License-Identifier: BSD-3-Clause
// Relay: one direction of a tunnel: octets as they come, from one socket to the other.
//
// Thread: control. Bounds: kReadMax octets that the far socket has not taken; while there are any,
// nothing is read. kRoundsMax reads in one go, so that a fast tunnel leaves the others their turn.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "services/http/proxy/core.h"

namespace postern::http {

class Relay {
 public:
  static constexpr int kRoundsMax = 8;
  enum class State : uint8_t {
    open,    // all is done that could be done now
    busy,    // there is more to do at once
    ended,   // the end came, and was passed on
    broken,  // one of the sockets failed
  };

  // Octets that were read before; they go first.
  void put(std::string_view octets) { pending_.append(octets); }
  // Keeps what comes to itself until release(): see held().
  void hold() { is_held_ = true; }
  void release() { is_held_ = false; }
  bool is_held() const { return is_held_; }
  const std::string& held() const { return pending_; }
  bool is_at_end() const { return is_at_end_; }

  State pump(int from, int to, std::vector<char>& scratch);
  uint64_t octets() const { return octets_; }

 private:
  bool flush(int to);

  std::string pending_;
  bool is_held_ = false;
  bool is_at_end_ = false;
  bool has_ended_ = false;
  bool is_broken_ = false;
  uint64_t octets_ = 0;  // that the far socket took
};

}  // namespace postern::http
