// SPDX-License-Identifier: BSD-3-Clause
#include "support/signed_zone.h"

#include <sodium.h>

#include <ctime>

#include "base/assert.h"

namespace postern::test {
namespace {

using dns::Bytes;
using dns::Name;
using Message = SignedZone::Message;

constexpr uint32_t kTtl = 300;
constexpr uint8_t kEd25519 = 15;

void add16(Message& to, unsigned value) {
  to.push_back(static_cast<uint8_t>(value >> 8));
  to.push_back(static_cast<uint8_t>(value));
}
void add32(Message& to, uint32_t value) {
  add16(to, value >> 16);
  add16(to, value & 0xFFFF);
}
void add(Message& to, Bytes bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void add_record(Message& to, Bytes owner, uint16_t type, const Message& data) {
  add(to, owner);
  add16(to, type);
  add16(to, dns::kClassIn);
  add32(to, kTtl);
  add16(to, static_cast<unsigned>(data.size()));
  add(to, data);
}

unsigned key_tag(const Message& dnskey) {  // RFC 4034 appendix B
  uint32_t sum = 0;
  for (size_t i = 0; i < dnskey.size(); ++i)
    sum += (i & 1) != 0 ? dnskey[i] : dnskey[i] << 8;
  return (sum + (sum >> 16)) & 0xFFFF;
}

// The bitmap of types below 256 (RFC 4034 section 4.1.2).
Message bitmap(std::initializer_list<uint16_t> types) {
  Message map = {0, 0};
  for (const uint16_t type : types) {
    const size_t at = 2 + type / 8u;
    if (map.size() <= at) map.resize(at + 1);
    map[at] |= static_cast<uint8_t>(0x80 >> type % 8);
  }
  map[1] = static_cast<uint8_t>(map.size() - 2);
  return map;
}

Name name_of_key(const std::string& key) {
  return Name(Bytes(reinterpret_cast<const uint8_t*>(key.data()), key.size()));
}

}  // namespace

SignedZone::SignedZone(std::string_view apex) : apex_(*dns::parse_name(apex)) {
  POSTERN_ASSERT(sodium_init() >= 0);
  crypto_sign_keypair(public_key_.data(), secret_key_.data());
}

void SignedZone::add(std::string_view name, Ipv4Address address) {
  names_[std::string(dns::parse_name(name)->key())] = address;
}

Message SignedZone::dnskey() const {
  Message data;
  add16(data, 257);
  data.push_back(3);
  data.push_back(kEd25519);
  test::add(data, public_key_);
  return data;
}

std::string SignedZone::anchor() const {
  std::array<char, 64> text;
  sodium_bin2base64(text.data(), text.size(), public_key_.data(), public_key_.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  return dns::to_text(apex_) + ". IN DNSKEY 257 3 15 " + text.data();
}

Message SignedZone::soa() const {
  Message data;
  test::add(data, apex_.wire());
  test::add(data, apex_.wire());
  for (const uint32_t number : {1u, 3600u, 600u, 86400u, 60u})
    add32(data, number);
  return data;
}

Message SignedZone::signature(const Name& owner, uint16_t type, const Message& data) const {
  const auto now = static_cast<uint32_t>(time(nullptr));
  Message out;
  add16(out, type);
  out.push_back(kEd25519);
  out.push_back(static_cast<uint8_t>(dns::count_labels(owner.key())));
  add32(out, kTtl);
  add32(out, is_expired_ ? now - 86'400 : now + 86'400);
  add32(out, now - 2 * 86'400);
  add16(out, key_tag(dnskey()));
  test::add(out, apex_.wire());
  Message signed_data = out;
  add_record(signed_data, owner.wire(), type, data);
  std::array<uint8_t, 64> sign;
  crypto_sign_detached(sign.data(), nullptr, signed_data.data(), signed_data.size(),
                       secret_key_.data());
  test::add(out, sign);
  return out;
}

void SignedZone::append_set(Message& message, const Name& owner, uint16_t type, const Message& data,
                            uint16_t& count) const {
  add_record(message, owner.wire(), type, data);
  ++count;
  if (is_stripped_) return;
  add_record(message, owner.wire(), dns::type::rrsig, signature(owner, type, data));
  ++count;
}

// The NSEC of `owner`. The zone is a line from its apex through its names, which are one label
// deep, and back.
Message SignedZone::nsec_of(std::string_view owner) const {
  const bool is_apex = owner == apex_.key();
  auto next = is_apex ? names_.begin() : std::next(names_.find(std::string(owner)));
  Message data;
  test::add(data, next == names_.end() ? apex_.wire() : name_of_key(next->first).wire());
  test::add(data,
            is_apex ? bitmap({dns::type::soa, dns::type::rrsig, dns::type::nsec, dns::type::dnskey})
                    : bitmap({dns::type::a, dns::type::rrsig, dns::type::nsec}));
  return data;
}

// The owner whose NSEC covers `key`. Names of one length sort as their keys do.
std::string SignedZone::covering(const std::string& key) const {
  auto after = names_.upper_bound(key);
  return after == names_.begin() ? std::string(apex_.key()) : std::prev(after)->first;
}

Message SignedZone::answer(std::span<const uint8_t> query) const {
  dns::Query asked;
  POSTERN_ASSERT(dns::parse_query(query, asked) == dns::QueryFault::none);
  Message message = answer(dns::Question{asked.name, asked.type, true, true});
  dns::put16(message, 0, asked.id);
  return message;
}

Message SignedZone::answer(const dns::Question& question) const {
  Message message(dns::kHeaderBytes);
  test::add(message, question.name.wire());
  add16(message, question.type);
  add16(message, dns::kClassIn);
  uint16_t answers = 0;
  uint16_t authorities = 0;
  unsigned flags = dns::flag::qr | dns::flag::rd | dns::flag::ra | dns::flag::cd;
  const std::string key(question.name.key());
  const bool is_apex = key == apex_.key();
  const auto found = names_.find(key);
  if (is_apex && question.type == dns::type::dnskey) {
    append_set(message, apex_, dns::type::dnskey, dnskey(), answers);
  } else if (found != names_.end() && question.type == dns::type::a) {
    Message data;
    add32(data, found->second.number);
    append_set(message, question.name, dns::type::a, data, answers);
  } else {
    append_set(message, apex_, dns::type::soa, soa(), authorities);
    const std::string owner = is_apex || found != names_.end() ? key : covering(key);
    append_set(message, name_of_key(owner), dns::type::nsec, nsec_of(owner), authorities);
    if (owner != key) {
      flags |= dns::rcode::name_error;
      const std::string root(apex_.key());  // no wildcard
      if (owner != root) append_set(message, apex_, dns::type::nsec, nsec_of(root), authorities);
    }
  }
  dns::put16(message, 2, static_cast<uint16_t>(flags));
  dns::put16(message, 4, 1);
  dns::put16(message, 6, answers);
  dns::put16(message, 8, authorities);
  return message;
}

dns::Question question_of(std::string_view name, uint16_t type) {
  return {*dns::parse_name(name), type, true, false};
}

}  // namespace postern::test
