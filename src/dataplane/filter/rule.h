// SPDX-License-Identifier: BSD-3-Clause
// Rule: one compiled line of the ordered filter as plain data, names kept beside for people.
// Layering: filter and nat do not know each other; what both match on is in packet/match.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/packet/match.h"

namespace postern {

enum class Action : uint8_t { permit, drop, deny, next };         // F20, F29
enum class TcpQualifier : uint8_t { any, opening, established };  // F19
enum class Scope : uint8_t { all, forwarded, own };               // F37

struct Rule {
  std::string name;         // unique; "guard/windows-sharing/wan", "port-map/mail" for those added
  std::string description;  // F36
  uint32_t line = 0;        // in the configuration; 0: added by the compiler
  InterfaceSet in = kAnyInterface, out = kAnyInterface;
  AddressSet from, to, to_original;
  std::vector<ServiceSpec> services;    // empty: any
  UserSet users;                        // at the source address
  std::vector<std::string> user_names;  // of `users`, as listed
  TcpQualifier tcp = TcpQualifier::any;
  Scope scope = Scope::all;
  Action action = Action::drop;
  bool mapped_only = false;  // only what came by a configured mapping (permits of port maps)
  bool log = false;          // matches are told to the logging thread
  bool alert = false;        // which raises an alert (F28)
  bool is_listed = true;     // and has a line for each in the security log
  bool emergency = false;    // in force in posture cut_off
  bool enabled = true;  // disabled by the user, or outside its times: kept in place, never matches
};

const char* to_word(Action action);

}  // namespace postern
