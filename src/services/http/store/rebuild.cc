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
constexpr uint32_t kAhead = 128;
// The log starts anew when it has gone through that many segments (8 PiB of 4 MiB each).
constexpr uint32_t kSequenceEnough = uint32_t{1} << 31;

constexpr char kMakeAnew[] =
    "it is not replaced unasked: format the cache anew, which loses all that is in it";

uint32_t segment_octets_for(uint64_t octets) {
  const uint64_t part = std::bit_floor(octets / 64);
  const bool is_tiny = octets < file_octets_for(kSegmentsLeast, kSegmentForExtents);
  const uint32_t least = is_tiny ? kSegmentMin : kSegmentForExtents;
  return static_cast<uint32_t>(std::clamp<uint64_t>(part, least, kSegmentMax));
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
  // With the end of the segment before it, which has the summary that is read next: one seek.
  const uint32_t tail = first_read_octets(geometry);
  uint32_t ahead = 0;
  for (uint32_t i = 0; i < geometry.segments; ++i) {
    for (; ahead < std::min(i + kAhead, geometry.segments); ++ahead)
      file.expect(geometry.start_of(ahead) - tail, tail + sizeof(SegmentHeader));
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

// Takes the oldest segment that has not been emptied out of the index; false: there is none.
class Oldest {
 public:
  Oldest(Engine& engine, const std::vector<Found>& found) : engine_(engine), found_(found) {}

  bool empty_one(uint32_t but) {
    if (next_ == found_.size() || found_[next_].segment == but) return false;
    const uint32_t segment = found_[next_++].segment;
    const auto summary = read_summary(engine_.file(), engine_.geometry(), segment, false);
    if (!summary) return true;
    for (const SummaryEntry& entry : summary->entries) {
      const IndexEntry* known = engine_.index.find(entry.tag, entry.variant_tag);
      if (known != nullptr && known->place == Place(segment, entry.offset, entry.octets))
        engine_.index.erase(entry.tag, entry.variant_tag);
    }
    return true;
  }

 private:
  Engine& engine_;
  const std::vector<Found>& found_;
  size_t next_ = 0;
};

void add_entries(Engine& engine, const Summary& summary, uint32_t segment, Oldest& oldest) {
  constexpr size_t kPrefetched = 8;
  const std::vector<SummaryEntry>& entries = summary.entries;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i + kPrefetched < entries.size()) engine.index.prefetch(entries[i + kPrefetched].tag);
    const SummaryEntry& entry = entries[i];
    if (entry.kind == RecordKind::tombstone) engine.index.erase_all(entry.tag);
    if (entry.kind != RecordKind::object) continue;
    IndexEntry known;
    known.tag = entry.tag;
    known.variant_tag = entry.variant_tag;
    known.place = Place(segment, entry.offset, entry.octets);
    // What was let go in memory may be there again, and be too much for the index: the newest stay.
    while (engine.index.size() >= engine.objects_max && oldest.empty_one(segment)) {
    }
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
  size_t ahead = 0;
  Oldest oldest(engine, found);
  for (size_t i = 0; i < found.size(); ++i) {
    for (; ahead < std::min(i + kAhead, found.size()); ++ahead)
      file.expect(geometry.start_of(found[ahead].segment + 1) - tail, tail);
    const uint32_t segment = found[i].segment;
    auto summary = read_summary(file, geometry, segment, false);
    if (summary && summary->sequence != found[i].sequence) summary.reset();
    Segment adopted;
    adopted.sequence = found[i].sequence;
    adopted.age = found[i].age;
    adopted.used = summary ? summary->used : uint32_t{sizeof(SegmentHeader)};
    engine.log.adopt(segment, adopted);
    if (summary) {
      add_entries(engine, *summary, segment, oldest);
      if (summary->octets == 0) write_summary(file, geometry, segment, *summary);
    }
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
  return Error{ErrorCode::invalid,
               fmt::format("{}: a cache of {} octets is not possible: {} at least, 128 TB at most",
                           options.path, options.octets,
                           file_octets_for(kSegmentsLeast, block.segment_octets))};
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
    if (file.octets() < kSuperblocksOctets || file.read(octets, at) < 0) continue;
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
  const uint32_t last = found.empty() ? 0 : found.back().sequence;
  if (std::max(last, superblock->valid_from) > kSequenceEnough) {
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
