// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/store/rebuild.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "services/http/store/summary.h"

namespace postern::http {
namespace {

// How many segments are asked for before they are read, so that the disk has enough to do.
constexpr uint32_t kAhead = 64;
// The log starts anew when it has gone through that many segments (8 PiB of 4 MiB each).
constexpr uint32_t kSequenceEnough = uint32_t{1} << 31;

constexpr char kMakeAnew[] =
    "it is not replaced unasked: format the cache anew, which loses all that is in it";

uint32_t segment_octets_for(uint64_t octets) {
  const uint64_t part = std::bit_floor(octets / 64);
  return static_cast<uint32_t>(std::clamp<uint64_t>(part, kSegmentMin, kSegmentMax));
}

struct Found {
  uint32_t sequence = 0;
  uint32_t age = 0;
  uint32_t segment = 0;
};

// Sequences of all segments that hold something, the oldest first.
std::vector<Found> read_headers(File& file, const Superblock& superblock,
                                const Geometry& geometry) {
  std::vector<Found> found;
  found.reserve(geometry.segments);
  for (uint32_t i = 0; i < geometry.segments; ++i) {
    if (i % kAhead == 0)
      for (uint32_t k = i; k < std::min(i + 2 * kAhead, geometry.segments); ++k)
        file.expect(geometry.start_of(k), sizeof(SegmentHeader));
    uint8_t octets[sizeof(SegmentHeader)];
    if (file.read(octets, geometry.start_of(i)) < 0) continue;
    const auto header = parse_segment_header(octets, geometry, i);
    if (header && header->sequence >= superblock.valid_from)
      found.push_back({header->sequence, header->age, i});
  }
  std::sort(found.begin(), found.end(),
            [](const Found& a, const Found& b) { return a.sequence < b.sequence; });
  return found;
}

// What a tombstone in a segment of `sequence` has removed: everything before it, or, where it was
// carried on from another segment, before that one.
void bury(Engine& engine, const SummaryEntry& tombstone, uint32_t sequence) {
  const uint32_t before = tombstone.variant_tag;
  engine.index.erase_variants(tombstone.tag, [&](const IndexEntry& known) {
    const uint32_t written = engine.log.segment(known.place.segment()).sequence;
    return before == sequence || (written != 0 && written < before);
  });
}

void add_entries(Engine& engine, const Summary& summary, uint32_t segment) {
  constexpr size_t kPrefetched = 8;
  const std::vector<SummaryEntry>& entries = summary.entries;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i + kPrefetched < entries.size()) engine.index.prefetch(entries[i + kPrefetched].tag);
    const SummaryEntry& entry = entries[i];
    if (entry.kind == RecordKind::tombstone) bury(engine, entry, summary.sequence);
    if (entry.kind != RecordKind::object) continue;
    IndexEntry known;
    known.tag = entry.tag;
    known.variant_tag = entry.variant_tag;
    known.place = Place(segment, entry.offset, entry.octets);
    engine.add(known);
  }
}

// Gives a segment that was walked its summary, so that the next start need not walk it.
bool write_summary(File& file, const Geometry& geometry, uint32_t segment, Summary& summary) {
  SegmentFooter footer;
  footer.sequence = summary.sequence;
  footer.segment = segment;
  footer.used = summary.used;
  const std::vector<uint8_t> octets =
      encode_summary(summary.entries, summary.keys, footer, geometry.salt);
  if (summary.used + octets.size() > geometry.segment_octets) return false;
  // pwritev(2) does not write to it.
  iovec part{const_cast<uint8_t*>(octets.data()), octets.size()};
  const uint64_t at = geometry.start_of(segment + 1) - octets.size();
  summary.octets = static_cast<uint32_t>(octets.size());
  return file.write({&part, 1}, at) >= 0 && file.sync() >= 0;
}

// False: nobody wants it any more.
bool read_segments(Engine& engine, const std::vector<Found>& found) {
  File& file = engine.file();
  const Geometry& geometry = engine.geometry();
  const uint32_t tail = first_read_octets(geometry);
  for (size_t i = 0; i < found.size(); ++i) {
    if (i % kAhead == 0)
      for (size_t k = i; k < std::min(i + 2 * kAhead, found.size()); ++k)
        file.expect(geometry.start_of(found[k].segment + 1) - tail, tail);
    const uint32_t segment = found[i].segment;
    auto summary = read_summary(file, geometry, segment, false);
    Segment adopted;
    adopted.sequence = found[i].sequence;
    adopted.age = found[i].age;
    adopted.used = sizeof(SegmentHeader);
    if (summary && summary->sequence == found[i].sequence) {
      add_entries(engine, *summary, segment);
      if (summary->octets == 0) write_summary(file, geometry, segment, *summary);
      adopted.used = summary->used;
    }
    engine.log.adopt(segment, adopted);
    const auto& on_progress = engine.options.on_progress;
    if (on_progress && !on_progress(i + 1, found.size())) return false;
  }
  return true;
}

