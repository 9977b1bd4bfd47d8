// SPDX-License-Identifier: BSD-3-Clause
// MailboxLocks: a mailbox belongs to one session at a time (RFC 1939 section 4). Deliveries need
// no lock. Thread: control.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>

namespace postern::mail {

// Locked as long as it lives; it may outlive its MailboxLocks.
class MailboxLock {
 public:
  MailboxLock(std::shared_ptr<std::set<std::string>> all, std::string user)
      : all_(std::move(all)), user_(std::move(user)) {}
  ~MailboxLock() { all_->erase(user_); }
  MailboxLock(const MailboxLock&) = delete;
  MailboxLock& operator=(const MailboxLock&) = delete;

 private:
  std::shared_ptr<std::set<std::string>> all_;
  std::string user_;
};

class MailboxLocks {
 public:
  // nullptr: somebody has it.
  std::shared_ptr<MailboxLock> take(const std::string& user) {
    if (!all_->insert(user).second) return nullptr;
    return std::make_shared<MailboxLock>(all_, user);
  }

 private:
  std::shared_ptr<std::set<std::string>> all_ = std::make_shared<std::set<std::string>>();
};

}  // namespace postern::mail
