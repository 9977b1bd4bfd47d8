// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/generation_names.h"

namespace postern {

LoggedNames::LoggedNames(const Policy& policy) : names(names_of(policy)) {
  for (const PolicyInterface& interface : policy.interfaces)
    zones.push_back(interface.zone);
}

void GenerationNames::add(const Policy& policy) {
  auto fresh = std::make_shared<const LoggedNames>(policy);
  std::lock_guard lock(mutex_);
  generations_.push_back(std::move(fresh));
  if (generations_.size() > kGenerationsMax) generations_.pop_front();
}

std::shared_ptr<const LoggedNames> GenerationNames::find(uint32_t generation) const {
  std::lock_guard lock(mutex_);
  for (const auto& names : generations_) {
    if (names->names.generation == generation) return names;
  }
  return nullptr;
}

}  // namespace postern