Error refuse(const StoreOptions& options, const std::string& what) {
  return Error{ErrorCode::invalid, fmt::format("{}: {}; {}", options.path, what, kMakeAnew)};
}

}  // namespace

Result<Superblock> new_superblock(const StoreOptions& options) {
  Superblock block;
  block.segment_octets = options.segment_octets;
  if (block.segment_octets == 0) block.segment_octets = segment_octets_for(options.octets);
  block.file_octets = options.octets;
  block.generation = 1;
  block.valid_from = 1;
  randombytes_buf(block.hash_key, sizeof block.hash_key);
  randombytes_buf(&block.salt, sizeof block.salt);
  seal(block);
  uint8_t octets[sizeof block];
  std::memcpy(octets, &block, sizeof block);
  if (parse_superblock(octets)) return block;
  return Error{
      ErrorCode::invalid,
      fmt::format("{}: a cache of {} octets is not possible: {} at least, 128 TB at most",
                  options.path, options.octets, kLogStart + kSegmentsLeast * block.segment_octets)};
}

Result<void> write_new(File& file, Superblock superblock) {
  seal(superblock);
  uint8_t octets[kSuperblockOctets] = {};
  std::memcpy(octets, &superblock, sizeof superblock);
  for (const uint64_t at : {uint64_t{0}, uint64_t{kSuperblockOctets}}) {
    iovec part{octets, sizeof octets};
    const ssize_t written = file.write({&part, 1}, at);
    if (written < 0)
      return Error{ErrorCode::failed, fmt::format("the cache's file cannot be written: {}",
                                                  std::strerror(static_cast<int>(-written)))};
  }
  if (file.sync() < 0)
    return Error{ErrorCode::failed, "the cache's file cannot be brought to the disk"};
  return {};
}

Result<Superblock> check_file(File& file, const StoreOptions& options) {
  std::optional<Superblock> best;
  for (const uint64_t at : {uint64_t{0}, uint64_t{kSuperblockOctets}}) {
    uint8_t octets[sizeof(Superblock)];
    if (file.octets() < kLogStart || file.read(octets, at) < 0) continue;
    const auto block = parse_superblock(octets);
    if (block && (!best || block->generation > best->generation)) best = block;
  }
  if (!best) return refuse(options, "this is no cache of Postern, or its start is damaged");
  if (best->version != kFormatVersion)
    return refuse(options, fmt::format("this is a cache of version {}, not of {}", best->version,
                                       kFormatVersion));
  if (file.octets() != best->file_octets)
    return refuse(options, fmt::format("the file has {} octets, and was made with {}",
                                       file.octets(), best->file_octets));
  if (options.octets != best->file_octets)
    return refuse(options, fmt::format("the cache has {} octets, {} are configured",
                                       best->file_octets, options.octets));
  if (options.segment_octets != 0 && options.segment_octets != best->segment_octets)
    return refuse(options, fmt::format("the cache has segments of {} octets, not {}",
                                       best->segment_octets, options.segment_octets));
  if (!file.is_allocated())
    return refuse(options, "the file has holes: what is stored might find no place on the disk");
  return *best;
}

Result<std::unique_ptr<Engine>> rebuild(const StoreOptions& options, std::unique_ptr<File> file) {
  auto superblock = check_file(*file, options);
  if (!superblock) return std::move(superblock).error();
  std::vector<Found> found = read_headers(*file, *superblock, Geometry(*superblock));
  if (!found.empty() && found.back().sequence > kSequenceEnough) {
    auto fresh = new_superblock(options);
    if (!fresh) return std::move(fresh).error();
    fresh->generation = superblock->generation + 1;
    if (auto done = write_new(*file, *fresh); !done) return std::move(done).error();
    superblock = std::move(fresh);
    found.clear();
  }
  auto engine = std::make_unique<Engine>(options, std::move(file), *superblock);
  if (!read_segments(*engine, found))
    return Error{ErrorCode::unavailable, options.path + ": not wanted any more"};
  engine->log.begin_after(superblock->valid_from);
  return engine;
}

}  // namespace postern::http
