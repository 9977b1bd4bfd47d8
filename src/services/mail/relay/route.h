// SPDX-License-Identifier: BSD-3-Clause
// Where a message goes: which hop its recipient belongs to, and which hosts that hop is. Pure;
// thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "services/mail/message/envelope.h"
#include "services/mail/message/reply.h"
#include "services/mail/relay/settings.h"
#include "services/mail/seams.h"

namespace postern::mail {

// "relay", "sender 0" (the place in by_sender) or "mx b.example"; empty: there is no way.
std::string find_hop(const RelaySettings& settings, const Address& sender,
                     const Address& recipient);

// The hosts of a hop that the settings name; nullptr: they name none.
const std::vector<RelayHost>* find_hosts(const RelaySettings& settings, const std::string& hop);
// "b.example", of a hop by MX; empty: it is none.
std::string domain_of(const std::string& hop);

// RFC 5321 section 5.1, RFC 7505.
struct MailHostChoice {
  std::vector<std::string> names;  // in the order in which they are to be tried
  Reply refusal;                   // of mail for that domain, where there are no names
};
constexpr size_t kMailHostsMax = 5;

// `found`: the MX records of `domain`. `own`: our name; where it is among them we are the mail's
// destination or behind it, and only better hosts are tried. `random`: orders equal ones.
MailHostChoice choose_mail_hosts(const std::string& domain, std::vector<MailHost> found,
                                 const std::string& own, uint64_t random);

// Of the addresses of a domain's host those that a connection is made to, for RelaySettings::own
// and mx_allowed. `refusal`: of mail for it, where none is left.
struct MailAddressChoice {
  std::vector<Ipv4Address> addresses;
  Reply refusal;
};
MailAddressChoice choose_mail_addresses(const RelaySettings& settings, const std::string& host,
                                        std::vector<Ipv4Address> found);

}  // namespace postern::mail
