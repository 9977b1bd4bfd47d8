// SPDX-License-Identifier: BSD-3-Clause
// DiskObject: an object whose head was found in the file. A short body is read with the head; of
// the others the chunks are read as they are asked for. Thread: the store's.
#pragma once

#include <string>

#include "services/http/store/chunk_reader.h"

namespace postern::http {

class DiskObject final : public StoredObject {
 public:
  // `metadata`: newer than the head's, not written yet; or nullptr.
  DiskObject(Engine& engine, Head head, const std::string* metadata);
  ~DiskObject() override;

  std::string_view metadata() const override;
  std::optional<uint64_t> length() const override { return head_.header.object_length; }
  uint64_t validator() const override { return head_.header.validator; }
  bool is_filling() const override { return false; }
  bool is_complete() const override;
  std::vector<OctetRange> present() const override;
  void seek(uint64_t offset) override { offset_ = offset; }
  Read next() override;
  ReadExtent next_extent() override;
  void when_ready(std::function<void()> ready) override { reader_.when_ready(std::move(ready)); }

  // An object with a length of which nothing is left.
  bool is_hollow() const;

 private:
  // The run that has the octet at the offset; nullptr: none. `own` has it where it is the head's.
  const Run* run_here(Run& own) const;
  bool is_in_memory(const Run& run) const {
    return head_.has_body && run.file_offset == head_.header.file_offset;
  }
  void pin(uint32_t segment);

  Engine& engine_;
  Head head_;
  std::vector<Run> runs_;  // none where the head has all
  std::vector<uint32_t> pinned_;
  std::optional<std::string> metadata_;
  uint64_t offset_ = 0;
  ChunkReader reader_;
};

}  // namespace postern::http
