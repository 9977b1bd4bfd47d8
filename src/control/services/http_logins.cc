// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/http_logins.h"

#include <sodium.h>

#include <utility>

#include "control/config/account_text.h"
#include "control/services/http_access.h"

namespace postern {
namespace {

constexpr uint32_t kComeAgain = 5;  // s, where nobody knows better

// A browser that is told "wrong" throws away a password that may be right.
uint32_t wait_of(const accounts::Outcome& outcome) {
  constexpr int64_t kSecond = seconds(1).ns;
  if (outcome.wait.ns <= 0) return kComeAgain;
  return static_cast<uint32_t>((outcome.wait.ns + kSecond - 1) / kSecond);
}

Instant end_of(Instant until) {
  return until;
}

template <typename Login>
Instant end_of(const Login& login) {
  return login.until;
}

// At the limit those go first whose time is over, then whichever.
template <typename Logins>
void make_room(Logins& logins, Instant now) {
  if (logins.size() < HttpLogins::kRememberedMax) return;
  std::erase_if(logins, [now](const auto& entry) { return end_of(entry.second) <= now; });
  if (logins.size() >= HttpLogins::kRememberedMax) logins.erase(logins.begin());
}

}  // namespace

HttpLogins::HttpLogins(accounts::Accounts& accounts, World world)
    : accounts_(accounts), world_(std::move(world)) {
  randombytes_buf(key_.data(), key_.size());
}

HttpLogins::~HttpLogins() {
  sodium_memzero(key_.data(), key_.size());
}

const http::Identity* HttpLogins::identity_of(const std::string& user) {
  if (const auto known = identities_.find(user); known != identities_.end()) return &known->second;
  const config::User* account = accounts_.find(user);
  if (account == nullptr || !account->enabled) return nullptr;
  return &(identities_[user] = http_identity(*account, accounts_));
}

const http::Identity* HttpLogins::at(Ipv4Address client) {
  const std::string user = world_.user_at(client);
  return user.empty() ? nullptr : identity_of(user);
}

// Of the password and who says that it is theirs, where from: a guesser elsewhere gains nothing by
// what was right here.
HttpLogins::Digest HttpLogins::digest_of(const Claim& claim) const {
  Digest digest;
  crypto_generichash_state state;
  crypto_generichash_init(&state, key_.data(), key_.size(), digest.size());
  for (const std::string* text : {&claim.user, &claim.password}) {
    const uint64_t size = text->size();
    crypto_generichash_update(&state, reinterpret_cast<const uint8_t*>(&size), sizeof size);
    crypto_generichash_update(&state, reinterpret_cast<const uint8_t*>(text->data()), size);
  }
  crypto_generichash_update(&state, reinterpret_cast<const uint8_t*>(&claim.from.number),
                            sizeof claim.from.number);
  crypto_generichash_final(&state, digest.data(), digest.size());
  return digest;
}

const http::Identity* HttpLogins::remembered(const Digest& digest) {
  const auto known = remembered_.find(digest);
  if (known == remembered_.end()) return nullptr;
  const Remembered& login = known->second;
  const bool holds =
      world_.now() < login.until && accounts_.password_number(login.user) == login.password_number;
  if (const http::Identity* identity = holds ? identity_of(login.user) : nullptr) return identity;
  remembered_.erase(known);
  return nullptr;
}

bool HttpLogins::is_known_wrong(const Digest& digest) const {
  const auto known = wrong_.find(digest);
  return known != wrong_.end() && world_.now() < known->second;
}

void HttpLogins::check(Claim claim, const http::Seams::Verified& then) {
  const Digest digest = digest_of(claim);
  const http::Identity* identity = remembered(digest);
  if (identity != nullptr || is_known_wrong(digest)) {
    sodium_memzero(claim.password.data(), claim.password.size());
    return then(identity);
  }
  auto& waiting = waiting_[digest];
  waiting.push_back(then);
  if (waiting.size() > 1) {
    sodium_memzero(claim.password.data(), claim.password.size());
    return;
  }
  const Ipv4Address from = claim.from;
  auto& checks = checks_[from];
  if (checks.size() >= kWaitingMax) {
    sodium_memzero(claim.password.data(), claim.password.size());
    world_.refused(claim.user, from, "too many log-ins at once", false);
    return answer(digest, http::LoginAnswer::busy(kComeAgain));
  }
  checks.push_back({std::move(claim), digest});
  if (checks.size() == 1) begin_check(from);
}

void HttpLogins::begin_check(Ipv4Address from) {
  Check& check = checks_[from].front();
  check.number_of_changes = changes_;
  accounts_.check_password(
      {check.claim.user, from, accounts::Door::proxy}, std::move(check.claim.password),
      [this, from](const accounts::Outcome& outcome) { end_check(from, outcome); });
}

void HttpLogins::end_check(Ipv4Address from, const accounts::Outcome& outcome) {
  auto checks = checks_.find(from);
  const Check check = std::move(checks->second.front());
  checks->second.pop_front();
  if (checks->second.empty()) {
    checks_.erase(checks);
  } else {
    begin_check(from);
  }
  const http::Identity* identity = nullptr;
  if (outcome.verdict == accounts::Verdict::right && outcome.user != nullptr) {
    const std::string user = outcome.user->name;
    make_room(remembered_, world_.now());
    remembered_[check.digest] = {user, accounts_.password_number(user), world_.now() + kRemembered};
    identity = identity_of(user);
  } else {
    world_.refused(check.claim.user, from, accounts::to_text(outcome),
                   accounts::was_checked(outcome));
  }
  // What was wrong by passwords that have changed meanwhile may be right by those of now.
  if (outcome.verdict == accounts::Verdict::wrong && check.number_of_changes == changes_) {
    make_room(wrong_, world_.now());
    wrong_[check.digest] = world_.now() + kWrongRemembered;
  }
  answer(check.digest, accounts::was_checked(outcome) ? http::LoginAnswer(identity)
                                                      : http::LoginAnswer::busy(wait_of(outcome)));
}

void HttpLogins::answer(const Digest& digest, const http::LoginAnswer& what) {
  const auto all = waiting_.extract(digest);
  for (const http::Seams::Verified& one : all.mapped())
    one(what);
}

void HttpLogins::accounts_changed() {
  ++changes_;
  wrong_.clear();
  identities_.clear();
}

}  // namespace postern
