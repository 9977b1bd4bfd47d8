// SPDX-License-Identifier: BSD-3-Clause
// PrincipalIds: a number for each name of a user or a group, where something is kept by number.
// Users and groups share the numbers, not the names.
//
// A number is never given to another name as long as the process lives. Bounded: kPrincipalsMax
// names; further ones get kNoPrincipal, which nobody is. Thread: control.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace postern::accounts {

using PrincipalId = uint16_t;
constexpr PrincipalId kNoPrincipal = 0;
constexpr size_t kPrincipalsMax = 65'535;  // what the number holds: four times the accounts

class PrincipalIds {
 public:
  PrincipalId user(std::string_view name) { return number("u:" + std::string(name)); }
  PrincipalId group(std::string_view name) { return number("g:" + std::string(name)); }
  size_t size() const { return ids_.size(); }

 private:
  PrincipalId number(std::string key) {
    auto found = ids_.find(key);
    if (found != ids_.end()) return found->second;
    if (ids_.size() == kPrincipalsMax) return kNoPrincipal;
    auto id = static_cast<PrincipalId>(ids_.size() + 1);
    ids_.emplace(std::move(key), id);
    return id;
  }

  std::unordered_map<std::string, PrincipalId> ids_;
};

}  // namespace postern::accounts
