// SPDX-License-Identifier: BSD-3-Clause
// Accounts: who there is, who they are members of, and whether a password is theirs (F60, F61,
// F70).
//
//   configuration `users` --.
//                            >-- Book (names, keys, groups) --> find, groups_of, check_password
//   STATE_DIR/accounts.json -'
//
// A name is in one of the two places. Passwords are checked, and hashes made, on two threads beside
// the control thread (job_pool.h); wrong ones are counted by name and by address (attempts.h). A
// change of the account file is on the disk before it is told to be done. Thread: control; the
// callbacks, too. Pointers to accounts hold until control goes back to the loop, or a change comes.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"
#include "control/accounts/account_file.h"
#include "control/accounts/attempts.h"
#include "control/accounts/book.h"
#include "control/accounts/password_numbers.h"
#include "control/accounts/principal_ids.h"
#include "control/config/load.h"
#include "control/config/model.h"
#include "control/loop.h"
#include "services/io/job_pool.h"

namespace postern::accounts {

enum class Verdict {
  right,
  wrong,    // name or password; which of them is not told
  wait,     // too soon after wrong ones; nothing was checked
  blocked,  // too many wrong ones; nothing was checked
  busy,     // too many log-ins at once; nothing was checked
};

struct Outcome {
  Verdict verdict = Verdict::wrong;
  Duration wait;                       // with wait and blocked: until something is checked again
  const config::User* user = nullptr;  // with right
};
// For the person at the other end: "wrong name or password", "too many wrong log-ins; try again in
// 14 minutes".
std::string to_text(const Outcome& outcome);

// Else it was turned away; that may come as a flood.
bool was_checked(const Outcome& outcome);

class Accounts {
 public:
  struct World {
    std::string state_dir;
    std::function<Instant()> now;
    // A name or an address is blocked now: once for each time.
    std::function<void(const Blocked& blocked)> on_blocked;
    std::function<void(const std::string& line)> warn;
  };
  static constexpr size_t kHashesMax = 32;  // that wait; further log-ins are told `busy`

  Accounts(Loop& loop, World world);
  ~Accounts();
  Accounts(const Accounts&) = delete;
  Accounts& operator=(const Accounts&) = delete;

  // A new configuration is in force. An error says what is wrong with the account file: it cannot
  // be read, and its accounts are not there, or the configuration has the same names, which count.
  Result<void> follow(const config::Model& model);
  // What the accounts of the file have against a configuration: names in both, groups that would
  // vanish under them.
  std::vector<config::Finding> conflicts(const config::Users& users) const;

  // --- who there is: both places together
  const Book& book() const { return book_; }
  // Disabled accounts are found, too; nullptr: no such account.
  const config::User* find(std::string_view name) const { return book_.find(name); }
  const config::User* find(const config::PublicKey& key) const { return book_.find(key); }
  // Another one after each change of the password; 0: no such account.
  uint64_t password_number(std::string_view name) const { return password_numbers_.of(name); }
  // Numbers for names of users and groups; they stay for the life of the process.
  PrincipalIds& ids() { return ids_; }
  // Called after each change of accounts, groups or their order, wherever it came from.
  void when_changed(std::function<void()> then) { on_change_.push_back(std::move(then)); }

  // --- log-in
  // Calls `done` once, later, on the control thread. `who` has no address where there is none.
  using LoginDone = std::function<void(const Outcome& outcome)>;
  void check_password(const Attempts::Who& who, std::string password, LoginDone done);
  const Attempts& attempts() const { return attempts_; }
  Attempts& attempts() { return attempts_; }

  // --- change
  Instant now() const { return world_.now(); }
  const config::Users& settings() const { return settings_; }
  const LocalAccounts& local() const { return local_; }
  // Hashes a password by the settings; `exhausted` when too much is under way.
  using Hashed = std::function<void(Result<std::string> hash)>;
  void hash_password(std::string password, Hashed done);
  // Changes the account file: `edit` works on a copy, which is checked, written and then taken.
  // `done` is told when it is on the disk, or why not. At most kEditsMax wait.
  using Edit = std::function<Result<void>(LocalAccounts& accounts)>;
  using Edited = std::function<void(Result<void> outcome)>;
  static constexpr size_t kEditsMax = 64;
  void edit(Edit edit, Edited done);

 private:
  struct PendingEdit {
    Edit edit;
    Edited done;
  };
  struct Login;

  Result<void> load();
  Result<void> read_accounts(const std::string& path);
  void rebuild();
  void begin_edits();
  void refuse_edits();
  void end_edits(LocalAccounts wanted, const std::vector<Edited>& waiting,
                 const Result<void>& written);
  void judge(const std::shared_ptr<Login>& login);
  void renew_hash(const config::User& user, const std::string& password);
  std::string file_path() const;

  Loop& loop_;
  World world_;
  config::Users settings_;
  LocalAccounts local_;
  Book book_;
  PasswordNumbers password_numbers_;
  PrincipalIds ids_;
  Attempts attempts_;
  std::vector<std::function<void()>> on_change_;
  std::deque<PendingEdit> edits_;
  bool is_loaded_ = false;          // the account file was read
  bool has_uneven_hashes_ = false;  // some are not of the cost that is configured
  bool is_writing_ = false;         // it is being written
  io::JobPool pool_;                // last: its threads end first
};

}  // namespace postern::accounts
