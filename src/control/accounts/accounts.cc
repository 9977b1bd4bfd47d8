// SPDX-License-Identifier: BSD-3-Clause
#include "control/accounts/accounts.h"

#include <sodium.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>

#include "control/accounts/password.h"
#include "control/config/account_text.h"
#include "control/config/report.h"
#include "control/config/resolve.h"
#include "control/text_file.h"

namespace postern::accounts {
namespace {

// Memory is that of one hash a thread.
constexpr io::JobPool::Settings kHashing = {"accounts", 2, Accounts::kHashesMax};

constexpr const char* kFileName = "accounts.json";
constexpr mode_t kFileMode = 0600;
// Where hashes are of different costs, a wrong log-in is told at a whole one of these after it
// came: how long the check took would tell whose name there is.
constexpr std::chrono::seconds kWrongTold{1};
constexpr int64_t kSecond = 1'000'000'000;  // ns

// Overwritten when it goes: what is left of a job may lie in memory for a long time.
struct Secret {
  // A short text is copied when it moves: what it leaves behind goes, too.
  explicit Secret(std::string from) : text(from) { sodium_memzero(from.data(), from.size()); }
  ~Secret() { sodium_memzero(text.data(), text.size()); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  std::string text;
};

std::string duration_text(Duration wait) {
  int64_t seconds = (wait.ns + kSecond - 1) / kSecond;
  if (seconds <= 1) return "1 second";
  return seconds < 120 ? std::to_string(seconds) + " seconds"
                       : std::to_string((seconds + 59) / 60) + " minutes";
}

Outcome outcome_of(const Attempts::Answer& answer) {
  Outcome outcome;
  outcome.wait = answer.wait;
  outcome.verdict = answer.is_admitted  ? Verdict::right
                    : answer.is_blocked ? Verdict::blocked
                                        : Verdict::wait;
  return outcome;
}

}  // namespace

bool was_checked(const Outcome& outcome) {
  return outcome.verdict == Verdict::right || outcome.verdict == Verdict::wrong;
}

std::string to_text(const Outcome& outcome) {
  switch (outcome.verdict) {
    case Verdict::right:
      return "logged in";
    case Verdict::wrong:
      return "wrong name or password";
    case Verdict::wait:
      return "wrong log-ins before; try again in " + duration_text(outcome.wait);
    case Verdict::blocked:
      return "too many wrong log-ins; try again in " + duration_text(outcome.wait);
    case Verdict::busy:
      return "too many log-ins at once; try again in a moment";
  }
  return "";
}

// A password that is being checked.
struct Accounts::Login {
  Login(std::string text, LoginDone then) : password(std::move(text)), done(std::move(then)) {}
  Attempts::Who who() const { return {name, from, door}; }
  std::string name;
  std::optional<Ipv4Address> from;
  Door door = Door::remote;
  Secret password;
  std::string hash;       // of the account; empty: nobody gets in
  std::string of_nobody;  // checked where there is no hash, or one that is quick to check
  // By the clock of this machine, which is never another's.
  std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
  bool is_right = false;  // pool: write, then control: read
  LoginDone done;
};

Accounts::Accounts(Loop& loop, World world)
    : loop_(loop), world_(std::move(world)), pool_(loop.context(), kHashing) {
  attempts_.configure(settings_.lockout, {});
  attempts_.when_blocked([this](const Blocked& blocked) {
    if (world_.on_blocked) world_.on_blocked(blocked);
  });
}

Accounts::~Accounts() = default;

std::string Accounts::file_path() const {
  return world_.state_dir + "/" + kFileName;
}

Result<void> Accounts::follow(const config::Model& model) {
  settings_ = model.users;
  std::vector<AddressRange> exempt;
  if (auto ranges = config::resolve_addresses(model.objects, settings_.lockout.exempt);
      ranges && !settings_.lockout.exempt.empty()) {
    exempt = std::move(*ranges);
  }
  attempts_.configure(settings_.lockout, std::move(exempt));
  Result<void> loaded = load();
  rebuild();
  return loaded;
}

// Read once; from then on the file is what we wrote.
Result<void> Accounts::load() {
  if (!settings_.account_file) {
    local_ = {};
    is_loaded_ = false;
    return {};
  }
  const std::string path = file_path();
  if (!is_loaded_) {
    if (auto read = read_accounts(path); !read) return read;
  }
  if (auto fits = check_together(settings_, local_); !fits) {
    return std::move(fits).error().within(path + ": the configuration counts");
  }
  return {};
}

Result<void> Accounts::read_accounts(const std::string& path) {
  auto text = read_text_file(path);
  if (!text && text.error().code != ErrorCode::not_found) return std::move(text).error();
  if (text) {
    auto accounts = parse_account_file(*text);
    if (!accounts) return std::move(accounts).error().within(path);
    chmod(path.c_str(), kFileMode);
    local_ = std::move(*accounts);
  }
  is_loaded_ = true;
  return {};
}

void Accounts::rebuild() {
  Book book(settings_, local_);
  password_numbers_.follow(book_, book);
  book_ = std::move(book);
  has_uneven_hashes_ = std::ranges::any_of(book_.users(), [this](const config::User& user) {
    return !user.password.empty() && !is_up_to_date(user.password, settings_.password);
  });
  for (const auto& then : on_change_)
    then();
}

std::vector<config::Finding> Accounts::conflicts(const config::Users& users) const {
  std::vector<config::Finding> findings;
  if (!users.account_file) return findings;
  LocalAccounts local = local_;
  auto add = [&](config::Mark mark, std::string path, std::string text) {
    findings.push_back({config::Severity::error, mark, std::move(path), std::move(text)});
  };
  for (const config::User& user : users.accounts) {
    if (local.find(user.name) == nullptr) continue;
    add(user.mark, config::join("users.accounts", user.name),
        "is in the account file, too; `postern user delete " + user.name + "` removes it there");
  }
  for (const config::UserGroup& group : users.groups) {
    if (local.find_group(group.name) == nullptr) continue;
    add(group.mark, config::join("users.groups", group.name),
        "is in the account file, too; `postern user group delete " + group.name +
            "` removes it there");
  }
  if (!findings.empty()) return findings;
  if (auto fits = check_together(users, local); !fits) {
    add({}, "users", "the account file does not fit: " + fits.error().text);
  }
  return findings;
}

void Accounts::check_password(const Attempts::Who& who, std::string password, LoginDone done) {
  auto login = std::make_shared<Login>(std::move(password), std::move(done));
  login->name = config::folded_name(who.name.substr(0, config::kAccountNameMax + 1));
  login->from = who.from;
  login->door = who.door;
  auto answer_later = [this, login](const Outcome& outcome) {
    loop_.after({}, [login, outcome] { login->done(outcome); });
  };
  Outcome admitted = outcome_of(attempts_.admit(login->who(), world_.now()));
  if (admitted.verdict != Verdict::right) return answer_later(admitted);
  const config::User* user = find(login->name);
  bool may =
      user != nullptr && user->enabled && login->password.text.size() <= config::kPasswordMax;
  if (may) login->hash = user->password;
  login->of_nobody = hash_of_nobody(settings_.password);
  auto work = [login] {
    const bool is_ours = login->hash.starts_with("$argon2id$");
    login->is_right = !login->hash.empty() && is_password(login->hash, login->password.text);
    // Who guesses learns nothing from the time that this takes.
    if (!is_ours) is_password(login->of_nobody, "");
  };
  if (pool_.run(work, [this, login] { judge(login); })) return;
  attempts_.note_nothing(login->who(), world_.now());
  Outcome busy;
  busy.verdict = Verdict::busy;
  answer_later(busy);
}

void Accounts::judge(const std::shared_ptr<Login>& login) {
  Outcome outcome;
  const config::User* user = find(login->name);
  // It may have changed meanwhile.
  bool is_right =
      login->is_right && user != nullptr && user->enabled && user->password == login->hash;
  if (is_right) {
    attempts_.note_right(login->who(), world_.now());
    outcome.verdict = Verdict::right;
    outcome.user = user;
    if (book_.is_local(*user) && !is_up_to_date(user->password, settings_.password)) {
      renew_hash(*user, login->password.text);
    }
  } else {
    attempts_.note_wrong(login->who(), world_.now());
  }
  if (is_right || !has_uneven_hashes_) return login->done(outcome);
  const auto elapsed = std::chrono::steady_clock::now() - login->begun;
  const auto over = elapsed % kWrongTold;
  loop_.after(nanoseconds(std::chrono::nanoseconds(kWrongTold - over).count()),
              [login, outcome] { login->done(outcome); });
}

// In our own form, or at the cost that is asked for by now. What fails is tried at the next log-in.
void Accounts::renew_hash(const config::User& user, const std::string& password) {
  hash_password(password, [this, name = user.name, old = user.password](Result<std::string> hash) {
    if (!hash) return;
    auto exchange = [this, name, old,
                     fresh = std::move(*hash)](LocalAccounts& accounts) -> Result<void> {
      config::User* user = accounts.find(name);
      if (user == nullptr || user->password != old) return {};
      user->password = fresh;
      password_numbers_.expect_renewal(name, fresh);
      return {};
    };
    edit(exchange, [this, name](const Result<void>& outcome) {
      if (!outcome && world_.warn) world_.warn(name + ": the hash stays: " + outcome.error().text);
    });
  });
}

void Accounts::hash_password(std::string password, Hashed done) {
  struct Job {
    explicit Job(std::string text) : password(std::move(text)) {}
    Secret password;
    Result<std::string> hash = std::string();
  };
  auto job = std::make_shared<Job>(std::move(password));
  auto then = std::make_shared<Hashed>(std::move(done));
  auto work = [job, policy = settings_.password] {
    job->hash = hash_of(job->password.text, policy);
  };
  if (pool_.run(work, [job, then] { (*then)(job->hash); })) return;
  loop_.after({}, [then] {
    (*then)(Error{ErrorCode::exhausted, "too many passwords at once; try again in a moment"});
  });
}

void Accounts::edit(Edit edit, Edited done) {
  auto refuse = [&](ErrorCode code, std::string text) {
    loop_.after({}, [done, error = Error{code, std::move(text)}] { done(error); });
  };
  if (!settings_.account_file) {
    return refuse(ErrorCode::denied,
                  "users.account_file is false: accounts are in the configuration alone");
  }
  if (!is_loaded_) return refuse(ErrorCode::failed, "the account file cannot be read");
  if (edits_.size() >= kEditsMax) {
    return refuse(ErrorCode::exhausted, "too many changes of accounts at once");
  }
  edits_.push_back({std::move(edit), std::move(done)});
  if (is_writing_ || edits_.size() > 1) return;
  // From the loop, so that `done` never comes before we are back, and what comes now shares a
  // write.
  loop_.after({}, [this] { begin_edits(); });
}

void Accounts::begin_edits() {
  struct Write {
    LocalAccounts accounts;
    std::vector<Edited> waiting;
    std::string text;
    Result<void> written;
  };
  if (!is_loaded_) return refuse_edits();
  auto write = std::make_shared<Write>();
  write->accounts = local_;
  for (PendingEdit& pending : std::exchange(edits_, {})) {
    LocalAccounts wanted = write->accounts;
    auto done = pending.edit(wanted);
    if (done) done = check_together(settings_, wanted);
    if (!done) {
      pending.done(done);
      continue;
    }
    write->accounts = std::move(wanted);
    write->waiting.push_back(std::move(pending.done));
  }
  if (write->accounts == local_) return end_edits(local_, write->waiting, {});
  is_writing_ = true;
  write->text = account_file_text(write->accounts);
  auto work = [write, path = file_path()] {
    if (write->text.size() > kTextFileMax) {
      write->written = Error{ErrorCode::exhausted, "the account file would be larger than 4 MiB"};
    } else {
      write->written = write_text_file(path, write->text, kFileMode);
    }
  };
  pool_.run_surely(work, [this, write] {
    is_writing_ = false;
    end_edits(std::move(write->accounts), write->waiting, write->written);
  });
}

// The file that they were for is not read any more: writing it would lose what is in it.
void Accounts::refuse_edits() {
  for (const PendingEdit& pending : std::exchange(edits_, {}))
    pending.done(Error{ErrorCode::denied, "users.account_file is false by now"});
}

void Accounts::end_edits(LocalAccounts wanted, const std::vector<Edited>& waiting,
                         const Result<void>& written) {
  // Whether they count may have changed meanwhile.
  if (written && is_loaded_ && !(wanted == local_)) {
    local_ = std::move(wanted);
    rebuild();
  }
  for (const Edited& done : waiting)
    done(written);
  if (!edits_.empty() && !is_writing_) begin_edits();
}

}  // namespace postern::accounts
