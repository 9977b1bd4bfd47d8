// SPDX-License-Identifier: BSD-3-Clause
// UserNames: the names behind the numbers of users, for the logging thread. Control notes who logs
// in, before the workers know of it; the logging thread looks up. A mutex guards the map, taken for
// records with a user alone. Bounded: kUserNamesMax; who is beyond that stays a number.
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>

#include "dataplane/packet/match.h"

namespace postern {

constexpr size_t kUserNamesMax = 16'384;  // as many as there may be accounts

class UserNames {
 public:
  // Thread: control.
  void note(SubjectId number, const std::string& name) {
    std::lock_guard lock(mutex_);
    if (names_.size() < kUserNamesMax) names_.emplace(number, name);
  }
  // Thread: any. Empty: not known.
  std::string find(SubjectId number) const {
    std::lock_guard lock(mutex_);
    auto found = names_.find(number);
    return found == names_.end() ? std::string() : found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<SubjectId, std::string> names_;
};

}  // namespace postern
