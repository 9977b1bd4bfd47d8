// SPDX-License-Identifier: BSD-3-Clause
// ChunkReader: the chunks of the runs of one object, one at a time: from the page cache at once,
// else by the pool; none is given out whose sum is not right. Its owner pins the segments.
// Bounds: one record of memory. Thread: the store's.
#pragma once

#include <functional>
#include <memory>

#include "services/http/store/head.h"

namespace postern::http {

class Engine;

class ChunkReader {
 public:
  explicit ChunkReader(Engine& engine);
  // A read under way ends in nothing.
  ~ChunkReader();
  ChunkReader(const ChunkReader&) = delete;
  ChunkReader& operator=(const ChunkReader&) = delete;

  // The octets from `offset` on, as far as the chunk that has it goes. `run` has it. `wait`: call
  // again, with the same, when ready.
  Read read(const Run& run, uint64_t offset);
  // The same as a place in the file.
  ReadExtent extent(const Run& run, uint64_t offset);
  // Whether a read is under way.
  bool is_waiting() const { return is_waiting_; }
  void when_ready(std::function<void()> ready) { ready_ = std::move(ready); }

 private:
  struct Where {
    uint64_t file_offset = 0;  // of the record
    uint64_t object_offset = 0;
    uint32_t octets = 0;  // of body
    uint32_t sequence = 0;
  };

  Where where(const Run& run, uint64_t offset) const;
  Read::State load(const Where& where);
  void start(const Where& where);
  bool is_whole(const Where& where);

  Engine& engine_;
  std::shared_ptr<Chunk> record_;  // shared with the pool while it reads
  uint64_t loaded_ = 0;            // file offset of the record in it; 0: none
  bool is_waiting_ = false;
  bool has_failed_ = false;
  std::function<void()> ready_;
  std::shared_ptr<ChunkReader*> self_;  // shared with a completion, which may outlive this
};

}  // namespace postern::http
