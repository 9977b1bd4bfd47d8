// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/store/summary.h"

#include <algorithm>
#include <cstring>

#include "services/http/store/crc32c.h"

namespace postern::http {
namespace {

std::optional<SegmentHeader> read_header(File& file, const Geometry& geometry, uint32_t segment) {
  uint8_t octets[sizeof(SegmentHeader)];
  if (file.read(octets, geometry.start_of(segment)) < 0) return std::nullopt;
  return parse_segment_header(octets, geometry, segment);
}

// Cuts entries (and keys) out of what lies before the footer; false: a sum is wrong.
bool take(std::span<const uint8_t> octets, const SegmentFooter& footer, uint32_t salt,
          Summary& summary) {
  const size_t entries_octets = footer.entries * sizeof(SummaryEntry);
  if (crc32c(salt, octets.data(), entries_octets) != footer.entries_crc) return false;
  summary.entries.resize(footer.entries);
  if (entries_octets > 0) std::memcpy(summary.entries.data(), octets.data(), entries_octets);
  for (const SummaryEntry& entry : summary.entries)
    if (!is_sound(entry, footer)) return false;
  if (octets.size() == entries_octets) return true;
  summary.keys.assign(octets.begin() + static_cast<ptrdiff_t>(entries_octets), octets.end());
  return crc32c(salt, summary.keys.data(), summary.keys.size()) == footer.keys_crc;
}

std::optional<Summary> read_written(File& file, const Geometry& geometry, uint32_t segment,
                                    uint32_t sequence, bool with_keys) {
  const uint64_t end = geometry.start_of(segment + 1);
  std::vector<uint8_t> tail(first_read_octets(geometry));
  if (file.read(tail, end - tail.size()) < 0) return std::nullopt;
  const auto footer = parse_footer(tail, geometry, segment);
  if (!footer || footer->sequence != sequence) return std::nullopt;
  const uint32_t entries_octets = footer->entries * uint32_t{sizeof(SummaryEntry)};
  const uint32_t all = entries_octets + footer->keys_octets + uint32_t{sizeof(SegmentFooter)};
  const uint32_t wanted = entries_octets + (with_keys ? footer->keys_octets : 0);
  Summary summary;
  summary.sequence = sequence;
  summary.used = footer->used;
  summary.octets = all;
  if (all <= tail.size()) {
    const auto octets = std::span<const uint8_t>(tail).last(all).first(wanted);
    if (take(octets, *footer, geometry.salt, summary)) return summary;
    return std::nullopt;
  }
  tail.resize(wanted);
  if (file.read(tail, end - all) < 0) return std::nullopt;
  if (take(tail, *footer, geometry.salt, summary)) return summary;
  return std::nullopt;
}

// Adds the record to the summary if it is one to be found; its key is in the tail.
void add_entry(Summary& summary, std::span<const uint8_t> record, const RecordHeader& header,
               const Geometry& geometry) {
  SummaryEntry entry;
  entry.tag = header.tag;
  entry.variant_tag = header.variant_tag;
  entry.kind = header.kind;
  entry.offset = summary.used;
  entry.octets = static_cast<uint32_t>(header.octets());
  if (header.kind != RecordKind::chunk) {
    const auto octets = record.subspan(sizeof(RecordHeader) + header.body_octets);
    const auto tail = parse_tail(octets, header, geometry.salt);
    if (!tail) return;
    entry.key_at = static_cast<uint32_t>(summary.keys.size());
    entry.primary_octets = header.primary_octets;
    entry.variant_octets = header.variant_octets;
    summary.keys.append(tail->primary).append(tail->variant);
  }
  summary.entries.push_back(entry);
}

std::optional<Summary> walk(File& file, const Geometry& geometry, uint32_t segment,
                            uint32_t sequence) {
  std::vector<uint8_t> octets(geometry.segment_octets);
  const uint64_t start = geometry.start_of(segment);
  if (file.read(octets, start) < 0) return std::nullopt;
  const std::span<const uint8_t> all(octets);
  Summary summary;
  summary.sequence = sequence;
  summary.used = sizeof(SegmentHeader);
  for (;;) {
    const auto rest = all.subspan(summary.used);
    const auto header = parse_record_header(rest, geometry, start + summary.used, sequence);
    if (!header) return summary;
    add_entry(summary, rest, *header, geometry);
    summary.used += static_cast<uint32_t>(header->octets());
  }
}

}  // namespace

uint32_t first_read_octets(const Geometry& geometry) {
  return std::min<uint32_t>(65'536, geometry.segment_octets);
}

std::optional<Summary> read_summary(File& file, const Geometry& geometry, uint32_t segment,
                                    bool with_keys) {
  const auto header = read_header(file, geometry, segment);
  if (!header) return std::nullopt;
  auto summary = read_written(file, geometry, segment, header->sequence, with_keys);
  if (summary || header->is_kept()) return summary;
  return walk(file, geometry, segment, header->sequence);
}

}  // namespace postern::http
