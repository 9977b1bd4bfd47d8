// SPDX-License-Identifier: BSD-3-Clause
// FetchSettings: mailboxes elsewhere that are emptied into ours (F50, F51, F52), and servers that
// are asked to send (ETRN, RFC 1985). Plain values; thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "services/mail/net/tls_use.h"

namespace postern::mail {

struct FetchAccount {
  std::string name;  // of this account here
  std::string host;
  uint16_t port = 110;
  TlsUse tls;
  Credentials credentials;
  std::string to;  // a user, alias, group or address: all of it is theirs. Empty: sorted, see below
  // Fields that tell the envelope's recipients, in order of trust: "Delivered-To", "X-Envelope-To".
  // None of them in a message, or none given: To, Cc and Bcc, resent ones first.
  std::vector<std::string> envelope_fields;
  std::string envelope_prefix;  // what the provider puts before local parts: "acme-"
  std::string unsorted;         // who gets what names nobody here; empty: the postmaster
  bool leaves = false;          // messages stay there, else they go once they are safe here
  Duration leaves_for;          // then they go, too; 0: they stay for ever
  Duration every = seconds(300);
  std::vector<uint32_t> times;  // when it may be fetched (Seams::time_holds); empty: always
  uint64_t message_octets = uint64_t{50} << 20;  // larger ones stay there, with a line in the log
  friend bool operator==(const FetchAccount&, const FetchAccount&) = default;
};

struct EtrnHost {
  std::string host;
  uint16_t port = 25;
  TlsUse tls;
  std::vector<std::string> domains;  // whose mail it has
  Duration every;                    // 0: at link-up and at start alone
  std::vector<uint32_t> times;
  friend bool operator==(const EtrnHost&, const EtrnHost&) = default;
};

struct FetchSettings {
  std::vector<FetchAccount> accounts;
  std::vector<EtrnHost> etrn;
  friend bool operator==(const FetchSettings&, const FetchSettings&) = default;
};

}  // namespace postern::mail
