// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: a store over a file that somebody has changed. The input is one octet of mode, then
// patches: where (three octets), how many, and these octets. In mode 0 what is found is what was
// stored, or nothing; in mode 1 all sums are made right again, as one does who knows the form of
// the file: then nothing breaks, and no more is read than the object says it has.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/assert.h"
#include "services/http/store/crc32c.h"
#include "unit/http/store/store_bed.h"

using namespace postern::http;           // NOLINT(google-build-using-namespace)
using namespace postern::http::testing;  // NOLINT(google-build-using-namespace)

namespace {

constexpr struct {
  const char* name;
  size_t octets;
} kObjects[] = {{"a", 50}, {"b", 1'500}, {"long", 9'000}, {"c", 700}};

Superblock known_superblock(const BedOptions& options) {
  Superblock block;
  block.segment_octets = options.segment_octets;
  block.file_octets = file_octets_for(options.segments, options.segment_octets);
  block.generation = 1;
  block.valid_from = 1;
  seal(block);
  return block;
}

BedOptions bed_options() {
  BedOptions options;
  options.segment_octets = 8'192;
  return options;
}

// Some segments with and one without a summary, objects, chunks, runs and a tombstone.
Disk make_disk() {
  Disk disk;
  const Superblock block = known_superblock(bed_options());
  disk.octets.resize(block.file_octets);
  DiskInMemory file(disk);
  POSTERN_ASSERT(write_new(file, block).has_value());
  StoreBed bed(bed_options(), &disk);
  for (const auto& object : kObjects)
    POSTERN_ASSERT(bed.put(object.name, object.octets));
  bed.store->update_metadata({"b"}, {"m", "m"});
  POSTERN_ASSERT(bed.put("gone", 10));
  POSTERN_ASSERT(bed.remove("gone"));
  return bed.disk;  // as it is at a crash
}

template <typename T>
T take(const std::vector<uint8_t>& octets, size_t at) {
  T value;
  std::memcpy(&value, octets.data() + at, sizeof value);
  return value;
}

template <typename T>
void put_back(std::vector<uint8_t>& octets, size_t at, const T& value) {
  std::memcpy(octets.data() + at, &value, sizeof value);
}

void seal_segment(std::vector<uint8_t>& octets, const Geometry& geometry, uint32_t segment) {
  const size_t start = geometry.start_of(segment);
  auto header = take<SegmentHeader>(octets, start);
  seal(header, 0);
  put_back(octets, start, header);
  const size_t size = geometry.segment_octets;
  for (size_t at = sizeof header; at + sizeof(RecordHeader) <= size;) {
    auto record = take<RecordHeader>(octets, start + at);
    if (record.octets() > size - at) break;
    const uint8_t* body = octets.data() + start + at + sizeof record;
    record.body_crc = crc32c(0, body, record.body_octets);
    record.tail_crc = crc32c(0, body + record.body_octets, record.tail_octets());
    seal(record, 0);
    put_back(octets, start + at, record);
    at += record.octets();
  }
  const size_t footer_at = start + size - sizeof(SegmentFooter);
  auto footer = take<SegmentFooter>(octets, footer_at);
  const uint64_t entries = uint64_t{footer.entries} * sizeof(SummaryEntry);
  if (entries + footer.keys_octets <= size - sizeof footer) {
    const uint8_t* from = octets.data() + footer_at - footer.keys_octets - entries;
    footer.entries_crc = crc32c(0, from, entries);
    footer.keys_crc = crc32c(0, from + entries, footer.keys_octets);
  }
  seal(footer, 0);
  put_back(octets, footer_at, footer);
}

void read_all(StoreBed& bed, const std::string& name, bool is_sealed) {
  auto object = bed.find({name});
  if (!object) return;
  const auto length = object->length();
  for (const OctetRange& range : object->present()) {
    POSTERN_ASSERT(range.begin < range.end && range.end <= *length);
    object->seek(range.begin);
    const auto [octets, state] = bed.read(*object);
    POSTERN_ASSERT(octets.size() <= *length - range.begin);
    if (!is_sealed) POSTERN_ASSERT(octets == content_of(name, octets.size(), range.begin));
    object->seek(range.begin);
    for (int i = 0; i < 4 && object->next_extent().state == Read::State::octets; ++i) {
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Disk kDisk = make_disk();
  if (size == 0) return 0;
  const bool is_sealed = data[0] % 2 == 1;
  Disk disk = kDisk;
  for (size_t at = 1; at + 4 <= size;) {
    const size_t where = data[at] | data[at + 1] << 8 | data[at + 2] << 16;
    const size_t count = std::min<size_t>(data[at + 3], size - at - 4);
    for (size_t i = 0; i < count; ++i)
      disk.octets[(where + i) % disk.octets.size()] = data[at + 4 + i];
    at += 4 + count;
  }
  const Geometry geometry(known_superblock(bed_options()));
  for (uint32_t i = 0; is_sealed && i < geometry.segments; ++i)
    seal_segment(disk.octets, geometry, i);

  StoreBed bed(bed_options(), &disk);
  if (!bed.store) return 0;
  std::vector<std::string> keys = bed.keys();
  for (const auto& object : kObjects)
    keys.emplace_back(object.name);
  for (const std::string& key : keys)
    read_all(bed, key, is_sealed);
  // A damaged tombstone tells nothing any more; an undamaged disk keeps what is gone away.
  if (disk.octets == kDisk.octets) POSTERN_ASSERT(!bed.has("gone"));
  // And it can be used: round once, with something asked for.
  for (int i = 0; i < 40; ++i) {
    bed.put("key " + std::to_string(i), 2'000);
    bed.has("b");
    bed.has("long");
  }
  return 0;
}
