// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/store/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "services/io/keyed_hash.h"

namespace postern::http {
namespace {

constexpr uint64_t kObjectsLeast = 16'384;
constexpr uint64_t kOctetsAnObject = 8'192;

uint64_t objects_max_of(const StoreOptions& options) {
  if (options.objects_max != 0) return options.objects_max;
  return std::max(kObjectsLeast, options.octets / kOctetsAnObject);
}

}  // namespace

Engine::Engine(const StoreOptions& store_options, std::unique_ptr<File> file,
               const Superblock& superblock)
    : options(store_options),
      objects_max(objects_max_of(store_options)),
      file_(std::move(file)),
      superblock_(superblock),
      has_extents_(file_->can_renew(superblock.segment_octets)),
      io(*file_, superblock.salt, options.readers, options.post),
      log(Geometry(superblock), io),
      heads(*this),
      reclaimer(*this) {
  log.when_settled([this] { go_on(); });
}

// First the threads, then what their jobs hold, then the parts.
Engine::~Engine() {
  is_closing_ = true;
  if (!is_failing_) log.seal_open();
  io.stop();
  heads.drop_all();
  waiting_.clear();
  fills.clear();
  POSTERN_ASSERT(users == 0);
}

KeyTags Engine::tags_of(const StoreKey& key) const {
  io::HashKey hash_key;
  std::memcpy(hash_key.octets, superblock_.hash_key, sizeof hash_key.octets);
  KeyTags tags;
  tags.tag = io::keyed_hash(key.primary, hash_key);
  if (!key.variant.empty())
    tags.variant_tag = static_cast<uint32_t>(io::keyed_hash(key.variant, hash_key)) | 1;
  return tags;
}

std::shared_ptr<Fill> Engine::begin(const StoreKey& key, std::string_view metadata,
                                    const FillOptions& fill_options) {
  const size_t key_octets = key.primary.size() + key.variant.size();
  const bool is_part = fill_options.offset > 0 || fill_options.adds;
  const bool is_sound = key_octets <= kStoreKeyMax && metadata.size() <= kStoreMetadataMax &&
                        (!is_part || fill_options.length) &&
                        fill_options.offset <= fill_options.length.value_or(0);
  if (!is_sound || is_failing_ || fills.size() >= kFillsMax ||
      is_queue_full(key_octets + metadata.size())) {
    ++counters.refused;
    return nullptr;
  }
  auto fill = std::make_shared<Fill>(*this, key, metadata, fill_options);
  fills.emplace(fill->tags().tag, fill);
  return fill;
}

void Engine::forget(const Fill& fill) {
  const auto [from, to] = fills.equal_range(fill.tags().tag);
  const auto found =
      std::find_if(from, to, [&fill](const auto& known) { return known.second.get() == &fill; });
  if (found != to) fills.erase(found);
}

void Engine::enqueue(std::function<bool()> attempt) {
  if (waiting_.empty() && attempt()) return reclaimer.kick();
  waiting_.push_back(std::move(attempt));
  reclaimer.kick();
  break_jam();
}

void Engine::go_on() {
  if (is_going_on_ || is_closing_) return;
  is_going_on_ = true;
  while (!waiting_.empty()) {
    // An attempt may put others behind it.
    const std::function<bool()> attempt = std::move(waiting_.front());
    waiting_.pop_front();
    if (attempt()) continue;
    waiting_.push_front(attempt);
    break;
  }
  is_going_on_ = false;
  reclaimer.kick();
  break_jam();
}

// Where no segment can be reclaimed, as fills under way hold them all, the one that holds most
// ends: else they would wait for each other for ever, as an object would that is longer than the
// file.
void Engine::break_jam() {
  if (waiting_.empty() || is_failing_ || is_closing_ || is_going_on_) return;
  if (reclaimer.is_running() || log.victim()) return;
  std::shared_ptr<Fill> longest;
  for (const auto& [tag, fill] : fills) {
    if (fill->held_segments() > (longest ? longest->held_segments() : 0)) longest = fill;
  }
  if (!longest) return;  // those who read hold them, and will let them go
  ++counters.refused;
  longest->give_way();
  io.later([this] { go_on(); });
}

void Engine::unpin(uint32_t segment) {
  log.unpin(segment);
  // Who waits for a free segment may have waited for this one.
  if (!waiting_.empty()) go_on();
}

void Engine::write(WriteJob job) {
  job.done = [this, done = std::move(job.done)](bool is_written) {
    note_written(is_written);
    if (done) done(is_written);
  };
  io.write(std::move(job));
}

void Engine::note_written(bool is_written) {
  if (!is_written) return fail();
  if (!is_on_trial_) return;
  is_on_trial_ = false;
  if (options.on_trouble) options.on_trouble(options.path + ": storing works again");
}

// C19: nothing is stored, everything else goes on.
void Engine::fail() {
  ++counters.errors;
  if (is_failing_) return;
  is_failing_ = true;
  const int number = static_cast<int>(-io.last_error());
  const bool is_new = !std::exchange(is_on_trial_, false);
  if (is_new && options.on_trouble)
    options.on_trouble(fmt::format("{}: storing stopped: {}; requests are served without it",
                                   options.path, std::strerror(number)));
  io.later([this] { go_on(); });
}

void Engine::retry() {
  if (!is_failing_ || !io.is_idle()) return;
  io.mend();
  log.mend();
  is_failing_ = false;
  is_on_trial_ = true;
  go_on();
}

// One more variant than the bound takes the place of the one that was written first.
bool Engine::add(const IndexEntry& entry) {
  size_t variants = 0;
  bool is_known = false;
  index.each_variant(entry.tag, [&](IndexEntry& known) {
    ++variants;
    if (known.variant_tag != entry.variant_tag) return;
    known = entry;
    is_known = true;
  });
  if (is_known) return true;
  if (index.size() >= objects_max) {
    ++counters.refused;
    return false;
  }
  if (variants >= kStoreVariantsMax) drop_oldest_variant(entry.tag);
  index.insert_new(entry);
  return true;
}

void Engine::drop_oldest_variant(uint64_t tag) {
  IndexEntry oldest;
  std::pair lowest(~uint32_t{0}, ~uint32_t{0});
  index.each_variant(tag, [&](const IndexEntry& known) {
    const uint32_t sequence = log.segment(known.place.segment()).sequence;
    const std::pair written(sequence, known.place.offset());
    if (written >= lowest) return;
    lowest = written;
    oldest = known;
  });
  if (index.erase(tag, oldest.variant_tag)) ++counters.evicted;
}

bool Engine::is_queue_full(uint64_t octets) const {
  return queued_octets + octets > options.queue_octets_max;
}

bool Engine::is_queue_half_full() const {
  return queued_octets > options.queue_octets_max / 2;
}

StoreCounters Engine::count() const {
  StoreCounters counted = counters;
  counted.objects = index.size();
  counted.octets = geometry().file_octets;
  counted.octets_used = log.octets_used();
  counted.index_octets = index.octets();
  counted.queued_octets = queued_octets;
  counted.fills = fills.size();
  counted.is_failing = is_failing_ || is_on_trial_;
  return counted;
}

}  // namespace postern::http
