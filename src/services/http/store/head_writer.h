// SPDX-License-Identifier: BSD-3-Clause
// StoreHeadWriter: writes the heads of objects: new ones, with other metadata, with more runs, and
// those that are carried on from a segment that is reclaimed. For each key one write at a time, in
// the order in which they were asked for: each builds on what the one before has written. The index
// knows a head when it is in the file, not before.
//
// Bounds: those of who calls it. Thread: the store's.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "services/http/store/head.h"
#include "services/http/store/io_queue.h"
#include "services/http/store/store.h"

namespace postern::http {

class Engine;

struct HeadWrite {
  enum class Kind {
    replacement,  // whatever there is
    addition,     // runs go to the stored object, if it has the same length and validator
    update,       // metadata go to the stored object, if it has those that they are to replace
    move,         // the stored object, if its head is still `expected`
  };
  Kind kind = Kind::replacement;
  KeyTags tags;
  std::string primary;
  std::string variant;
  std::string metadata;
  std::string replaces;  // an update: the metadata that it was made of
  uint64_t length = 0;
  uint64_t validator = 0;
  std::vector<Run> runs;
  std::shared_ptr<const Chunk> chunk;  // that has `body`, which goes into the record of the head
  std::span<const uint8_t> body;
  uint64_t body_offset = 0;
  Place expected;  // where the head was that this builds on; none: there was none
  // A move: called when its turn has come; send() or finish() must follow, at once or later.
  std::function<void()> begin;
  // Called when it is to be placed, and the chunks before it are; false: give it up.
  std::function<bool(HeadWrite&)> prepare;
  std::function<void(bool is_stored)> done;

  size_t counted = 0;  // octets that the engine counts as queued
  bool is_cancelled = false;
  bool is_prepared = false;
};

class StoreHeadWriter {
 public:
  explicit StoreHeadWriter(Engine& engine) : engine_(engine) {}

  void add(const std::shared_ptr<HeadWrite>& write);
  // Goes on with a move whose turn has come, or ends it.
  void send(const std::shared_ptr<HeadWrite>& write);
  void finish(const std::shared_ptr<HeadWrite>& write, bool is_stored);
  // Metadata that were given to an object of the key in place of `known`, and are not written yet;
  // nullptr: none. Those that were made of another object of the key are passed over.
  const std::string* newer_metadata(const StoreKey& key, const KeyTags& tags,
                                    std::string_view known) const;
  // What is under way for the primary key (or all keys) comes to nothing.
  void cancel(uint64_t tag);
  void cancel_all();
  // At the end: nothing is called any more.
  void drop_all();

 private:
  using Queue = std::deque<std::shared_ptr<HeadWrite>>;  // shared with reads and writes under way

  static uint64_t slot_of(const KeyTags& tags) { return tags.tag ^ tags.variant_tag; }
  void start(const std::shared_ptr<HeadWrite>& write);
  void build_on(const std::shared_ptr<HeadWrite>& write, std::optional<Head> head);
  bool place(const std::shared_ptr<HeadWrite>& write);
  bool is_void(const HeadWrite& write) const;
  void written(const std::shared_ptr<HeadWrite>& write, const HeadAt& at, bool is_written);

  Engine& engine_;
  std::unordered_map<uint64_t, Queue> queues_;
};

}  // namespace postern::http
