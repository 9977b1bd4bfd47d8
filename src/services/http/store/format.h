// SPDX-License-Identifier: BSD-3-Clause
// The form of the cache's file, version 1. Integers are little-endian.
//
//   superblock x 2, free | segment | segment | ...      (a superblock has 4 KiB; the newer valid
//   one counts)
//
//   segment:  header | record | record | ... free ... | entries | keys | footer
//   record:   header | body | primary key, variant key, metadata, runs | zeros up to 16 octets
//
// A record is an object (the head of it: key, metadata, where its body is), a chunk of a body, or a
// tombstone (all variants of the primary key are gone, as far as they were written before it). The
// body of an object of up to one chunk lies in the head, so that one read has all; of a longer one
// the last chunk does, the others lie in chunk records that the runs point to. A new head with
// other metadata or more runs replaces the old one, the body stays where it is: there is no writing
// in place, the log alone says what is newest, by the sequence number of the segment, then offset.
//
// Segment size: one is reclaimed at a time, so it is small beside the file (a 64th, 8 MiB at most),
// and large beside a seek and a sync, of which there is one for each. Segments begin at multiples
// of their size (the place before the first one has the superblocks), so that from 2 MiB on no
// large page of the page cache lies in two of them (File::renew). 100 GB have 12,000 summaries
// (entries with the keys behind them, which only a walk over keys reads): 400 MB for 10 million
// objects, in place of 100 GB.
//
// Every sum starts from the salt of the file, and covers where the record lies (file offset and
// sequence of the segment): a record of an older lap, of another file, at another place, or made up
// within a body by who knows this form, is none. What is read is checked against the file's bounds
// before it is used. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace postern::http {

constexpr uint32_t kFormatVersion = 1;
constexpr uint32_t kSuperblockOctets = 4'096;
constexpr uint32_t kSuperblocksOctets = 2 * kSuperblockOctets;
constexpr uint32_t kChunkMax = 65'536;  // octets of a body under one checksum
constexpr uint32_t kRecordUnit = 16;    // records are that aligned
constexpr uint32_t kSegmentMax = uint32_t{1} << 23;
constexpr uint32_t kSegmentMin = uint32_t{1} << 20;  // where it is chosen by the file's size
// No page of the page cache is larger; smaller segments have no extents (StoredObject).
constexpr uint32_t kSegmentForExtents = uint32_t{1} << 21;
constexpr uint32_t kSegmentLeast = kSuperblocksOctets;  // where it is asked for
constexpr uint32_t kSegmentsLeast = 8;
constexpr uint32_t kSegmentsMost = uint32_t{1} << 24;

struct Superblock {
  char magic[8] = {'P', 'o', 's', 't', 'e', 'r', 'n', 'C'};
  uint32_t version = kFormatVersion;
  uint32_t segment_octets = 0;
  uint64_t file_octets = 0;
  uint64_t generation = 0;    // the higher one of two counts
  uint8_t hash_key[16] = {};  // of tags; secret, so that nobody makes keys that meet
  uint32_t salt = 0;          // of all sums but the superblock's
  uint32_t valid_from = 0;    // segments with a lower sequence are empty
  uint32_t reserved = 0;
  uint32_t crc = 0;  // of all before it
};
static_assert(sizeof(Superblock) == 64);

// What follows from the superblock.
struct Geometry {
  uint64_t file_octets = 0;
  uint32_t segment_octets = 0;
  uint32_t segments = 0;
  uint32_t chunk_octets = 0;
  uint32_t salt = 0;

  explicit Geometry(const Superblock& superblock);
  Geometry() = default;
  uint64_t start_of(uint32_t segment) const { return (uint64_t{segment} + 1) * segment_octets; }
  // Of a place in the log.
  uint32_t segment_of(uint64_t file_offset) const {
    return static_cast<uint32_t>(file_offset / segment_octets - 1);
  }
  // Whether [offset, offset + count) lies in one segment, where records may be.
  bool holds(uint64_t offset, uint64_t count) const;
};

struct SegmentHeader {
  uint32_t magic = 0x53747250;
  uint32_t sequence = 0;  // of segments as they were begun; 0 is none
  uint32_t segment = 0;   // which
  // The sequence that was current when it was begun, or kept as it is (reclaim.h): more than its
  // own then, and its summary says which of its heads are dead: its records are never walked.
  uint32_t age = 0;
  uint32_t reserved[3] = {};
  uint32_t crc = 0;

  bool is_kept() const { return age != sequence; }
};
static_assert(sizeof(SegmentHeader) == 32);

