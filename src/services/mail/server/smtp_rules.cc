// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/server/smtp_rules.h"

#include <algorithm>

#include "services/mail/message/address.h"

namespace postern::mail {
namespace {

constexpr size_t kRecipientsLeast = 100;  // RFC 5321 section 4.5.3.1.8
// So that nobody outside keeps a place for hours with commands that lead nowhere.
constexpr Duration kStrangerPatience = seconds(600);

// Mail for the address comes to the user, be it through an alias or a group.
bool is_of(const RecipientBook& book, const std::string& user, const Address& address) {
  if (!is_own(book, address)) return false;
  Expansion expansion(book);
  expansion.add(address);
  const auto& targets = expansion.targets();
  return std::any_of(targets.begin(), targets.end(),
                     [name = to_lower(user)](const Target& target) { return target.user == name; });
}

}  // namespace

bool is_in(const std::vector<AddressRange>& networks, Ipv4Address client) {
  return std::any_of(networks.begin(), networks.end(),
                     [client](const AddressRange& range) { return range.contains(client); });
}

bool is_ours(const SmtpRules& rules, Ipv4Address client) {
  return is_in(rules.server.relay_networks, client) || is_in(rules.server.pop3_networks, client);
}

bool is_stranger(const SmtpRules& rules, const Envelope& envelope) {
  return envelope.user.empty() && !is_in(rules.server.relay_networks, envelope.client);
}

SmtpSettings settings_for(const SmtpRules& rules, SmtpPort port, Ipv4Address client) {
  const ServerSettings& server = rules.server;
  const bool is_inside = is_in(server.relay_networks, client);
  const bool is_known = is_ours(rules, client);
  SmtpSettings settings;
  settings.host = rules.host;
  settings.size_max = rules.size_max;
  settings.recipients_max = std::max(server.recipients, kRecipientsLeast);
  if (!is_inside && port == SmtpPort::mail) settings.greet_delay = server.greet_delay;
  if (!is_known) settings.fruitless_max = kStrangerPatience;
  settings.offers_tls = rules.tls != nullptr && port != SmtpPort::submissions;
  settings.allows_auth_in_clear = server.has_clear_passwords && is_known;
  // Nobody outside guesses passwords where the outside only brings mail for us.
  const bool may_log_in = port != SmtpPort::mail || is_known;
  settings.offers_auth = may_log_in && (rules.tls != nullptr || settings.allows_auth_in_clear);
  settings.requires_auth = port != SmtpPort::mail;
  settings.requires_tls = port != SmtpPort::mail && !settings.allows_auth_in_clear;
  return settings;
}

Reply judge_sender(const SmtpRules& rules, const Envelope& envelope) {
  const bool is_checked = rules.server.is_sender_checked && !envelope.user.empty();
  // RFC8098-3: who tells that a message was read has no sender, either.
  if (!is_checked || envelope.sender.is_null()) return {};
  if (is_of(rules.book, envelope.user, envelope.sender)) return {};
  return {553, "5.7.1", "This is no address of yours"};
}

Reply judge_recipient(const SmtpRules& rules, const Envelope& envelope, const Address& recipient) {
  switch (acceptance_of(rules.book, recipient, !is_stranger(rules, envelope))) {
    case Acceptance::local:
    case Acceptance::relay:
      return {};
    case Acceptance::unknown:
      return {550, "5.1.1", "Nobody has that address here"};
    case Acceptance::relay_denied:
      break;
  }
  return {550, "5.7.1", "Relaying is not for you: log in, or send to addresses of ours"};
}

}  // namespace postern::mail
