// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/store/disk_object.h"

#include "services/http/store/engine.h"

namespace postern::http {

DiskObject::DiskObject(Engine& engine, Head head, const std::string* metadata)
    : engine_(engine), head_(std::move(head)), reader_(engine) {
  ++engine_.users;
  if (metadata != nullptr) metadata_ = *metadata;
  pin(head_.place.segment());
  if (head_.has_all()) return;
  runs_ = current_runs(head_, engine_.log);
  for (const Run& run : runs_)
    pin(engine_.geometry().segment_of(run.file_offset));
}

DiskObject::~DiskObject() {
  --engine_.users;
  for (const uint32_t segment : pinned_)
    engine_.unpin(segment);
}

void DiskObject::pin(uint32_t segment) {
  if (!pinned_.empty() && pinned_.back() == segment) return;
  engine_.pin(segment);
  pinned_.push_back(segment);
}

std::string_view DiskObject::metadata() const {
  return metadata_ ? std::string_view(*metadata_) : head_.tail.metadata;
}

bool DiskObject::is_complete() const {
  if (head_.has_all()) return true;
  const std::vector<OctetRange> ranges = covered(runs_);
  return ranges.size() == 1 && ranges.front() == OctetRange{0, head_.header.object_length};
}

bool DiskObject::is_hollow() const {
  return !head_.has_all() && runs_.empty();
}

std::vector<OctetRange> DiskObject::present() const {
  if (!head_.has_all()) return covered(runs_);
  if (head_.header.object_length == 0) return {};
  return {{0, head_.header.object_length}};
}

const Run* DiskObject::run_here(Run& own) const {
  if (!head_.has_all()) return run_at(runs_, offset_);
  own = head_.own_run();
  return &own;
}

Read DiskObject::next() {
  if (offset_ >= head_.header.object_length) return {Read::State::end, {}};
  Run own;
  const Run* run = run_here(own);
  Read read;
  if (run == nullptr)
    read.state = Read::State::absent;
  else if (is_in_memory(*run))
    read = {Read::State::octets, head_.body().subspan(offset_ - run->object_offset)};
  else
    read = reader_.read(*run, offset_);
  if (read.state == Read::State::octets) offset_ += read.octets.size();
  return read;
}

ReadExtent DiskObject::next_extent() {
  if (offset_ >= head_.header.object_length) return {};
  Run own;
  const Run* run = run_here(own);
  if (run == nullptr) return {Read::State::absent, -1, 0, 0};
  if (!engine_.has_extents()) return {Read::State::absent, -1, 0, 0};
  ReadExtent extent;
  if (is_in_memory(*run))  // its sum was found right with the head
    extent = {Read::State::octets, engine_.file().fd(),
              run->file_offset + sizeof(RecordHeader) + (offset_ - run->object_offset),
              run->object_end() - offset_};
  else
    extent = reader_.extent(*run, offset_);
  if (extent.state == Read::State::octets) offset_ += extent.length;
  return extent;
}

}  // namespace postern::http
