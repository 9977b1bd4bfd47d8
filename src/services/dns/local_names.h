// SPDX-License-Identifier: BSD-3-Clause
// LocalNames: the names of hosts that this gateway knows itself, forward and reverse.
//
// Two layers: fixed ones (configuration and hosts files, replaced as a whole) and leases (one by
// one, the moment they exist). A fixed name or address hides a lease of the same, so that no
// client can take the name of a server by asking for it; of two leases the later has the name. A
// name without a dot is known alone and below the local domain; its reverse name is the long one.
//
// Bounds: kFixedNamesMax names, as many leases as are set (the DHCP server bounds them).
// Thread: control.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "services/dns/name.h"
#include "services/io/keyed_hash.h"

namespace postern::dns {

constexpr size_t kFixedNamesMax = 200'000;

// A line of a hosts file, or a record of the configuration.
struct HostName {
  Ipv4Address address;
  Name name;
  bool is_first = true;  // on its line: the one that the address is called
};

// Lines "ADDRESS NAME..." with # comments; IPv6 addresses and names that are none are passed over
// and counted.
struct HostsText {
  std::vector<HostName> names;
  size_t skipped = 0;
};
HostsText parse_hosts(std::string_view text);

// Looks up without a copy of the key; clients choose names.
struct KeyEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return a == b; }
};
template <typename T>
using KeyMap = std::unordered_map<std::string, T, io::KeyedHash, KeyEqual>;

class LocalNames {
 public:
  // Replaces the fixed layer; `domain` (the root for none) is put behind short names of both.
  void set_fixed(const std::vector<HostName>& names, const Name& domain);
  // A lease of `address` by a host that calls itself `label`, or has no name worth keeping. False:
  // the address is known, but not by this name (fixed, or not for clients to have).
  bool set_lease(Ipv4Address address, std::string_view label);
  void erase_lease(Ipv4Address address);

  // Addresses of a name in lower case; empty when it is unknown.
  std::span<const Ipv4Address> find(const Name& name) const;
  // The name of an address; nullptr when it has none.
  const Name* find(Ipv4Address address) const;

  size_t leases() const { return labels_.size(); }

 private:
  struct Layer {
    KeyMap<std::vector<Ipv4Address>> names;
    std::unordered_map<uint32_t, Name> addresses;
    void add(const Name& name, Ipv4Address address);
    void remove(const Name& name, Ipv4Address address);
  };
  void add_lease(Ipv4Address address, const Name& name);
  Name long_form(const Name& name) const;

  Name domain_;
  Layer fixed_;
  Layer leases_;
  std::unordered_map<uint32_t, Name> labels_;  // leases with a name: address -> one label
  KeyMap<uint32_t> holders_;                   // that label -> address
};

}  // namespace postern::dns
