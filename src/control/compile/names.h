// SPDX-License-Identifier: BSD-3-Clause
// PolicyNames: what people call the parts of one generation of the policy. Log records carry the
// generation and an index; whoever formats them keeps the names of the generations still on the way
// and so prints the rule that really decided, also after a reload (C07). Immutable; thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/policy/policy.h"

namespace postern {

struct PolicyNames {
  struct Entry {
    std::string name;
    std::string description;
    uint32_t line = 0;   // in the configuration; 0: added by the compiler
    bool alert = false;  // of a filter rule, see Rule
    bool is_listed = true;
  };

  uint32_t generation = 0;
  std::vector<Entry> rules;  // by index in the ruleset
  // Source rules by index, then configured mappings; so LogRecord::rule counts in kind translation.
  std::vector<Entry> nat;
  std::vector<std::string> interfaces;  // by id

  // nullptr when the index is out of range.
  const Entry* find_rule(uint32_t index) const;
  const Entry* find_nat(uint32_t index) const;
  // "gateway" for the gateway itself, "-" for kNoInterface.
  const char* interface(InterfaceId id) const;
};

PolicyNames names_of(const Policy& policy);

}  // namespace postern
