// SPDX-License-Identifier: BSD-3-Clause
// The part of the engine that finds.
#include "services/http/store/disk_object.h"
#include "services/http/store/engine.h"

namespace postern::http {
namespace {

bool is_of(const Head& head, const StoreKey& key) {
  return head.tail.primary == key.primary && head.tail.variant == key.variant;
}

}  // namespace

HeadAt Engine::at(const IndexEntry& entry) const {
  return {{entry.tag, entry.variant_tag}, entry.place, log.segment(entry.place.segment()).sequence};
}

// The newest fill that will be the object of the key, and is not on the disk yet.
std::shared_ptr<Fill> Engine::committed_fill(const StoreKey& key, const KeyTags& tags) const {
  std::shared_ptr<Fill> newest;
  const auto [from, to] = fills.equal_range(tags.tag);
  for (auto it = from; it != to; ++it) {
    const Fill& fill = *it->second;
    const bool is_whole = fill.state() == Fill::State::committed && !fill.options().adds;
    if (is_whole && !fill.is_cancelled() && fill.is(key) &&
        (!newest || newest->commit_number() < fill.commit_number()))
      newest = it->second;
  }
  return newest;
}

void Engine::find(const StoreKey& key, Store::Found found) {
  const KeyTags tags = tags_of(key);
  if (auto fill = committed_fill(key, tags)) {
    ++counters.hits;
    const std::string* newer = heads.newer_metadata(key, tags, fill->metadata());
    return found(std::make_unique<FillObject>(*this, std::move(fill), newer));
  }
  IndexEntry* entry = index.find(tags.tag, tags.variant_tag);
  if (entry == nullptr) {
    ++counters.misses;
    return found(nullptr);
  }
  entry->asked_in = log.sequence();
  const HeadAt where = at(*entry);
  Head head;
  const ReadHead outcome = read_head(*file_, geometry(), where, {true, false}, head);
  switch (outcome) {
    case ReadHead::whole:
      ++counters.reads_at_once;
      return answer(key, std::move(head), found);
    case ReadHead::wait:
      break;
    case ReadHead::damaged:
    case ReadHead::unreadable:
      note_unread(where, outcome == ReadHead::unreadable);
      ++counters.misses;
      return found(nullptr);
  }
  load(where, false,
       [this, found = std::move(found), primary = std::string(key.primary),
        variant = std::string(key.variant)](std::optional<Head> loaded) {
         if (loaded) return answer({primary, variant}, std::move(*loaded), found);
         ++counters.misses;
         found(nullptr);
       });
}

void Engine::answer(const StoreKey& key, Head head, const Store::Found& found) {
  std::unique_ptr<DiskObject> object;
  if (is_of(head, key)) {
    const HeadAt where{{head.header.tag, head.header.variant_tag}, head.place, 0};
    const std::string* newer = heads.newer_metadata(key, where.tags, head.tail.metadata);
    object = std::make_unique<DiskObject>(*this, std::move(head), newer);
    // All pieces were reclaimed before the head.
    if (object->is_hollow()) {
      drop(where);
      object.reset();
    }
  }
  ++(object ? counters.hits : counters.misses);
  found(std::move(object));
}

// Takes the entry out of the index, if it is still that one.
void Engine::drop(const HeadAt& where) {
  const IndexEntry* entry = index.find(where.tags.tag, where.tags.variant_tag);
  if (entry == nullptr || entry->place != where.place) return;
  index.erase(where.tags.tag, where.tags.variant_tag);
  ++counters.evicted;
}

void Engine::note_unread(const HeadAt& where, bool is_error) {
  ++(is_error ? counters.errors : counters.damaged);
  if (!is_error) drop(where);
}

void Engine::load(const HeadAt& where, bool with_body,
                  std::function<void(std::optional<Head>)> done) {
  Head head;
  const ReadHead outcome = read_head(*file_, geometry(), where, {true, with_body}, head);
  if (outcome == ReadHead::whole) {
    ++counters.reads_at_once;
    return done(std::move(head));
  }
  if (outcome != ReadHead::wait) {
    note_unread(where, outcome == ReadHead::unreadable);
    return done(std::nullopt);
  }
  ++counters.reads_by_pool;
  pin(where.place.segment());
  struct Reading {
    Head head;
    ReadHead outcome = ReadHead::unreadable;
  };
  // Shared by the pool and its completion.
  auto reading = std::make_shared<Reading>();
  auto work = [reading, where, with_body, geometry = geometry()](File& file) {
    reading->outcome = read_head(file, geometry, where, {false, with_body}, reading->head);
  };
  io.read(std::move(work), [this, reading, where, done = std::move(done)] {
    std::optional<Head> loaded;
    if (reading->outcome == ReadHead::whole)
      loaded = std::move(reading->head);
    else
      note_unread(where, reading->outcome == ReadHead::unreadable);
    done(std::move(loaded));
    unpin(where.place.segment());
  });
}

std::unique_ptr<StoredObject> Engine::find_fill(const StoreKey& key, uint64_t offset) {
  const KeyTags tags = tags_of(key);
  const auto [from, to] = fills.equal_range(tags.tag);
  for (auto it = from; it != to; ++it) {
    const std::shared_ptr<Fill>& fill = it->second;
    if (!fill->is_cancelled() && fill->is(key) && fill->will_have(offset))
      return std::make_unique<FillObject>(*this, fill, nullptr);
  }
  return nullptr;
}

}  // namespace postern::http
