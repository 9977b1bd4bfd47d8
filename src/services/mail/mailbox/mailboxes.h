// SPDX-License-Identifier: BSD-3-Clause
// Mailboxes: where the mailboxes of users are, and their folders, as Maildir++ has them:
//
//   ROOT/anna                 her inbox
//   ROOT/anna/.Lists.DPDK     "Lists/DPDK" of hers
//
// Names come from the configuration and from rules, and lead nowhere else: a user whose name could
// is refused; of a folder what could is written as '_'. Thread: any; open() waits for the disk.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "services/mail/mailbox/maildir.h"

namespace postern::mail {

// Octets of a name of a user, and of a folder's whole name, that a file's name has room for.
constexpr size_t kMailboxNameMax = 200;

class Mailboxes {
 public:
  // `root` is made where it is missing; the folders above it are the administrator's.
  static Result<Mailboxes> open(const std::string& root);

  // The folder of a mailbox; invalid: no user can have that name.
  Result<std::string> path_of(std::string_view user, std::string_view folder = {}) const;
  // Made where it is missing.
  Result<Maildir> mailbox(std::string_view user, std::string_view folder = {}) const;

  const std::string& root() const { return root_; }

 private:
  explicit Mailboxes(std::string root) : root_(std::move(root)) {}

  std::string root_;
};

}  // namespace postern::mail
