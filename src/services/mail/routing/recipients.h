// SPDX-License-Identifier: BSD-3-Clause
// Recipients: whether mail for an address is taken at all, and who gets it: users of this gateway,
// by their names, aliases and groups, or addresses elsewhere (F50, F53, C20).
//
// In this order: an alias for the whole address, an alias for its local part, a user, a group; the
// same without what stands behind '+'; then the catch-all. So a user who exists always comes before
// the catch-all, and nothing inside of a local part is ever taken for another address: "a%b@own"
// and "b!a@own" are names that nobody has.
//
// Pure; thread: any, once it is filled. Bounds: kTargetsMax targets of one message, aliases in
// aliases to any depth, each name once, so that loops end.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "services/mail/message/envelope.h"

namespace postern::mail {

constexpr size_t kTargetsMax = 10'000;

// Where a message goes in the end.
struct Target {
  std::string user;    // of the mailbox; empty: `address` is elsewhere
  Address address;     // the one elsewhere
  std::string folder;  // of the mailbox: "Lists/DPDK"; empty: its inbox
  friend auto operator<=>(const Target& a, const Target& b) {
    if (const auto order = a.user <=> b.user; order != 0) return order;
    if (const auto order = a.address.local <=> b.address.local; order != 0) return order;
    if (const auto order = a.address.domain <=> b.address.domain; order != 0) return order;
    return a.folder <=> b.folder;
  }
  friend bool operator==(const Target&, const Target&) = default;
};

// Names of users, aliases and groups are compared without regard to case; all here are lower case.
struct RecipientBook {
  std::string own_domain;                  // of names without a domain; one of `domains`
  std::set<std::string> domains;           // mail for them stays here
  std::vector<Ipv4Address> own_addresses;  // "joe@[192.0.2.1]"
  std::set<std::string> users;             // with a mailbox
  // "sales" or "sales@b.example" -> names of users, aliases, groups, or addresses anywhere.
  std::map<std::string, std::vector<std::string>> aliases;
  std::map<std::string, std::vector<std::string>> groups;  // -> users
  std::string catch_all;   // a name or an address; empty: who is not known is refused
  std::string postmaster;  // who gets what RFC 5321 section 4.5.1 does not let us refuse
  bool has_plus = true;    // "joe+lists" is "joe"
};

enum class Acceptance : uint8_t {
  local,         // somebody here gets it
  relay,         // it goes elsewhere, and this client may send it there
  unknown,       // nobody has that address here
  relay_denied,  // it would go elsewhere, and this client may not send it there
};

// Whether the domain, perhaps an address literal, is ours.
bool is_own(const RecipientBook& book, const Address& address);

// `may_relay`: the client is of a network that may, or has authenticated.
Acceptance acceptance_of(const RecipientBook& book, const Address& recipient, bool may_relay);

// Who gets a message for that address of ours, each once. An alias whose targets lead nowhere, or
// only to itself, gives nothing.
class Expansion {
 public:
  explicit Expansion(const RecipientBook& book) : book_(book) {}
  // One that ends with its first target: whether there is any.
  static Expansion of_one(const RecipientBook& book);

  // Adds those of a recipient of ours. False: nobody here has the address.
  bool add(const Address& recipient);
  // Adds those of a name or an address, as a target of an alias.
  bool add_target(std::string_view target);

  const std::set<Target>& targets() const { return targets_; }
  // Not all could be added: kTargetsMax.
  bool is_cut() const { return is_cut_; }

 private:
  bool add_local(const std::string& local, const std::string& domain);
  bool add_name(const std::string& name);
  bool add_all(const std::string& key, const std::vector<std::string>& names);
  bool put(Target target);

  const RecipientBook& book_;
  std::set<Target> targets_;
  enum class Visit : uint8_t { open, useful, useless };
  std::map<std::string, Visit> visits_;  // of aliases and groups, by their keys
  bool is_of_one_ = false;
  bool is_cut_ = false;
};

}  // namespace postern::mail
