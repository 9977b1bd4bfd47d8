// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/routing/final_recipients.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <unordered_map>
#include <utility>

#include "services/mail/message/address.h"
#include "services/mail/message/parameters.h"

namespace postern::mail {
namespace {

constexpr size_t kOriginalMax = 500;            // octets (RFC 3461 section 5.4)
constexpr size_t kStepsMax = 10 * kTargetsMax;  // targets looked at, those of each recipient

// ORCPT for somebody whom the sender knows by another address.
std::string original_of(const Recipient& recipient) {
  if (!recipient.original.empty() || needs_utf8(recipient.address)) return recipient.original;
  std::string original = "rfc822;" + encode_xtext(to_text(recipient.address));
  return original.size() <= kOriginalMax ? original : std::string();
}

uint8_t without_success(uint8_t notify) {
  const auto left = static_cast<uint8_t>(notify & ~unsigned{kNotifySuccess});
  return left == 0 && notify != 0 ? uint8_t{kNotifyNever} : left;
}

// "Anna+Lists" is anna.
bool is_name_of(const std::string& local, const std::string& user) {
  const std::string name = to_lower(local);
  return name == user || name.substr(0, name.find('+')) == user;
}

class Router {
 public:
  Router(const RecipientBook& book, const std::vector<SortingRule>& rules,
         const SortingFacts& facts)
      : book_(book), rules_(rules), facts_(facts) {}

  FinalRecipients take() && {
    const std::vector<Recipient>& all = facts_.envelope.recipients;
    // Those elsewhere first: they keep all that was said of them.
    for (const Recipient& recipient : all) {
      if (!is_own(book_, recipient.address)) put(recipient);
    }
    for (const Recipient& recipient : all) {
      if (is_own(book_, recipient.address)) expand(recipient);
    }
    return std::move(result_);
  }

 private:
  void expand(const Recipient& recipient);
  std::vector<Target> targets_of(const Recipient& recipient);
  Recipient made_of(const Recipient& recipient, const Target& target) const;
  bool put(Recipient recipient);

  const RecipientBook& book_;
  const std::vector<SortingRule>& rules_;
  const SortingFacts& facts_;
  FinalRecipients result_;
  std::unordered_map<std::string, size_t> places_;  // in result_.recipients
  size_t steps_ = 0;
};

// False: it is there already.
bool Router::put(Recipient recipient) {
  const std::string key =
      recipient.user.empty() ? to_path(recipient.address) : "\n" + recipient.user;
  const auto [known, is_new] = places_.try_emplace(key, result_.recipients.size());
  if (!is_new) {
    std::string& folder = result_.recipients[known->second].folder;
    if (folder.empty()) folder = std::move(recipient.folder);
    return false;
  }
  if (result_.recipients.size() >= kTargetsMax) result_.is_cut = true;
  if (!result_.is_cut) result_.recipients.push_back(std::move(recipient));
  return true;
}

std::vector<Target> Router::targets_of(const Recipient& recipient) {
  Expansion expansion(book_);
  expansion.add(recipient.address);
  const std::set<Target>& targets = expansion.targets();
  steps_ += targets.size();
  if (expansion.is_cut() || steps_ > kStepsMax) result_.is_cut = true;
  if (result_.is_cut) return {};
  if (rules_.empty()) return {targets.begin(), targets.end()};
  std::vector<Target> sorted;
  for (const Target& target : targets) {
    std::vector<Target> some = sort_message(rules_, book_, {target}, facts_).targets;
    std::move(some.begin(), some.end(), std::back_inserter(sorted));
  }
  return sorted;
}

Recipient Router::made_of(const Recipient& recipient, const Target& target) const {
  Recipient made = recipient;
  made.user = target.user;
  made.folder = target.folder;
  if (made.address.domain.empty()) made.address.domain = book_.own_domain;
  if (!target.user.empty() && is_name_of(recipient.address.local, target.user)) return made;
  made.original = original_of(recipient);
  made.address = target.user.empty() ? target.address : Address{target.user, book_.own_domain};
  return made;
}

void Router::expand(const Recipient& recipient) {
  const std::vector<Target> targets = targets_of(recipient);
  if (result_.is_cut) return;
  if (targets.empty()) {
    put(recipient);
    return;
  }
  const bool is_success_asked = (recipient.notify & kNotifySuccess) != 0;
  bool is_handed_on = targets.size() > 1;
  for (const Target& target : targets) {
    Recipient made = made_of(recipient, target);
    if (targets.size() > 1) made.notify = without_success(made.notify);
    // What another recipient asked for stands: of this one nothing more would be heard.
    if (!put(std::move(made))) is_handed_on = true;
  }
  if (is_handed_on && is_success_asked) result_.expanded.push_back(recipient);
}

}  // namespace

FinalRecipients final_recipients(const RecipientBook& book, const std::vector<SortingRule>& rules,
                                 const SortingFacts& facts) {
  return Router(book, rules, facts).take();
}

}  // namespace postern::mail
