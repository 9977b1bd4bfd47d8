// SPDX-License-Identifier: BSD-3-Clause
#include "control/apply/restart.h"

#include <algorithm>

namespace postern {
namespace {

using config::Interface;
using config::Model;

const Interface* find(const Model& model, const std::string& name) {
  auto found = std::find_if(model.interfaces.begin(), model.interfaces.end(),
                            [&](const Interface& i) { return i.name == name; });
  return found == model.interfaces.end() ? nullptr : &*found;
}

void compare(const Interface& running, const Interface& wanted, std::vector<std::string>& keys) {
  auto note = [&](bool differs, const char* key) {
    if (differs) keys.push_back("interfaces." + wanted.name + "." + key);
  };
  note(running.enabled != wanted.enabled, "enabled");
  note(!(running.port == wanted.port), "port");
  note(running.mac != wanted.mac, "mac");
  note(running.mtu != wanted.mtu, "mtu");
  note(running.host_device != wanted.host_device, "host_device");
}

}  // namespace

std::vector<std::string> restart_keys(const Model& running, const Model& wanted) {
  std::vector<std::string> keys;
  if (!(running.system.workers == wanted.system.workers)) keys.push_back("system.workers");
  if (!(running.system.memory == wanted.system.memory)) keys.push_back("system.memory");
  if (!(running.system.limits == wanted.system.limits)) keys.push_back("system.limits");
  if (running.system.eal_args != wanted.system.eal_args) keys.push_back("system.eal_args");
  for (const Interface& interface : wanted.interfaces) {
    const Interface* before = find(running, interface.name);
    if (before == nullptr) {
      keys.push_back("interfaces." + interface.name);
    } else {
      compare(*before, interface, keys);
    }
  }
  for (const Interface& interface : running.interfaces) {
    if (find(wanted, interface.name) == nullptr) keys.push_back("interfaces." + interface.name);
  }
  // Workers know interfaces by their place in the list.
  bool same_places =
      std::equal(running.interfaces.begin(), running.interfaces.end(), wanted.interfaces.begin(),
                 wanted.interfaces.end(),
                 [](const Interface& a, const Interface& b) { return a.name == b.name; });
  if (keys.empty() && !same_places) keys.push_back("interfaces (their order)");
  return keys;
}

}  // namespace postern
