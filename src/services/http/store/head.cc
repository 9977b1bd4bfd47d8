// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/store/head.h"

#include <algorithm>
#include <cerrno>

namespace postern::http {
namespace {

// Records up to that many octets are read with their body: one system call in place of three.
constexpr size_t kReadWhole = 16'384;

bool is_sound(const Head& head, const KeyTags& tags) {
  const RecordHeader& header = head.header;
  if (header.kind != RecordKind::object || header.octets() != head.place.octets()) return false;
  if (header.tag != tags.tag || header.variant_tag != tags.variant_tag) return false;
  return header.object_offset <= header.object_length &&
         header.body_octets <= header.object_length - header.object_offset;
}

// Nothing: all was read.
std::optional<ReadHead> read(File& file, HowToRead how, std::span<uint8_t> into, uint64_t offset) {
  const ssize_t got = how.at_once ? file.read_now(into, offset) : file.read(into, offset);
  if (got == -EAGAIN) return ReadHead::wait;
  if (got < 0) return ReadHead::unreadable;
  return std::nullopt;
}

}  // namespace

ReadHead read_head(File& file, const Geometry& geometry, const HeadAt& at, HowToRead how,
                   Head& head) {
  const uint64_t offset = geometry.start_of(at.place.segment()) + at.place.offset();
  const size_t count = at.place.octets();
  head.place = at.place;
  head.has_body = how.with_body || count <= kReadWhole;
  const size_t first = head.has_body ? count : sizeof(RecordHeader);
  head.octets.reset(new uint8_t[count]);
  const std::span<uint8_t> octets(head.octets.get(), count);
  if (const auto failed = read(file, how, octets.first(first), offset)) return *failed;
  const auto header = parse_record_header(octets, geometry, offset, at.sequence);
  if (!header) return ReadHead::damaged;
  head.header = *header;
  if (!is_sound(head, at.tags)) return ReadHead::damaged;

  const size_t tail_at = sizeof(RecordHeader) + header->body_octets;
  std::span<uint8_t> tail_octets = octets.subspan(tail_at);
  if (!head.has_body) {
    tail_octets = octets.subspan(sizeof(RecordHeader), header->tail_octets());
    if (const auto failed = read(file, how, tail_octets, offset + tail_at)) return *failed;
  }
  const auto tail = parse_tail(tail_octets, *header, geometry.salt);
  if (!tail) return ReadHead::damaged;
  if (head.has_body && !is_body_whole(octets, *header, geometry.salt)) return ReadHead::damaged;
  head.tail = *tail;
  return ReadHead::whole;
}

std::vector<Run> current_runs(const Head& head, const Log& log) {
  std::vector<Run> runs;
  const RecordHeader& header = head.header;
  runs.reserve(size_t{header.runs} + 1);
  for (uint32_t i = 0; i < header.runs; ++i) {
    const Run run = head.tail.run(i);
    const bool is_within = run.octets > 0 && run.object_offset <= header.object_length &&
                           run.octets <= header.object_length - run.object_offset;
    if (is_within && log.is_current(run)) runs.push_back(run);
  }
  if (header.body_octets > 0) runs.push_back(head.own_run());
  tidy(runs);
  return runs;
}

void tidy(std::vector<Run>& runs) {
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) {
    return a.object_offset != b.object_offset ? a.object_offset < b.object_offset
                                              : a.octets > b.octets;
  });
  uint64_t end = 0;
  std::erase_if(runs, [&end](const Run& run) {
    if (run.object_end() <= end) return true;
    end = run.object_end();
    return false;
  });
}

void add_run(std::vector<Run>& runs, const Run& run, const Geometry& geometry) {
  if (!runs.empty()) {
    Run& last = runs.back();
    const uint32_t chunks = last.octets / geometry.chunk_octets;
    const uint64_t stride = record_octets(geometry.chunk_octets, 0);
    const bool is_full = last.octets % geometry.chunk_octets == 0;
    if (is_full && last.sequence == run.sequence && last.object_end() == run.object_offset &&
        last.file_offset + chunks * stride == run.file_offset) {
      last.octets += run.octets;
      return;
    }
  }
  runs.push_back(run);
}

std::vector<OctetRange> covered(const std::vector<Run>& runs) {
  std::vector<OctetRange> ranges;
  for (const Run& run : runs) {
    if (!ranges.empty() && run.object_offset <= ranges.back().end)
      ranges.back().end = std::max(ranges.back().end, run.object_end());
    else
      ranges.push_back({run.object_offset, run.object_end()});
  }
  return ranges;
}

const Run* run_at(const std::vector<Run>& runs, uint64_t offset) {
  const auto after =
      std::upper_bound(runs.begin(), runs.end(), offset,
                       [](uint64_t value, const Run& run) { return value < run.object_offset; });
  if (after == runs.begin()) return nullptr;
  const Run& run = *std::prev(after);
  return offset < run.object_end() ? &run : nullptr;
}

}  // namespace postern::http
