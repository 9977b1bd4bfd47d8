// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/store/format.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "services/http/store/crc32c.h"

namespace postern::http {
namespace {

template <typename T>
T copied(std::span<const uint8_t> octets) {
  T value;
  std::memcpy(&value, octets.data(), sizeof value);
  return value;
}

// The sum of a structure whose last member is the sum.
template <typename T>
uint32_t sum_before_last(const T& value, uint32_t salt) {
  return crc32c(salt, &value, sizeof value - sizeof(uint32_t));
}

constexpr size_t kSummedFrom = offsetof(RecordHeader, sequence);

uint32_t sum_of(const RecordHeader& header, uint32_t salt) {
  const auto* octets = reinterpret_cast<const uint8_t*>(&header);
  return crc32c(salt ^ static_cast<uint32_t>(header.kind), octets + kSummedFrom,
                sizeof header - kSummedFrom);
}

bool is_segment_size(uint32_t octets) {
  return octets >= kSegmentLeast && octets <= kSegmentMax && std::has_single_bit(octets);
}

bool is_kind(RecordKind kind) {
  return kind == RecordKind::object || kind == RecordKind::chunk || kind == RecordKind::tombstone;
}

}  // namespace

Geometry::Geometry(const Superblock& superblock)
    : file_octets(superblock.file_octets),
      segment_octets(superblock.segment_octets),
      segments(static_cast<uint32_t>(file_octets / segment_octets - 1)),
      chunk_octets(std::min(kChunkMax, segment_octets / 4)),
      salt(superblock.salt) {}

bool Geometry::holds(uint64_t offset, uint64_t count) const {
  if (offset < start_of(0) || offset >= start_of(segments)) return false;
  const uint64_t inside = offset % segment_octets;
  return inside >= sizeof(SegmentHeader) && inside % kRecordUnit == 0 &&
         inside <= segment_octets - sizeof(SegmentFooter) &&
         count <= segment_octets - sizeof(SegmentFooter) - inside;
}

uint64_t RecordHeader::tail_octets() const {
  return uint64_t{primary_octets} + variant_octets + metadata_octets + uint64_t{runs} * sizeof(Run);
}

uint64_t RecordHeader::octets() const {
  return record_octets(body_octets, tail_octets());
}

void seal(Superblock& superblock) {
  superblock.crc = sum_before_last(superblock, 0);
}
void seal(SegmentHeader& header, uint32_t salt) {
  header.crc = sum_before_last(header, salt);
}
void seal(SegmentFooter& footer, uint32_t salt) {
  footer.crc = sum_before_last(footer, salt);
}
void seal(RecordHeader& header, uint32_t salt) {
  header.header_crc = sum_of(header, salt);
}

std::optional<Superblock> parse_superblock(std::span<const uint8_t> octets) {
  if (octets.size() < sizeof(Superblock)) return std::nullopt;
  const auto block = copied<Superblock>(octets);
  if (std::memcmp(block.magic, Superblock{}.magic, sizeof block.magic) != 0) return std::nullopt;
  if (block.crc != sum_before_last(block, 0)) return std::nullopt;
  if (block.version != kFormatVersion) return block;  // of the rest nothing is known
  if (!is_segment_size(block.segment_octets)) return std::nullopt;
  const uint64_t least = file_octets_for(kSegmentsLeast, block.segment_octets);
  const uint64_t most = file_octets_for(kSegmentsMost, block.segment_octets);
  if (block.file_octets < least || block.file_octets >= most) return std::nullopt;
  return block;
}

std::optional<SegmentHeader> parse_segment_header(std::span<const uint8_t> octets,
                                                  const Geometry& geometry, uint32_t segment) {
  if (octets.size() < sizeof(SegmentHeader)) return std::nullopt;
  const auto header = copied<SegmentHeader>(octets);
  if (header.magic != SegmentHeader{}.magic || header.segment != segment || header.sequence == 0)
    return std::nullopt;
  if (header.crc != sum_before_last(header, geometry.salt)) return std::nullopt;
  return header;
}

std::optional<SegmentFooter> parse_footer(std::span<const uint8_t> tail, const Geometry& geometry,
                                          uint32_t segment) {
  if (tail.size() < sizeof(SegmentFooter)) return std::nullopt;
  const auto footer = copied<SegmentFooter>(tail.last(sizeof(SegmentFooter)));
  if (footer.magic != SegmentFooter{}.magic || footer.segment != segment || footer.sequence == 0)
    return std::nullopt;
  if (footer.crc != sum_before_last(footer, geometry.salt)) return std::nullopt;
  const uint64_t all = uint64_t{footer.used} + footer.keys_octets + sizeof(SegmentFooter) +
                       uint64_t{footer.entries} * sizeof(SummaryEntry);
  if (footer.used < sizeof(SegmentHeader) || all > geometry.segment_octets) return std::nullopt;
  return footer;
}

std::optional<RecordHeader> parse_record_header(std::span<const uint8_t> octets,
                                                const Geometry& geometry, uint64_t file_offset,
                                                uint32_t sequence) {
  if (octets.size() < sizeof(RecordHeader)) return std::nullopt;
  const auto header = copied<RecordHeader>(octets);
  if (!is_kind(header.kind) || header.sequence != sequence || header.file_offset != file_offset)
    return std::nullopt;
  if (header.header_crc != sum_of(header, geometry.salt)) return std::nullopt;
  if (!geometry.holds(file_offset, header.octets())) return std::nullopt;
  if (header.body_octets > geometry.chunk_octets) return std::nullopt;
  return header;
}

bool is_sound(const SummaryEntry& entry, const SegmentFooter& footer) {
  if (!is_kind(entry.kind) || entry.offset % kRecordUnit != 0 || entry.octets % kRecordUnit != 0)
    return false;
  if (entry.offset < sizeof(SegmentHeader) || entry.octets < sizeof(RecordHeader)) return false;
  const uint64_t keys = uint64_t{entry.key_at} + entry.primary_octets + entry.variant_octets;
  return uint64_t{entry.offset} + entry.octets <= footer.used && keys <= footer.keys_octets;
}

Run RecordTail::run(size_t index) const {
  return copied<Run>(runs.subspan(index * sizeof(Run), sizeof(Run)));
}

std::optional<RecordTail> parse_tail(std::span<const uint8_t> octets, const RecordHeader& header,
                                     uint32_t salt) {
  if (octets.size() < header.tail_octets()) return std::nullopt;
  std::span<const uint8_t> rest = octets.first(header.tail_octets());
  if (header.tail_crc != crc32c(salt, rest.data(), rest.size())) return std::nullopt;
  const auto cut = [&rest](size_t count) {
    const std::string_view text(reinterpret_cast<const char*>(rest.data()), count);
    rest = rest.subspan(count);
    return text;
  };
  RecordTail tail;
  tail.primary = cut(header.primary_octets);
  tail.variant = cut(header.variant_octets);
  tail.metadata = cut(header.metadata_octets);
  tail.runs = rest;
  return tail;
}

bool is_body_whole(std::span<const uint8_t> record, const RecordHeader& header, uint32_t salt) {
  if (record.size() < sizeof(RecordHeader) + header.body_octets) return false;
  return header.body_crc == crc32c(salt, record.data() + sizeof(RecordHeader), header.body_octets);
}

}  // namespace postern::http
