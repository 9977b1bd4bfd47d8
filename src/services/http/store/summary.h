// SPDX-License-Identifier: BSD-3-Clause
// Summary: which records a sealed segment has. It lies at the end of the segment; where it is not
// (the daemon ended before it was written), or is damaged, the headers of the records are walked
// from the first on, as far as each begins where the one before it ends. Not in a segment that was
// kept: there the summary alone knows which heads are dead.
//
// A walk never goes through the octets of a body, so nothing that was stored is taken for a record.
// Bounds: one segment of memory. Thread: any.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/http/store/file.h"
#include "services/http/store/format.h"

namespace postern::http {

struct Summary {
  uint32_t sequence = 0;
  uint32_t used = 0;    // octets of header and records
  uint32_t octets = 0;  // of the summary on the disk; 0: it was not there
  std::vector<SummaryEntry> entries;
  std::string keys;  // where they were asked for

  std::string_view primary_of(const SummaryEntry& entry) const {
    return std::string_view(keys).substr(entry.key_at, entry.primary_octets);
  }
  std::string_view variant_of(const SummaryEntry& entry) const {
    return std::string_view(keys).substr(entry.key_at + entry.primary_octets, entry.variant_octets);
  }
};

// Nothing: the segment is empty, or unreadable. A walk always yields the keys, too.
std::optional<Summary> read_summary(File& file, const Geometry& geometry, uint32_t segment,
                                    bool with_keys);
// How much of the end of a segment is read first: nearly always all of the summary.
uint32_t first_read_octets(const Geometry& geometry);

}  // namespace postern::http
