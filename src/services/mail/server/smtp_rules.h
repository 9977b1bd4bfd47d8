// SPDX-License-Identifier: BSD-3-Clause
// SmtpRules: who may send what to whom by the SMTP server (F53). Sessions keep the rules that they
// began with.
//
//   client of relay_networks, or who has logged in  -> may send to anywhere
//   everybody else, on the port for mail            -> may send to addresses of ours
//
// On the port for mail, which the outside may reach, clients of relay_networks and pop3_networks
// alone can log in.
//
// Pure; thread: any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "services/mail/message/envelope.h"
#include "services/mail/message/reply.h"
#include "services/mail/routing/recipients.h"
#include "services/mail/server/settings.h"
#include "services/mail/smtp/settings.h"

namespace postern::mail {

class ServerTls;

struct SmtpRules {
  std::string host;
  RecipientBook book;
  ServerSettings server;
  uint64_t size_max = 0;           // octets of a message, as it comes
  std::shared_ptr<ServerTls> tls;  // nullptr: there is none
};

// How much strangers get of the places, and of the queue's room: a quarter is for clients of ours.
constexpr uint64_t share_of_strangers(uint64_t all) {
  return all - all / 4;
}

bool is_in(const std::vector<AddressRange>& networks, Ipv4Address client);
// Of relay_networks or pop3_networks.
bool is_ours(const SmtpRules& rules, Ipv4Address client);
// Neither of relay_networks, nor has it logged in.
bool is_stranger(const SmtpRules& rules, const Envelope& envelope);

SmtpSettings settings_for(const SmtpRules& rules, SmtpPort port, Ipv4Address client);

// Replies without a code: yes.
Reply judge_sender(const SmtpRules& rules, const Envelope& envelope);
Reply judge_recipient(const SmtpRules& rules, const Envelope& envelope, const Address& recipient);

}  // namespace postern::mail
