// SPDX-License-Identifier: BSD-3-Clause
// UserPlaces: the few places of something that several users of the gateway share, dealt out so
// that no user but root can take them all, nor all of these together. Pure; thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace postern {

// Whether `uid` may do what it likes with what belongs to `owner`. The user that we run as counts
// as root.
bool is_master_of(uint32_t uid, uint32_t owner);

struct UserPlaces {
  size_t all = 0;     // places
  size_t others = 0;  // for all users but root together: the rest is root's alone
  size_t each = 0;    // for one of them

  // Whether `uid` gets one more while `holders` have theirs, one entry a place. The user that we
  // run as counts as root.
  bool has_place(uint32_t uid, std::span<const uint32_t> holders) const;
};

}  // namespace postern
