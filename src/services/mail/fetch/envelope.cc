// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/fetch/envelope.h"

#include <algorithm>
#include <map>

#include "services/mail/message/address.h"

namespace postern::mail {
namespace {

constexpr std::string_view kResent = "Resent-";

bool is_same(const Address& a, const Address& b) {
  return a.domain == b.domain && same_word(a.local, b.local);
}

void add_once(std::vector<Address>& addresses, const Address& address) {
  const bool is_there = std::any_of(addresses.begin(), addresses.end(),
                                    [&](const Address& one) { return is_same(one, address); });
  if (!is_there) addresses.push_back(address);
}

bool is_recipient_field(std::string_view name) {
  return same_word(name, "To") || same_word(name, "Cc") || same_word(name, "Bcc");
}

// RFC5322-3.6.6: each resending puts its fields before those that are there; one that stands there
// twice begins an older one.
std::vector<Address> resent_addresses(const HeaderFields& fields) {
  std::vector<Address> out;
  std::vector<std::string_view> seen;
  for (const HeaderField& field : fields) {
    const std::string_view name = field.name;
    if (!same_word(name.substr(0, kResent.size()), kResent)) {
      if (seen.empty()) continue;
      break;
    }
    if (std::any_of(seen.begin(), seen.end(),
                    [&](std::string_view before) { return same_word(before, name); }))
      break;
    seen.push_back(name);
    if (is_recipient_field(name.substr(kResent.size()))) parse_address_list(field.value, out);
  }
  return out;
}

std::vector<Address> named_addresses(const HeaderFields& fields) {
  std::vector<Address> out;
  for (const HeaderField& field : fields) {
    if (is_recipient_field(field.name)) parse_address_list(field.value, out);
  }
  return out;
}

std::string without_prefix(const std::string& local, const std::string& prefix) {
  const bool has_prefix = !prefix.empty() && local.size() > prefix.size() &&
                          same_word(std::string_view(local).substr(0, prefix.size()), prefix);
  return has_prefix ? local.substr(prefix.size()) : local;
}

RecipientBook without_catch_all(RecipientBook book) {
  book.catch_all.clear();
  return book;
}

}  // namespace

std::vector<Address> envelope_addresses(const HeaderFields& fields, std::string_view name) {
  std::vector<Address> out;
  bool has_begun = false;
  for (const HeaderField& field : fields) {
    if (same_word(field.name, name)) {
      has_begun = true;
      parse_address_list(field.value, out);
    } else if (has_begun && same_word(field.name, "Received")) {
      break;
    }
  }
  return out;
}

Address fetched_sender(const HeaderFields& fields) {
  for (const std::string_view name : {"Return-Path", "Envelope-From", "X-Envelope-From"}) {
    std::string_view value = fields.find(name);
    if (value.empty()) continue;
    Path path;
    const PathRules rules = {true, true, false};
    if (parse_path(value, rules, path) == AddressFault::none) return path.address;
    Address address;
    if (parse_mailbox(fields.find(name), true, address) == AddressFault::none) return address;
  }
  // RFC3834-5: what a program answers with, notifications among it, gets no answer.
  const std::string_view automatic = fields.find("Auto-Submitted");
  if (!automatic.empty() && !same_word(automatic.substr(0, 2), "no")) return {};
  for (const std::string_view name : {"Sender", "From"}) {
    const std::vector<Address> addresses = fields.addresses(name);
    if (!addresses.empty()) return addresses.front();
  }
  return {};
}

std::string message_ids(const HeaderFields& fields) {
  std::string out;
  for (const HeaderField& field : fields) {
    const bool is_id =
        same_word(field.name, "Message-ID") || same_word(field.name, "Resent-Message-ID");
    if (is_id && !field.value.empty()) out += field.value + '\n';
  }
  return out;
}

bool goes_round(const HeaderScanner& header, const RecipientBook& book) {
  if (header.hops() > kHopsMax) return true;
  std::map<std::string, size_t> turns;
  for (const HeaderField& field : header.fields()) {
    if (!same_word(field.name, "Delivered-To")) continue;
    std::vector<Address> addresses;
    parse_address_list(field.value, addresses);
    for (const Address& address : addresses) {
      if (is_own(book, address) && ++turns[to_lower(to_text(address))] > kTurnsMax) return true;
    }
  }
  return false;
}

Multidrop::Multidrop(const RecipientBook& book) : book_(book), known_(without_catch_all(book)) {}

Multidrop::Found Multidrop::find(const FetchAccount& account, const HeaderFields& fields) const {
  Found found;
  for (const std::string& name : account.envelope_fields) {
    const auto own = own_of(envelope_addresses(fields, name), account.envelope_prefix);
    if (own.empty()) continue;
    found.by = name;
    bool is_complete = true;
    for (const Address& address : own) {
      const bool is_somebody = acceptance_of(book_, address, false) == Acceptance::local;
      if (is_somebody) add_once(found.recipients, address);
      is_complete = is_complete && is_somebody;
    }
    if (!is_complete) add_unsorted(account, found);
    return found;
  }
  auto hints = own_of(resent_addresses(fields), "");
  found.by = hints.empty() ? "To" : "Resent-To";
  if (hints.empty()) hints = own_of(named_addresses(fields), "");
  for (const Address& address : hints) {
    if (is_known(address)) add_once(found.recipients, address);
  }
  for (const Address& address : hints) {
    const bool is_caught = acceptance_of(book_, address, false) == Acceptance::local;
    // All of the others would lead to the catch-all: one is enough.
    if (found.recipients.empty() && is_caught) found.recipients.push_back(address);
  }
  if (hints.empty()) found.by.clear();
  if (found.recipients.empty()) add_unsorted(account, found);
  return found;
}

std::vector<Address> Multidrop::own_of(const std::vector<Address>& addresses,
                                       const std::string& prefix) const {
  std::vector<Address> own;
  for (const Address& address : addresses) {
    const Address bare = {without_prefix(address.local, prefix), address.domain};
    if (is_own(book_, bare)) add_once(own, bare);
  }
  return own;
}

bool Multidrop::is_known(const Address& address) const {
  return acceptance_of(known_, address, false) == Acceptance::local;
}

void Multidrop::add_unsorted(const FetchAccount& account, Found& found) const {
  const Address address = address_of(account.unsorted);
  if (!targets_of(address).empty()) add_once(found.recipients, address);
}

Address Multidrop::address_of(std::string_view name) const {
  if (name.empty()) name = "postmaster";
  Address address;
  if (name.find('@') != std::string_view::npos) {
    if (parse_mailbox(name, true, address) != AddressFault::none) return {};
    return address;
  }
  return {std::string(name), book_.own_domain};
}

std::set<Target> Multidrop::targets_of(const Address& address) const {
  if (address.is_null()) return {};
  if (!is_own(book_, address)) return {Target{"", address, ""}};
  Expansion expansion(book_);
  expansion.add(address);
  return expansion.targets();
}

std::optional<Address> Multidrop::direct_address(const Target& target) const {
  if (target.user.empty()) return target.address;
  const Address address = {target.user, book_.own_domain};
  if (targets_of(address) == std::set<Target>{target}) return address;
  return {};
}

}  // namespace postern::mail
