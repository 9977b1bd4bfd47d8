// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/delivery/earlier_deliveries.h"

#include "services/mail/queue/queued.h"

namespace postern::mail {

Result<bool> EarlierDeliveries::has(const Maildir& mailbox, const std::string& id) {
  const std::lock_guard lock(mutex_);
  auto known = ids_.find(mailbox.path());
  if (known == ids_.end()) {
    auto all = mailbox.deliveries();
    if (!all) return all.error();
    std::set<std::string> ours;
    for (std::string& one : *all) {
      if (may_have(parse_queue_id(std::string_view(one).substr(0, one.find('-')))))
        ours.insert(std::move(one));
    }
    known = ids_.emplace(mailbox.path(), std::move(ours)).first;
  }
  return known->second.count(id) != 0;
}

}  // namespace postern::mail
