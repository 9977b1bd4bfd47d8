// SPDX-License-Identifier: BSD-3-Clause
// EarlierDeliveries: which messages of the queue a mailbox got before the last end of the program,
// which may have been a crash between mailbox and queue.
//
// A mailbox is read once, when it is first asked for. Bounds: ids of messages that the queue had at
// the start. Thread: any; who asks for a mailbox waits while it is read.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>

#include "base/result.h"
#include "services/mail/mailbox/maildir.h"

namespace postern::mail {

class EarlierDeliveries {
 public:
  // Of the messages that the queue had.
  explicit EarlierDeliveries(std::unordered_set<uint64_t> numbers) : numbers_(std::move(numbers)) {}

  bool may_have(uint64_t number) const { return numbers_.count(number) != 0; }
  // Waits for the disk. An error: the mailbox cannot be read now.
  Result<bool> has(const Maildir& mailbox, const std::string& id);

 private:
  const std::unordered_set<uint64_t> numbers_;
  std::mutex mutex_;
  std::map<std::string, std::set<std::string>> ids_;  // by the mailbox's path; under the mutex
};

}  // namespace postern::mail
