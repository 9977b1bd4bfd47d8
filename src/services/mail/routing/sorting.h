// SPDX-License-Identifier: BSD-3-Clause
// Sorting: rules by envelope and header that file a message into a folder of its mailbox, or give
// it to others, instead or besides (F50, F51).
//
// Rules are asked in order, for each mailbox that is to get the message; the first that matches
// decides. What it gives to others is sorted by their rules no more: so nothing goes in circles,
// and each mailbox gets a message once, whatever ways lead there.
//
// Pure; thread: any. Patterns are those of base/glob.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/mail/message/envelope.h"
#include "services/mail/message/header.h"
#include "services/mail/routing/recipients.h"

namespace postern::mail {

struct HeaderMatch {
  std::string name;     // of a field
  std::string pattern;  // of its whole value; any of several fields
};

// All that it names must match.
struct SortingRule {
  std::string name;
  std::vector<std::string> users;       // of the mailbox; empty: all
  std::vector<std::string> senders;     // patterns of the envelope's sender; any
  std::vector<std::string> recipients;  // patterns of the envelope's recipients; any
  std::vector<HeaderMatch> headers;     // all
  // What is done.
  std::string folder;                // the message goes there; empty: the inbox
  std::vector<std::string> targets;  // as those of an alias; it goes there instead
  bool keeps_copy = false;           // and to the mailbox all the same
};

struct Sorted {
  std::vector<Target> targets;     // each once
  std::vector<std::string> rules;  // names of those that decided, for the log
};

struct SortingFacts {
  const Envelope& envelope;
  const HeaderFields& fields;
};

// `targets`: of the expansion of its recipients.
Sorted sort_message(const std::vector<SortingRule>& rules, const RecipientBook& book,
                    const std::set<Target>& targets, const SortingFacts& facts);

}  // namespace postern::mail
