// SPDX-License-Identifier: BSD-3-Clause
// Listening: which interfaces a service is heard on. One line a service in listening.cc; whoever
// checks the configuration, compiles the rules that let clients in, or opens the sockets asks here.
// Pure; thread: any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "control/config/model.h"

namespace postern::config {

struct Listening {
  enum class Unnamed : uint8_t {
    none,
    external,      // interfaces of zone external
    internal,      // of zone internal
    not_external,  // and of dmz
  };
  // Of the service; they are the model's and outlive this.
  std::span<const std::string> names;
  Unnamed unnamed;      // where it names none
  bool takes_external;  // when such an interface is named
};

Listening listening_of(const Dns& dns);
Listening listening_of(const Portal& portal);
Listening listening_of(const Http& http);
Listening listening_of(const Mail& mail);          // clients inside
Listening outside_listening_of(const Mail& mail);  // who brings mail for our domains
Listening listening_of(const Metrics& metrics);    // beside loopback
Listening listening_of(const AdminRemote& remote);

bool listens_on(const Listening& listening, std::string_view interface, Zone zone);
// Not on one that is disabled.
bool listens_on(const Listening& listening, const Interface& interface);

}  // namespace postern::config
