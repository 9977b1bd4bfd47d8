// SPDX-License-Identifier: BSD-3-Clause
// Multidrop: who a message from a mailbox that many share is for (F51, C20). POP3 has no envelope,
// so it is read from what the provider wrote of it into the header:
//
//   envelope_fields in their order   the first field of the name and those of the same server,
//                                    which is down to the next Received; the prefix is taken away
//   Resent-To, -Cc, -Bcc             of the last resending alone
//   To, Cc, Bcc                      the last resort
//
// The first of these that has an address of ours decides. "for" in a Received field does not count:
// it is told of one recipient at most, and of who knows which server.
//
// In an envelope field each address stands for itself: what nobody here has goes to the catch-all,
// or else to who gets the unsorted. In the other fields names are only hints: a user who exists
// keeps the catch-all from getting a copy.
//
// Nobody is told apart by who sent the message: a sender can write any field, and with that gets no
// further than by writing to the address itself. Bounds: those of HeaderFields. Thread: any.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "services/mail/fetch/settings.h"
#include "services/mail/message/header.h"
#include "services/mail/routing/recipients.h"

namespace postern::mail {

class Multidrop {
 public:
  explicit Multidrop(const RecipientBook& book);

  struct Found {
    std::vector<Address> recipients;  // each once; empty: not even for the unsorted is there anyone
    std::string by;                   // a name of a field; empty: none says who it is for
  };
  Found find(const FetchAccount& account, const HeaderFields& fields) const;

  const RecipientBook& book() const { return book_; }

  // The address that FetchAccount::to and ::unsorted stand for; empty: the postmaster's.
  Address address_of(std::string_view name) const;
  // Who gets what is for that address in the end.
  std::set<Target> targets_of(const Address& address) const;
  // The shortest address that leads to this target and nowhere else; nothing: there is none.
  std::optional<Address> direct_address(const Target& target) const;

 private:
  std::vector<Address> own_of(const std::vector<Address>& addresses,
                              const std::string& prefix) const;
  bool is_known(const Address& address) const;
  void add_unsorted(const FetchAccount& account, Found& found) const;

  RecipientBook book_;
  RecipientBook known_;  // the same without a catch-all
};

// The first fields of that name: those before the next Received, which another server wrote.
std::vector<Address> envelope_addresses(const HeaderFields& fields, std::string_view name);

// Of Return-Path, or else of what providers call so; where none tells, who wrote it (Sender, From),
// for somebody has to hear when it cannot be brought on. Null: the fields say so, or it is the
// answer of a program (RFC 3834 section 5), or there is nobody.
Address fetched_sender(const HeaderFields& fields);

// What tells a message from others: its Message-ID, and those of its resendings, each of which is a
// message of its own. Empty: it has none.
std::string message_ids(const HeaderFields& fields);

// It has been here often enough: through more than kHopsMax servers, or delivered by us to one
// address more than kTurnsMax times (our own Delivered-To).
constexpr size_t kTurnsMax = 4;
constexpr size_t kHopsMax = 100;
bool goes_round(const HeaderScanner& header, const RecipientBook& book);

}  // namespace postern::mail
