// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/routing/recipients.h"

#include <algorithm>
#include <utility>

#include "services/mail/message/address.h"

namespace postern::mail {
namespace {

constexpr std::string_view kPostmaster = "postmaster";

// Which other mailers once took for a route to somewhere else.
bool looks_like_route(std::string_view local) {
  return local.find_first_of("%!@:") != std::string_view::npos;
}

std::string without_plus(const std::string& local) {
  const size_t plus = local.find('+');
  return plus == 0 || plus == std::string::npos ? std::string() : local.substr(0, plus);
}

}  // namespace

bool is_own(const RecipientBook& book, const Address& address) {
  if (address.domain.empty() || book.domains.count(address.domain) != 0) return true;
  const auto literal = literal_ipv4(address.domain);
  return literal && std::find(book.own_addresses.begin(), book.own_addresses.end(), *literal) !=
                        book.own_addresses.end();
}

Acceptance acceptance_of(const RecipientBook& book, const Address& recipient, bool may_relay) {
  if (!is_own(book, recipient)) return may_relay ? Acceptance::relay : Acceptance::relay_denied;
  if (Expansion::of_one(book).add(recipient)) return Acceptance::local;
  return looks_like_route(recipient.local) ? Acceptance::relay_denied : Acceptance::unknown;
}

Expansion Expansion::of_one(const RecipientBook& book) {
  Expansion made(book);
  made.is_of_one_ = true;
  return made;
}

bool Expansion::add(const Address& recipient) {
  if (!is_own(book_, recipient)) return false;
  const std::string local = to_lower(recipient.local);
  const std::string domain =
      book_.domains.count(recipient.domain) != 0 ? recipient.domain : book_.own_domain;
  if (add_local(local, domain)) return true;
  if (looks_like_route(local)) return false;
  if (book_.has_plus) {
    const std::string base = without_plus(local);
    if (!base.empty() && add_local(base, domain)) return true;
  }
  if (local == kPostmaster && !book_.postmaster.empty() && add_target(book_.postmaster))
    return true;
  return !book_.catch_all.empty() && add_target(book_.catch_all);
}

bool Expansion::add_target(std::string_view target) {
  if (target.find('@') == std::string_view::npos) return add_name(to_lower(target));
  Address address;
  if (parse_mailbox(target, true, address) != AddressFault::none) return false;
  if (!is_own(book_, address)) return put({"", std::move(address), ""});
  const std::string local = to_lower(address.local);
  if (add_local(local, address.domain)) return true;
  const std::string base = book_.has_plus ? without_plus(local) : std::string();
  return !base.empty() && add_local(base, address.domain);
}

bool Expansion::add_local(const std::string& local, const std::string& domain) {
  const auto whole = book_.aliases.find(local + "@" + domain);
  if (whole != book_.aliases.end() && add_all(whole->first, whole->second)) return true;
  return add_name(local);
}

bool Expansion::add_name(const std::string& name) {
  const auto alias = book_.aliases.find(name);
  if (alias != book_.aliases.end() && add_all(alias->first, alias->second)) return true;
  if (book_.users.count(name) != 0) return put({name, {}, ""});
  const auto group = book_.groups.find(name);
  return group != book_.groups.end() && add_all("group:" + name, group->second);
}

// False: nothing came of it. In a circle the name stands for the user who has it, if there is one:
// "anna: [anna, archive]" keeps a copy.
bool Expansion::add_all(const std::string& key, const std::vector<std::string>& names) {
  const auto [visit, is_new] = visits_.try_emplace(key, Visit::open);
  if (!is_new) return visit->second == Visit::useful;
  bool is_useful = false;
  for (const std::string& name : names) {
    is_useful = add_target(name) || is_useful;
    if (is_useful && is_of_one_) break;
  }
  visits_[key] = is_useful ? Visit::useful : Visit::useless;
  return is_useful;
}

bool Expansion::put(Target target) {
  if (targets_.size() >= kTargetsMax) {
    is_cut_ = true;
    return false;
  }
  targets_.insert(std::move(target));
  return true;
}

}  // namespace postern::mail
