// SPDX-License-Identifier: BSD-3-Clause
// OwnQuestions: the gateway asks its own DNS service for the addresses of a name, as clients do:
// records, leases, the cache, forwards and validation hold for it, too; rate limit, query log and
// block lists do not. Who asks on behalf of a client holds the block lists against the name itself
// (DnsControl::find_addresses); names that it is only another one for (CNAME) are not looked at.
//
// Thread: control. Bound: kQuestionsMax under way; further ones fail at once. Each is answered: the
// service gives up by itself (Forwarder::kPatience), and what is open at the end fails.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "services/dns/service.h"

namespace postern {

class OwnQuestions {
 public:
  using Addresses = std::vector<Ipv4Address>;
  using Found = std::function<void(const Result<Addresses>& addresses)>;
  // Numbers of Service::ask_own from here on are ours, those below the validator's.
  static constexpr uint32_t kFirstNumber = uint32_t{1} << 31;
  static constexpr size_t kQuestionsMax = 4096;
  static constexpr size_t kAddressesMax = 16;  // of one name

  explicit OwnQuestions(dns::Service& service) : service_(service) {}
  ~OwnQuestions();
  OwnQuestions(const OwnQuestions&) = delete;
  OwnQuestions& operator=(const OwnQuestions&) = delete;

  // `found` is called once, perhaps before this returns.
  void ask(const dns::Name& name, const Found& found);
  // The answer to the question of that number.
  void take(uint32_t number, dns::Bytes message);

  size_t under_way() const { return questions_.size(); }

 private:
  dns::Service& service_;
  uint32_t last_ = kFirstNumber;
  std::map<uint32_t, Found> questions_;
};

// The addresses of an answer, in its order; the error says what it has instead. Pure.
Result<OwnQuestions::Addresses> addresses_of_answer(dns::Bytes message);

}  // namespace postern
