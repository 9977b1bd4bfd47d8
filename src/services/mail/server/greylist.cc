// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/server/greylist.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <tuple>

#include "services/mail/message/address.h"
#include "services/mail/message/octets.h"

namespace postern::mail {
namespace {

// The file: kMagic, the key, entries that are not empty, the hash of all that. Numbers as this
// machine has them: it stays on it.
constexpr std::string_view kMagic = "postern greylist 1\n";

bool is_digit(char octet) {
  return octet >= '0' && octet <= '9';
}

// "bounce+4711-a7@list.example" -> "bounce"; "b-4711@" -> "b-#".
std::string same_for_all(std::string_view local) {
  local = local.substr(0, local.find('+'));
  std::string out;
  for (const char octet : local) {
    if (!is_digit(octet)) {
      out += octet;
    } else if (out.empty() || out.back() != '#') {
      out += '#';
    }
  }
  return to_lower(out);
}

template <typename T>
void put(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
void take(std::string_view& octets, T& value) {
  std::memcpy(&value, octets.data(), sizeof value);
  octets.remove_prefix(sizeof value);
}

}  // namespace

Greylist::Greylist() {
  clear();
}

void Greylist::clear() {
  randombytes_buf(&key_, sizeof key_);
  entries_.assign(kSets * kWays, Entry());
}

uint64_t Greylist::hash_of(const Sending& sending) const {
  std::string key = same_for_all(sending.sender.local) + '@' + sending.sender.domain + '\0' +
                    to_lower(sending.recipient.local) + '@' + sending.recipient.domain + '\0';
  put(key, sending.client.number >> 8);
  return std::max<uint64_t>(io::keyed_hash(key, key_), 1);
}

Greylist::Entry& Greylist::place_of(uint64_t hash, const GreylistSettings& settings,
                                    int64_t now_s) {
  const auto begin = entries_.begin() + static_cast<std::ptrdiff_t>(hash % kSets * kWays);
  const auto end = begin + kWays;
  const auto is_over = [&](const Entry& entry) {
    if (entry.last_s != 0) return now_s - entry.last_s > settings.memory.ns / seconds(1).ns;
    return now_s - entry.first_s > kRetryMaxS;
  };
  const auto known =
      std::find_if(begin, end, [hash](const Entry& entry) { return entry.hash == hash; });
  if (known != end) {
    if (is_over(*known)) *known = Entry();
    return *known;
  }
  // Empty ones, those that are over, those that wait, those that have passed; older ones first.
  const auto rank = [&](const Entry& entry) {
    const bool is_free = entry.hash == 0 || is_over(entry);
    return std::make_tuple(!is_free, entry.last_s, entry.first_s);
  };
  Entry& worst = *std::min_element(
      begin, end, [&](const Entry& a, const Entry& b) { return rank(a) < rank(b); });
  worst = Entry();
  return worst;
}

int64_t Greylist::ask(const Sending& sending, const GreylistSettings& settings, int64_t now_s) {
  const uint64_t hash = hash_of(sending);
  Entry& entry = place_of(hash, settings, now_s);
  const auto now = static_cast<uint32_t>(now_s);
  is_changed_ = true;
  if (entry.hash == 0) entry = {hash, now, 0};
  const int64_t wait_s = settings.wait.ns / seconds(1).ns;
  // A clock that was set back makes nobody wait longer than once more.
  if (now < entry.first_s) entry.first_s = now;
  if (entry.last_s == 0 && now - entry.first_s < wait_s) return wait_s - (now - entry.first_s);
  entry.last_s = now;
  return 0;
}

std::string Greylist::encode() const {
  std::string out(kMagic);
  put(out, key_);
  for (const Entry& entry : entries_) {
    if (entry.hash != 0) put(out, entry);
  }
  put(out, io::keyed_hash(out, key_));
  return out;
}

bool Greylist::decode(std::string_view octets) {
  clear();
  const size_t least = kMagic.size() + sizeof key_ + sizeof(uint64_t);
  if (octets.size() < least || !octets.starts_with(kMagic)) return false;
  if ((octets.size() - least) % sizeof(Entry) != 0) return false;
  io::HashKey key = {};
  uint64_t sum = 0;
  std::string_view tail = octets.substr(octets.size() - sizeof sum);
  std::string_view left = octets.substr(kMagic.size());
  take(left, key);
  take(tail, sum);
  if (io::keyed_hash(octets.substr(0, octets.size() - sizeof sum), key) != sum) return false;
  key_ = key;
  std::vector<size_t> used(kSets);
  while (left.size() > sizeof sum) {
    Entry entry;
    take(left, entry);
    const size_t set = entry.hash % kSets;
    if (entry.hash != 0 && used[set] < kWays) entries_[set * kWays + used[set]++] = entry;
  }
  return true;
}

}  // namespace postern::mail
