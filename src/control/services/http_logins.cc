// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/http_logins.h"

#include <sodium.h>

#include <utility>

#include "control/config/account_text.h"
#include "control/services/http_access.h"

namespace postern {

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

void HttpLogins::check(Claim claim, const http::Seams::Verified& then) {
  const Digest digest = digest_of(claim);
  if (const http::Identity* identity = remembered(digest)) {
    sodium_memzero(claim.password.data(), claim.password.size());
    return then(identity);
  }
  auto& waiting = waiting_[digest];
  waiting.push_back(then);
  if (waiting.size() > 1) {
    sodium_memzero(claim.password.data(), claim.password.size());
    return;
  }
  accounts_.check_password(
      {claim.user, claim.from, accounts::Door::proxy}, std::move(claim.password),
      [this, digest, name = claim.user, from = claim.from](const accounts::Outcome& outcome) {
        const http::Identity* identity = nullptr;
        if (outcome.verdict == accounts::Verdict::right && outcome.user != nullptr) {
          const std::string user = outcome.user->name;
          make_room();
          remembered_[digest] = {user, accounts_.password_number(user), world_.now() + kRemembered};
          identity = identity_of(user);
        } else {
          world_.refused(name, from, accounts::to_text(outcome), accounts::was_checked(outcome));
        }
        auto all = waiting_.extract(digest);
        for (const http::Seams::Verified& one : all.mapped())
          one(identity);
      });
}

// At the limit those go first whose time is over, then whichever.
void HttpLogins::make_room() {
  if (remembered_.size() < kRememberedMax) return;
  const Instant now = world_.now();
  std::erase_if(remembered_, [now](const auto& entry) { return entry.second.until <= now; });
  if (remembered_.size() >= kRememberedMax) remembered_.erase(remembered_.begin());
}

void HttpLogins::accounts_changed() {
  identities_.clear();
}

}  // namespace postern
