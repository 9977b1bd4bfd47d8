// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/store/chunk_reader.h"

#include <cerrno>

#include "base/assert.h"
#include "services/http/store/engine.h"

namespace postern::http {

ChunkReader::ChunkReader(Engine& engine) : engine_(engine) {}
ChunkReader::~ChunkReader() = default;

ChunkReader::Where ChunkReader::where(const Run& run, uint64_t offset) const {
  const uint32_t chunk = engine_.geometry().chunk_octets;
  const uint64_t number = (offset - run.object_offset) / chunk;
  const uint64_t before = number * chunk;
  const uint64_t rest = run.octets - before;
  return {run.file_offset + number * record_octets(chunk, 0), run.object_offset + before,
          static_cast<uint32_t>(rest < chunk ? rest : chunk), run.sequence};
}

Read ChunkReader::read(const Run& run, uint64_t offset) {
  const Where at = where(run, offset);
  const Read::State state = load(at);
  if (state != Read::State::octets) return {state, {}};
  const auto skipped = static_cast<size_t>(offset - at.object_offset);
  return {state, std::span<const uint8_t>(record_->octets.get() + sizeof(RecordHeader), at.octets)
                     .subspan(skipped)};
}

ReadExtent ChunkReader::extent(const Run& run, uint64_t offset) {
  if (!engine_.has_extents()) return {Read::State::absent, -1, 0, 0};
  const Where at = where(run, offset);
  const bool has_slot = engine_.log.has_slot(at.octets);
  const bool is_known = has_slot && engine_.log.is_verified(at.file_offset);
  const Read::State state = is_known ? Read::State::octets : load(at);
  if (state != Read::State::octets) return {state, -1, 0, 0};
  if (has_slot) engine_.log.set_verified(at.file_offset);
  const uint64_t skipped = offset - at.object_offset;
  return {state, engine_.file().fd(), at.file_offset + sizeof(RecordHeader) + skipped,
          at.octets - skipped};
}

Read::State ChunkReader::load(const Where& where) {
  if (is_waiting_) return Read::State::wait;
  if (has_failed_) return Read::State::failed;
  if (loaded_ == where.file_offset) return Read::State::octets;
  const uint32_t count = static_cast<uint32_t>(sizeof(RecordHeader)) + where.octets;
  loaded_ = 0;
  if (!record_ || record_->capacity < count) record_ = std::make_shared<Chunk>(count, 0);
  record_->used = count;
  const ssize_t got = engine_.file().read_now({record_->octets.get(), count}, where.file_offset);
  if (got == -EAGAIN) {
    start(where);
    return Read::State::wait;
  }
  ++engine_.counters.reads_at_once;
  if (got < 0) ++engine_.counters.errors;
  has_failed_ = got < 0 || !is_whole(where);
  return has_failed_ ? Read::State::failed : Read::State::octets;
}

void ChunkReader::start(const Where& where) {
  is_waiting_ = true;
  ++engine_.counters.reads_by_pool;
  if (!self_) self_ = std::make_shared<ChunkReader*>(this);
  auto result = std::make_shared<ssize_t>(0);
  auto work = [record = record_, result, at = where.file_offset](File& file) {
    *result = file.read({record->octets.get(), record->used}, at);
  };
  auto done = [self = std::weak_ptr<ChunkReader*>(self_), result, where] {
    const auto alive = self.lock();
    if (!alive) return;
    ChunkReader& reader = **alive;
    reader.is_waiting_ = false;
    if (*result < 0) ++reader.engine_.counters.errors;
    reader.has_failed_ = *result < 0 || !reader.is_whole(where);
    if (const auto ready = std::exchange(reader.ready_, {})) ready();
  };
  engine_.io.read(std::move(work), std::move(done));
}

// Whether the record is the one that was meant, and as it was written.
bool ChunkReader::is_whole(const Where& where) {
  const std::span<const uint8_t> octets(record_->octets.get(), record_->used);
  const Geometry& geometry = engine_.geometry();
  const auto header = parse_record_header(octets, geometry, where.file_offset, where.sequence);
  const bool is_meant = header && header->kind != RecordKind::tombstone &&
                        header->object_offset == where.object_offset &&
                        header->body_octets == where.octets;
  if (is_meant && is_body_whole(octets, *header, geometry.salt)) {
    loaded_ = where.file_offset;
    return true;
  }
  ++engine_.counters.damaged;
  return false;
}

}  // namespace postern::http
