// SPDX-License-Identifier: BSD-3-Clause
// Head: the record of an object as it was read from the disk and found whole, and the runs in which
// its body lies. Thread: read_head: any; the rest: the store's.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "services/http/store/file.h"
#include "services/http/store/format.h"
#include "services/http/store/index.h"
#include "services/http/store/log.h"
#include "services/http/store/stored_object.h"

namespace postern::http {

struct KeyTags {
  uint64_t tag = 0;
  uint32_t variant_tag = 0;
  friend bool operator==(const KeyTags&, const KeyTags&) = default;
};

struct Head {
  std::unique_ptr<uint8_t[]> octets;  // the record, perhaps without its body; `tail` points into it
  bool has_body = false;
  Place place;
  RecordHeader header;
  RecordTail tail;

  // Where `has_body`.
  std::span<const uint8_t> body() const {
    return {octets.get() + sizeof(RecordHeader), header.body_octets};
  }
  // The body in the record itself.
  Run own_run() const {
    return {header.object_offset, header.file_offset, header.body_octets, header.sequence};
  }
  // It is all of the object.
  bool has_all() const { return header.body_octets == header.object_length; }
};

struct HeadAt {
  KeyTags tags;
  Place place;
  uint32_t sequence = 0;  // of the segment there
};

enum class ReadHead { whole, damaged, unreadable, wait };

struct HowToRead {
  bool at_once = false;  // only from the page cache, else `wait`
  // With a body of any length. Else a long one is passed over, as the chunk reader can have it, or
  // sendfile: most of what a hit costs is to read and sum it.
  bool with_body = false;
};

// Reads the record of an object into `head`.
ReadHead read_head(File& file, const Geometry& geometry, const HeadAt& at, HowToRead how,
                   Head& head);

// The runs of the head that are still there, the body in the head itself among them, in order and
// none within another: of those that begin at or before an offset the last one reaches farthest.
std::vector<Run> current_runs(const Head& head, const Log& log);
// Puts in order, without those that lie within another.
void tidy(std::vector<Run>& runs);
// Adds a run behind the last; makes one of both where the records touch and all but the last chunk
// are full.
void add_run(std::vector<Run>& runs, const Run& run, const Geometry& geometry);
// What the runs cover, pieces that touch joined.
std::vector<OctetRange> covered(const std::vector<Run>& runs);
// The run that has the octet at `offset`, nullptr: none.
const Run* run_at(const std::vector<Run>& runs, uint64_t offset);

}  // namespace postern::http
