// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/routing/sorting.h"

#include <algorithm>
#include <set>

#include "base/glob.h"
#include "services/mail/message/address.h"

namespace postern::mail {
namespace {

bool matches_any(const std::vector<std::string>& patterns, const std::string& text) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&text](const std::string& pattern) { return matches_glob(pattern, text); });
}

bool has_field(const HeaderFields& fields, const HeaderMatch& wanted) {
  return std::any_of(fields.begin(), fields.end(), [&wanted](const HeaderField& field) {
    return same_word(field.name, wanted.name) && matches_glob(wanted.pattern, field.value);
  });
}

bool matches(const SortingRule& rule, const std::string& user, const SortingFacts& facts) {
  const auto& users = rule.users;
  if (!users.empty() && std::find(users.begin(), users.end(), user) == users.end()) return false;
  if (!rule.senders.empty() && !matches_any(rule.senders, to_text(facts.envelope.sender)))
    return false;
  const auto& to = facts.envelope.recipients;
  const bool has_recipient =
      rule.recipients.empty() || std::any_of(to.begin(), to.end(), [&rule](const Recipient& one) {
        return matches_any(rule.recipients, to_text(one.address));
      });
  return has_recipient &&
         std::all_of(rule.headers.begin(), rule.headers.end(), [&facts](const HeaderMatch& header) {
           return has_field(facts.fields, header);
         });
}

// A mailbox gets one copy: in the folder that a rule chose, else in its inbox.
void put(std::vector<Target>& all, const Target& target) {
  for (Target& known : all) {
    if (known.user != target.user || known.address != target.address) continue;
    if (known.folder.empty()) known.folder = target.folder;
    return;
  }
  all.push_back(target);
}

}  // namespace

Sorted sort_message(const std::vector<SortingRule>& rules, const RecipientBook& book,
                    const std::set<Target>& targets, const SortingFacts& facts) {
  Sorted sorted;
  for (const Target& target : targets) {
    const auto rule =
        std::find_if(rules.begin(), rules.end(), [&target, &facts](const SortingRule& one) {
          return !target.user.empty() && matches(one, target.user, facts);
        });
    if (rule == rules.end()) {
      put(sorted.targets, target);
      continue;
    }
    sorted.rules.push_back(rule->name);
    Expansion others(book);
    for (const std::string& one : rule->targets)
      others.add_target(one);
    for (const Target& other : others.targets())
      put(sorted.targets, other);
    // What leads nowhere is no reason to lose a message.
    if (rule->keeps_copy || others.targets().empty())
      put(sorted.targets, {target.user, {}, rule->folder});
  }
  return sorted;
}

}  // namespace postern::mail
