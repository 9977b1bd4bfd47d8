// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/port_pool.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"

namespace postern {
namespace {

constexpr unsigned kProtocols = 3;      // TCP, UDP, ICMP queries
constexpr uint16_t kPrivileged = 1024;  // RFC 4787 REQ-3a: the range of well-known ports ends below
constexpr uint64_t kEvenBits = 0x5555555555555555;

KeyWords key_of(uint8_t protocol, Ipv4Address address) {
  return words_of({address.wire(), be16()}, {}, protocol, KeySpace::external_endpoint);
}

constexpr uint32_t kBlocks = 1024;  // of 64 ports

// How many of the blocks fall to `worker`.
uint32_t words_of_slice(WorkerId worker, const Shards& shards) {
  uint32_t words = 0;
  for (uint32_t block = 0; block < kBlocks; ++block)
    words += shards.slice_of(static_cast<uint16_t>(block << 6)) == worker ? 1 : 0;
  return words;
}

uint64_t bit_of(uint16_t port) {
  return uint64_t{1} << (port & 63);
}

}  // namespace

// What a port must be like.
struct ExternalPortPool::Wish {
  Range range;
  uint64_t parity_bits;  // in a word
  const std::vector<uint16_t>& reserved;

  bool is_reserved(uint16_t port) const {
    return std::binary_search(reserved.begin(), reserved.end(), port);
  }
  // All 64 ports from `first` on; so that long ranges are passed over quickly.
  bool is_block_reserved(uint16_t first) const {
    auto from = std::lower_bound(reserved.begin(), reserved.end(), first);
    return reserved.end() - from >= 64 && from[0] == first && from[63] == first + 63;
  }
};

ExternalPortPool::ExternalPortPool(const Settings& settings)
    : settings_(settings),
      words_each_(words_of_slice(settings.worker, settings.shards)),
      bitmaps_(size_t{settings.addresses_max} * kProtocols),
      words_(size_t{settings.addresses_max} * kProtocols * words_each_),
      index_(settings.addresses_max * kProtocols,
             HashSeed{{settings.random_seed, ~settings.random_seed}}) {
  POSTERN_ASSERT(settings.worker < settings.shards.workers() && words_each_ > 0);
  lay_out();
  random_ = multiply_mix(settings.random_seed ^ 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03);
  random_key_ = multiply_mix(settings.random_seed ^ 0x8CB92BA72F3D8DD7, 0xAEF17502108EF2D9);
}

void ExternalPortPool::lay_out() {
  for (uint32_t block = 0; block < kRound; ++block) {
    rank_[block] = static_cast<uint8_t>(words_in_round_);
    if (is_in_slice(static_cast<uint16_t>(block << 6))) {
      place_[words_in_round_++] = static_cast<uint8_t>(block);
    }
  }
  POSTERN_ASSERT(words_in_round_ * (kBlocks / kRound) == words_each_);
}

std::optional<uint16_t> ExternalPortPool::allocate(uint8_t protocol, Ipv4Address address,
                                                   uint16_t preferred,
                                                   const std::vector<uint16_t>& reserved) {
  uint32_t bitmap = find_or_add(protocol, address);
  if (bitmap == kNone) return std::nullopt;
  Range high{std::max<uint16_t>(settings_.first_port, 1), settings_.last_port};
  Range low{1, static_cast<uint16_t>(std::min(high.first, kPrivileged) - 1)};
  uint64_t parity_bits = kEvenBits << (preferred & 1);
  bool is_privileged = low.contains(preferred);
  if ((is_privileged || high.contains(preferred)) && is_in_slice(preferred)) {
    bool is_taken = (words_of(bitmap)[word_of(preferred)] & bit_of(preferred)) != 0;
    if (!is_taken && !Wish{high, 0, reserved}.is_reserved(preferred)) {
      take(bitmap, preferred);
      return preferred;
    }
  }
  // RFC4787-REQ3a: the range counts more than the parity (REQ4).
  std::optional<uint16_t> port;
  if (is_privileged) {
    port = search(bitmap, {low, parity_bits, reserved});
    if (!port) port = search(bitmap, {low, ~uint64_t{0}, reserved});
  }
  if (!port) port = search(bitmap, {high, parity_bits, reserved});
  if (!port) port = search(bitmap, {high, ~uint64_t{0}, reserved});
  if (port) take(bitmap, *port);
  return port;
}

bool ExternalPortPool::claim(uint8_t protocol, Ipv4Address address, uint16_t port) {
  if (!is_in_slice(port)) return false;
  uint32_t bitmap = find_or_add(protocol, address);
  if (bitmap == kNone) return false;
  if ((words_of(bitmap)[word_of(port)] & bit_of(port)) != 0) return false;
  take(bitmap, port);
  return true;
}

void ExternalPortPool::release(uint8_t protocol, Ipv4Address address, uint16_t port) {
  uint32_t bitmap = find(protocol, address);
  POSTERN_DCHECK(bitmap != kNone && is_in_slice(port));
  uint64_t& word = words_of(bitmap)[word_of(port)];
  POSTERN_DCHECK((word & bit_of(port)) != 0);
  word &= ~bit_of(port);
  --bitmaps_[bitmap].in_use;
  note_free(bitmap, word_of(port));
}

uint32_t ExternalPortPool::in_use(uint8_t protocol, Ipv4Address address) const {
  uint32_t bitmap = find(protocol, address);
  return bitmap == kNone ? 0 : bitmaps_[bitmap].in_use;
}

void ExternalPortPool::set_range(uint16_t first_port, uint16_t last_port) {
  settings_.first_port = first_port;
  settings_.last_port = last_port;
}

// RFC4787-REQ2: the same address for every mapping of a host, over restarts and on all workers.
uint32_t ExternalPortPool::paired_index(Ipv4Address internal, uint32_t count) {
  uint64_t hash = multiply_mix(internal.number ^ 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03);
  return static_cast<uint32_t>((hash >> 32) * count >> 32);
}

uint32_t ExternalPortPool::find(uint8_t protocol, Ipv4Address address) const {
  uint32_t& known = found_[address.number % std::size(found_)];
  if (bitmaps_[known].protocol == protocol && bitmaps_[known].address == address.wire()) {
    return known;
  }
  const uint32_t bitmap = index_.find(key_of(protocol, address));
  if (bitmap != kNone) known = bitmap;
  return bitmap;
}

uint32_t ExternalPortPool::find_or_add(uint8_t protocol, Ipv4Address address) {
  uint32_t bitmap = find(protocol, address);
  if (bitmap != kNone || !has_identifier(protocol)) return bitmap;
  bitmap = find_unused();
  if (bitmap == kNone) return kNone;
  bitmaps_[bitmap].address = address.wire();
  bitmaps_[bitmap].protocol = protocol;
  index_.insert(key_of(protocol, address), bitmap);
  for (uint32_t word = 0; word < words_each_; ++word)
    note_free(bitmap, word);
  return bitmap;
}

// A bitmap without ports in use, taken from an address that had it if need be.
uint32_t ExternalPortPool::find_unused() {
  if (bitmaps_used_ < bitmaps_.size()) return bitmaps_used_++;
  uint32_t bitmap = 0;
  while (bitmap < bitmaps_used_ && bitmaps_[bitmap].in_use != 0)
    ++bitmap;
  if (bitmap == bitmaps_used_) return kNone;
  index_.erase(key_of(bitmaps_[bitmap].protocol, Ipv4Address(bitmaps_[bitmap].address)));
  return bitmap;
}

// Brings the summary of a word up to date.
void ExternalPortPool::note_free(uint32_t bitmap, uint32_t word) {
  uint64_t free = ~words_of(bitmap)[word];
  for (unsigned parity = 0; parity < 2; ++parity) {
    uint64_t& summary = bitmaps_[bitmap].has_free[parity][word / 64];
    uint64_t bit = uint64_t{1} << word % 64;
    summary = (free & (kEvenBits << parity)) != 0 ? summary | bit : summary & ~bit;
  }
}

void ExternalPortPool::take(uint32_t bitmap, uint16_t port) {
  words_of(bitmap)[word_of(port)] |= bit_of(port);
  ++bitmaps_[bitmap].in_use;
  note_free(bitmap, word_of(port));
}

// RFC 6056 3.3.1: from a random place once round the range.
std::optional<uint16_t> ExternalPortPool::search(uint32_t bitmap, const Wish& wish) {
  if (wish.range.last < wish.range.first) return std::nullopt;
  // The slice's words that have ports of the range: [from, to).
  uint32_t from = words_before(wish.range.first >> 6);
  uint32_t to = words_before((wish.range.last >> 6) + 1u);
  if (to <= from) return std::nullopt;
  uint32_t start = from + static_cast<uint32_t>((random() >> 32) * (to - from) >> 32);
  std::optional<uint16_t> port = search_words(bitmap, wish, start, to);
  return port ? port : search_words(bitmap, wish, from, start);
}

std::optional<uint16_t> ExternalPortPool::search_words(uint32_t bitmap, const Wish& wish,
                                                       uint32_t from, uint32_t to) {
  const auto& has_free = bitmaps_[bitmap].has_free;
  for (uint32_t word = from; word < to;) {
    uint64_t even = (wish.parity_bits & kEvenBits) != 0 ? has_free[0][word / 64] : 0;
    uint64_t odd = (wish.parity_bits & ~kEvenBits) != 0 ? has_free[1][word / 64] : 0;
    uint64_t candidates = (even | odd) >> word % 64;
    if (candidates == 0) {
      word = (word / 64 + 1) * 64;
      continue;
    }
    word += static_cast<uint32_t>(std::countr_zero(candidates));
    if (word >= to) break;
    if (std::optional<uint16_t> port = search_word(bitmap, word, wish)) return port;
    ++word;
  }
  return std::nullopt;
}

std::optional<uint16_t> ExternalPortPool::search_word(uint32_t bitmap, uint32_t word,
                                                      const Wish& wish) {
  const uint16_t first = first_port_of(word);
  if (wish.is_block_reserved(first)) return std::nullopt;
  int turn = static_cast<int>(random() & 63);
  uint64_t candidates = std::rotr(~words_of(bitmap)[word] & wish.parity_bits, turn);
  for (; candidates != 0; candidates &= candidates - 1) {
    int bit = (std::countr_zero(candidates) + turn) & 63;
    uint16_t port = static_cast<uint16_t>(first + bit);
    if (wish.range.contains(port) && !wish.is_reserved(port)) return port;
  }
  return std::nullopt;
}

// A keyed counter: what it gave tells nobody without the key what it gives next.
uint64_t ExternalPortPool::random() {
  random_ += 0xA0761D6478BD642F;
  return multiply_mix(random_, random_ ^ random_key_);
}

}  // namespace postern
