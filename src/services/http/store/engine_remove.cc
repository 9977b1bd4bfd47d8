// SPDX-License-Identifier: BSD-3-Clause
// The part of the engine that removes and changes.
#include <cstring>

#include "services/http/store/engine.h"

namespace postern::http {

void Engine::remove(std::string_view primary, const Store::Done& done) {
  const KeyTags tags = tags_of({primary, {}});
  index.erase_all(tags.tag);
  heads.cancel(tags.tag);
  const auto [from, to] = fills.equal_range(tags.tag);
  for (auto it = from; it != to; ++it)
    it->second->cancel();
  // Also where nothing is known: an older object, of which the segment is not written over yet, or
  // that could not be read for once, would come back at the next start.
  if (removals >= kStoreRemovalsMax || primary.size() > kStoreKeyMax) {
    ++counters.refused;
    if (done) io.later([done] { done(false); });
    return;
  }
  ++removals;
  auto counted = [this, done](bool is_done) {
    --removals;
    if (done) done(is_done);
  };
  enqueue([this, tag = tags.tag, counted] { return write_tombstone(tag, counted); });
}

// False: no room now.
bool Engine::write_tombstone(uint64_t tag, const Store::Done& done) {
  if (is_failing_) {
    io.later([done] { done(false); });
    return true;
  }
  WriteJob job;
  job.is_record = true;
  job.header.kind = RecordKind::tombstone;
  job.header.tag = tag;
  if (!log.place(job.header, {}, Log::For::fill)) return false;
  job.sync = WriteJob::Sync::soon;
  job.done = done;
  write(std::move(job));
  return true;
}

// Everything that was begun before counts for nothing, from the superblock on.
void Engine::clear(const Store::Done& done) {
  index.clear();
  heads.cancel_all();
  for (const auto& [tag, fill] : fills)
    fill->cancel();
  reclaimer.abort();
  log.clear();
  log.begin_after(log.sequence() + 1);

  ++superblock_.generation;
  superblock_.valid_from = log.sequence() + 1;
  seal(superblock_);
  WriteJob job;
  job.offset = superblock_.generation % 2 * kSuperblockOctets;
  job.tail.resize(kSuperblockOctets);
  std::memcpy(job.tail.data(), &superblock_, sizeof superblock_);
  job.sync = WriteJob::Sync::before;
  job.done = [this, done](bool is_written) {
    // The other one may be the only whole one now: it is not the next one to be written.
    if (!is_written) --superblock_.generation;
    if (done) done(is_written);
  };
  write(std::move(job));
  go_on();
}

void Engine::update_metadata(const StoreKey& key, const MetadataChange& change,
                             const Store::Done& done) {
  const size_t key_octets = key.primary.size() + key.variant.size();
  const size_t octets = key_octets + change.from.size() + change.to.size();
  const bool is_possible = key_octets <= kStoreKeyMax && change.from.size() <= kStoreMetadataMax &&
                           change.to.size() <= kStoreMetadataMax && !is_failing_ &&
                           !is_queue_full(octets);
  if (!is_possible) {
    ++counters.refused;
    if (done) io.later([done] { done(false); });
    return;
  }
  auto write = std::make_shared<HeadWrite>();
  write->kind = HeadWrite::Kind::update;
  write->tags = tags_of(key);
  write->primary = key.primary;
  write->variant = key.variant;
  write->metadata = change.to;
  write->replaces = change.from;
  write->counted = octets;
  queued_octets += octets;
  write->done = done;
  heads.add(write);
}

}  // namespace postern::http
