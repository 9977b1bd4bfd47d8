// SPDX-License-Identifier: BSD-3-Clause
// Fill: one object, or a part of one, as it comes: what was appended and is not written yet is in
// memory, the rest in chunk records of the file. Those who read along read both. The last chunk
// stays in memory and goes into the head, so that an object of up to one chunk is one record.
//
//   open -> committed -> stored        (any) -> failed
//
// It pins the segments that have its chunks, as long as there are readers.
//
// Bounds: as writer.h says. Thread: the store's.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "services/http/store/chunk_reader.h"
#include "services/http/store/head.h"
#include "services/http/store/io_queue.h"
#include "services/http/store/store.h"

namespace postern::http {

class Fill : public std::enable_shared_from_this<Fill> {
 public:
  enum class State { open, committed, stored, failed };

  Fill(Engine& engine, const StoreKey& key, std::string_view metadata, const FillOptions& options);
  ~Fill();
  Fill(const Fill&) = delete;
  Fill& operator=(const Fill&) = delete;

  Append append(std::span<const uint8_t> octets);
  void commit(const std::function<void(bool)>& stored);
  void abandon(bool keeps_part);
  void when_drained(std::function<void()> drained);
  // It was removed while it was filled: readers go on, nothing is kept.
  void cancel() { is_cancelled_ = true; }
  // It ends; its segments are free once nobody reads along. See Engine::break_jam().
  void give_way() { fail(); }
  size_t held_segments() const { return pinned_.size(); }

  State state() const { return state_; }
  bool is_cancelled() const { return is_cancelled_; }
  bool is(const StoreKey& key) const { return primary_ == key.primary && variant_ == key.variant; }
  StoreKey key() const { return {primary_, variant_}; }
  // Of two that were committed the later one has the higher.
  uint64_t commit_number() const { return commit_number_; }
  // Of two the later one has the higher.
  uint64_t number() const { return number_; }
  const KeyTags& tags() const { return tags_; }
  const std::string& metadata() const { return metadata_; }
  const FillOptions& options() const { return options_; }
  uint64_t end() const { return end_; }
  // Whether it has the octet, or it will come.
  bool will_have(uint64_t offset) const;

  std::unique_ptr<StoredObject> read_along();
  // For readers: the octets at `offset` where they are in memory, with what keeps them there.
  struct InMemory {
    std::shared_ptr<const Chunk> chunk;
    std::span<const uint8_t> octets;
  };
  InMemory in_memory(uint64_t offset) const;
  const std::vector<Run>& runs() const { return runs_; }
  void wait(std::function<void()> ready) { waiting_.push_back(std::move(ready)); }
  size_t readers = 0;

 private:
  void begin_chunk();
  // Sends all but the last chunk to the file, if they are enough for a run, or `all` of them.
  void flush(bool all);
  bool write_chunk(const std::shared_ptr<Chunk>& chunk);
  void chunk_written(const Chunk& chunk, const Run& run, bool is_written);
  void finish_up(const std::function<void(bool)>& stored);
  void write_head(const std::function<void(bool)>& stored);
  void conclude(State state);
  void fail();
  void release_queue(uint64_t octets);
  void wake();
  void wake_drained();

  Engine& engine_;
  const std::string primary_;
  const std::string variant_;
  const KeyTags tags_;
  const std::string metadata_;
  const FillOptions options_;
  const uint64_t number_;
  State state_ = State::open;
  bool is_cancelled_ = false;
  uint64_t commit_number_ = 0;
  uint64_t end_ = 0;                           // object offset behind what was appended
  uint64_t counted_ = 0;                       // octets that the engine counts as queued
  std::deque<std::shared_ptr<Chunk>> chunks_;  // in order; shared with the queue and readers
  size_t flushed_ = 0;                         // of chunks_: are on their way
  std::vector<Run> placed_;                    // chunks as they were placed
  std::vector<Run> runs_;                      // and written
  std::vector<uint32_t> pinned_;
  std::vector<std::function<void()>> waiting_;
  std::vector<std::function<void()>> draining_;
};

// One who reads along.
class FillObject final : public StoredObject {
 public:
  FillObject(Engine& engine, std::shared_ptr<Fill> fill, const std::string* metadata);
  ~FillObject() override;

  std::string_view metadata() const override { return metadata_; }
  std::optional<uint64_t> length() const override;
  uint64_t validator() const override { return fill_->options().validator; }
  bool is_filling() const override { return fill_->state() == Fill::State::open; }
  bool is_complete() const override;
  std::vector<OctetRange> present() const override;
  void seek(uint64_t offset) override { offset_ = offset; }
  Read next() override;
  ReadExtent next_extent() override;
  void when_ready(std::function<void()> ready) override;

 private:
  Read::State at_end() const;

  Engine& engine_;
  std::shared_ptr<Fill> fill_;  // shared: the fill lives as long as somebody reads along
  std::string metadata_;
  uint64_t offset_ = 0;
  std::shared_ptr<const Chunk> held_;  // what the octets given out last lie in
  ChunkReader reader_;
  std::function<void()> ready_;
  std::shared_ptr<FillObject*> self_;  // shared with what waits in the fill, which may outlive this
};

}  // namespace postern::http
