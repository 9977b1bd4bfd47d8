// SPDX-License-Identifier: BSD-3-Clause
// What the tests of control share: a small configuration and a directory of its own.
#pragma once

#include <string>

#include "support/temporary_directory.h"

namespace postern::test {

// Two interfaces; `rules` are lines of the list below filter.rules.
inline std::string configuration(const std::string& rules, const std::string& more = "") {
  return "version: 1\n"
         "interfaces:\n"
         "  wan: { port: kernel:enp1s0, zone: external, address: 203.0.113.2/24 }\n"
         "  lan: { port: kernel:enp2s0, zone: internal, address: 192.168.1.1/24 }\n"
         "routes:\n"
         "  - { to: default, via: 203.0.113.1 }\n" +
         more +
         "filter:\n"
         "  rules:\n" +
         rules;
}

}  // namespace postern::test