struct SegmentFooter {
  uint32_t magic = 0x46747250;
  uint32_t sequence = 0;
  uint32_t segment = 0;
  uint32_t entries = 0;
  uint32_t keys_octets = 0;
  uint32_t used = 0;  // octets of header and records
  uint32_t entries_crc = 0;
  uint32_t keys_crc = 0;
  uint32_t reserved[3] = {};
  uint32_t crc = 0;  // of all before it
};
static_assert(sizeof(SegmentFooter) == 48);

enum class RecordKind : uint32_t {
  object = 0x4a624f50,
  chunk = 0x6b684350,
  tombstone = 0x626d5450
};

// One record, in the summary of its segment.
struct SummaryEntry {
  uint64_t tag = 0;
  uint32_t variant_tag = 0;
  RecordKind kind = RecordKind::object;
  uint32_t offset = 0;  // in the segment
  uint32_t octets = 0;  // all of the record, a multiple of kRecordUnit
  uint32_t key_at = 0;  // in the keys; chunks have none
  uint16_t primary_octets = 0;
  uint16_t variant_octets = 0;
};
static_assert(sizeof(SummaryEntry) == 32);

struct RecordHeader {
  RecordKind kind = RecordKind::object;
  uint32_t header_crc = 0;  // of all behind it
  uint32_t sequence = 0;    // of the segment
  uint32_t body_octets = 0;
  uint64_t file_offset = 0;  // of this record
  uint64_t tag = 0;          // keyed hash of the primary key
  uint32_t variant_tag = 0;  // keyed hash of the variant key; 0 is that of ""
  uint32_t body_crc = 0;
  uint32_t tail_crc = 0;
  uint32_t runs = 0;
  uint16_t primary_octets = 0;
  uint16_t variant_octets = 0;
  uint32_t metadata_octets = 0;
  uint64_t object_offset = 0;  // of the body that is in this record
  uint64_t object_length = 0;  // of the whole object; of a chunk: 0
  uint64_t validator = 0;

  uint64_t tail_octets() const;
  uint64_t octets() const;  // all of the record
};
static_assert(sizeof(RecordHeader) == 80);

// Part of a body: chunk records one behind the other (all of them full but the last), or the body
// of one object record.
struct Run {
  uint64_t object_offset = 0;
  uint64_t file_offset = 0;  // of the first record
  uint32_t octets = 0;       // of body
  uint32_t sequence = 0;     // of the segment
  uint64_t object_end() const { return object_offset + octets; }
};
static_assert(sizeof(Run) == 24);

void seal(Superblock& superblock);
void seal(SegmentHeader& header, uint32_t salt);
void seal(SegmentFooter& footer, uint32_t salt);
// body_crc and tail_crc are there already.
void seal(RecordHeader& header, uint32_t salt);

std::optional<Superblock> parse_superblock(std::span<const uint8_t> octets);
std::optional<SegmentHeader> parse_segment_header(std::span<const uint8_t> octets,
                                                  const Geometry& geometry, uint32_t segment);
// `tail` ends where the segment does.
std::optional<SegmentFooter> parse_footer(std::span<const uint8_t> tail, const Geometry& geometry,
                                          uint32_t segment);
// The header of the record at `file_offset`, in a segment of that sequence: whole, and within its
// segment. Body and tail are not looked at.
std::optional<RecordHeader> parse_record_header(std::span<const uint8_t> octets,
                                                const Geometry& geometry, uint64_t file_offset,
                                                uint32_t sequence);
// Whether an entry of a summary names a place where a record can be, and its key.
bool is_sound(const SummaryEntry& entry, const SegmentFooter& footer);

struct RecordTail {
  std::string_view primary;
  std::string_view variant;
  std::string_view metadata;
  std::span<const uint8_t> runs;  // header.runs times sizeof(Run), at any alignment

  Run run(size_t index) const;
};
// The tail of a record, from its first octet on, if its sum is right.
std::optional<RecordTail> parse_tail(std::span<const uint8_t> tail, const RecordHeader& header,
                                     uint32_t salt);
bool is_body_whole(std::span<const uint8_t> record, const RecordHeader& header, uint32_t salt);

// Octets of a file with that many segments.
constexpr uint64_t file_octets_for(uint64_t segments, uint32_t segment_octets) {
  return (segments + 1) * segment_octets;
}

// Octets a record takes with that much body and tail.
constexpr uint64_t record_octets(uint64_t body, uint64_t tail) {
  return (sizeof(RecordHeader) + body + tail + kRecordUnit - 1) / kRecordUnit * kRecordUnit;
}

}  // namespace postern::http
