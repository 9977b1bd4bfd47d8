// SPDX-License-Identifier: BSD-3-Clause
// A zone of a few addresses that is signed by a key made for the test (Ed25519, RFC 8080), and
// answers queries as its server would: addresses, its DNSKEY, its SOA, and denials by NSEC.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "services/dns/answer.h"

namespace postern::test {

class SignedZone {
 public:
  using Message = std::vector<uint8_t>;
  explicit SignedZone(std::string_view apex);

  void add(std::string_view name, Ipv4Address address);
  // Signatures from now on are over, or right again.
  void expire(bool is_expired) { is_expired_ = is_expired; }
  // No signatures from now on.
  void strip(bool is_stripped) { is_stripped_ = is_stripped; }

  // The DNSKEY record as a line of a zone file.
  std::string anchor() const;
  // The answer to a query, which is sound and has EDNS with DO.
  Message answer(std::span<const uint8_t> query) const;
  Message answer(const dns::Question& question) const;

 private:
  void append_set(Message& message, const dns::Name& owner, uint16_t type, const Message& data,
                  uint16_t& count) const;
  Message signature(const dns::Name& owner, uint16_t type, const Message& data) const;
  Message dnskey() const;
  Message soa() const;
  Message nsec_of(std::string_view owner) const;
  std::string covering(const std::string& key) const;

  dns::Name apex_;
  std::map<std::string, Ipv4Address> names_;  // by Name::key()
  std::array<uint8_t, 32> public_key_;
  std::array<uint8_t, 64> secret_key_;
  bool is_expired_ = false;
  bool is_stripped_ = false;
};

// "name.example" and a type as a question with DO.
dns::Question question_of(std::string_view name, uint16_t type = dns::type::a);

}  // namespace postern::test
