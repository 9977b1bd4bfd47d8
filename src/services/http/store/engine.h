// SPDX-License-Identifier: BSD-3-Clause
// Engine: what a Store is made of, and what its parts share: the file, the log, the index, the
// fills under way, and the queue of what waits for a free segment.
//
//   Store -> Engine -> Log (places), Index (finds), StoreHeadWriter (one write a key at a time),
//                      Reclaimer (makes room), IoQueue (threads)
//
// Bounds: those of StoreOptions. Thread: the store's.
#pragma once

#include <deque>
#include <unordered_map>
#include <vector>

#include "services/http/store/fill.h"
#include "services/http/store/head_writer.h"
#include "services/http/store/reclaim.h"
#include "services/http/store/store.h"

namespace postern::http {

class Engine {
 public:
  // The file has been looked at (rebuild.h) and its superblock is this.
  Engine(const StoreOptions& options, std::unique_ptr<File> file, const Superblock& superblock);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const Geometry& geometry() const { return log.geometry(); }
  File& file() { return *file_; }
  // Whether what sendfile(2) takes from the file stays as it is.
  bool has_extents() const { return has_extents_; }
  KeyTags tags_of(const StoreKey& key) const;

  // engine_find.cc
  void find(const StoreKey& key, Store::Found found);
  std::unique_ptr<StoredObject> find_fill(const StoreKey& key, uint64_t offset);
  // Reads a head; `done` is called with nothing where it cannot be had (counted). At once if it is
  // in the page cache.
  void load(const HeadAt& where, bool with_body, std::function<void(std::optional<Head>)> done);
  HeadAt at(const IndexEntry& entry) const;

  // engine.cc
  std::shared_ptr<Fill> begin(const StoreKey& key, std::string_view metadata,
                              const FillOptions& options);
  void forget(const Fill& fill);
  // `attempt` places and writes, or says false: no segment is free. Attempts keep their order.
  void enqueue(std::function<bool()> attempt);
  // Something may have become free.
  void go_on();
  void write(WriteJob job);
  void pin(uint32_t segment) { log.pin(segment); }
  void unpin(uint32_t segment);
  // Adds an object to the index, within its bounds; false: it is full.
  bool add(const IndexEntry& entry);
  bool is_queue_full(uint64_t octets) const;
  bool is_queue_half_full() const;
  bool is_failing() const { return is_failing_; }
  void retry();
  StoreCounters count() const;

  // engine_remove.cc
  void remove(std::string_view primary, const Store::Done& done);
  void clear(const Store::Done& done);
  void update_metadata(const StoreKey& key, const MetadataChange& change, const Store::Done& done);

  StoreOptions options;
  StoreCounters counters;
  uint64_t queued_octets = 0;
  uint64_t objects_max = 0;
  uint64_t begins = 0;
  uint64_t commits = 0;
  uint64_t removals = 0;  // that wait to be written
  uint64_t users = 0;     // fills and objects that were found: none may outlive this
  std::unordered_multimap<uint64_t, std::shared_ptr<Fill>> fills;  // shared: see writer.h

 private:
  std::unique_ptr<File> file_;
  Superblock superblock_;
  const bool has_extents_;
  std::deque<std::function<bool()>> waiting_;
  bool is_failing_ = false;
  bool is_on_trial_ = false;  // retry() was called, and nothing has been written since
  bool is_going_on_ = false;
  bool is_closing_ = false;

  void note_written(bool is_written);
  void fail();
  void drop_oldest_variant(uint64_t tag);
  bool write_tombstone(uint64_t tag, const Store::Done& done);
  void break_jam();
  std::shared_ptr<Fill> committed_fill(const StoreKey& key, const KeyTags& tags) const;
  void answer(const StoreKey& key, Head head, const Store::Found& found);
  void drop(const HeadAt& where);
  void note_unread(const HeadAt& where, bool is_error);

 public:
  IoQueue io;  // its threads use the file
  Log log;
  Index index;
  StoreHeadWriter heads;
  Reclaimer reclaimer;
};

}  // namespace postern::http
