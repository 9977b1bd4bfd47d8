// SPDX-License-Identifier: BSD-3-Clause
// OwnQuestions: the gateway asks its own DNS service for the addresses of a name, or the mail hosts
// of a domain (RFC 5321 section 5.1), as clients do:
// records, leases, the cache, forwards and validation hold for it, too; rate limit, query log and
// block lists do not. Who asks on behalf of a client holds the block lists against the name itself
// (DnsControl::find_addresses); names that it is only another one for (CNAME) are not looked at.
//
// Whoever asks is told on a later turn of the loop, never from within ask(), take() or the
// destructor: the forwarder hands out answers in the middle of telling all who wait for one, and
// must not be asked again there.
//
// Thread: control. Bound: kQuestionsMax under way; further ones fail. Each is answered: the service
// gives up by itself (Forwarder::kPatience), and what is open at the end fails.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "services/dns/service.h"
#include "services/mail/seams.h"

namespace postern {

class OwnQuestions {
 public:
  using Addresses = std::vector<Ipv4Address>;
  using Found = std::function<void(const Result<Addresses>& addresses)>;
  using MailHosts = std::vector<mail::MailHost>;
  using HostsFound = std::function<void(const Result<MailHosts>& hosts)>;
  // Numbers of Service::ask_own from here on are ours, those below the validator's.
  static constexpr uint32_t kFirstNumber = uint32_t{1} << 31;
  // A quarter, as for any client: whatever names are asked for on behalf of others, those who ask
  // the service themselves have the rest.
  static constexpr size_t kQuestionsMax = dns::kPendingMax / 4;
  static constexpr size_t kAddressesMax = 16;  // of one name
  static constexpr size_t kMailHostsMax = 32;  // of one domain

  OwnQuestions(boost::asio::io_context& context, dns::Service& service)
      : context_(context), service_(service) {}
  ~OwnQuestions();
  OwnQuestions(const OwnQuestions&) = delete;
  OwnQuestions& operator=(const OwnQuestions&) = delete;

  // `found` is called once, on a later turn, even when this is gone by then.
  void ask(const dns::Name& name, const Found& found);
  // The same for the MX records; a domain without any has none, which is no error.
  void ask_mail_hosts(const dns::Name& domain, const HostsFound& found);
  // The answer to the question of that number; it is read at once.
  void take(uint32_t number, dns::Bytes message);

  size_t under_way() const { return questions_.size(); }

 private:
  // The answer, or why there is none.
  using Taken = std::function<void(const Result<dns::Bytes>& message)>;
  void ask(const dns::Name& name, uint16_t type, Taken taken);

  boost::asio::io_context& context_;
  dns::Service& service_;
  uint32_t last_ = kFirstNumber;
  std::map<uint32_t, Taken> questions_;
};

// The addresses of an answer, in its order; the error says what it has instead. Pure.
Result<OwnQuestions::Addresses> addresses_of_answer(dns::Bytes message);
// The same of mail hosts; "." of a domain that takes no mail (RFC 7505) is an empty name.
Result<OwnQuestions::MailHosts> mail_hosts_of_answer(dns::Bytes message);

}  // namespace postern
