// SPDX-License-Identifier: BSD-3-Clause
// The recipients that a message has in the end, of those that it came with: all that are ours are
// expanded (recipients.h) and sorted (sorting.h) together, and each mailbox and each address gets
// one copy, whatever ways lead there (C20).
//
// What the sender asked for in matters of notifications goes along (RFC 3461 section 5.2.7): as it
// is, where a recipient has one target; without SUCCESS where it has several, for then the sender
// hears at once that the message was handed on ("expanded"). ORCPT says whom the sender meant.
//
// Pure; thread: any. Bounds: kTargetsMax recipients.
#pragma once

#include <vector>

#include "services/mail/message/envelope.h"
#include "services/mail/routing/recipients.h"
#include "services/mail/routing/sorting.h"

namespace postern::mail {

struct FinalRecipients {
  // With `user` where it is a mailbox. One of our domains without a user is nobody's: it fails.
  std::vector<Recipient> recipients;
  std::vector<Recipient> expanded;  // whose sender asked to hear of success, and hears of this
  bool is_cut = false;              // there are too many: the message is not to be taken
};

FinalRecipients final_recipients(const RecipientBook& book, const std::vector<SortingRule>& rules,
                                 const SortingFacts& facts);

}  // namespace postern::mail
