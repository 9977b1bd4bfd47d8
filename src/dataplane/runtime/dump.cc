// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/dump.h"

#include "dataplane/pipeline/pipeline.h"

namespace postern {
namespace {

WholeSession row_of(const SessionTable& table, uint32_t index) {
  return table.whole(index);
}
const Mapping& row_of(const MappingTable& table, uint32_t index) {
  return table.at(index);
}

}  // namespace

bool Dump::ask(What what) {
  if (stage_.load(std::memory_order_acquire) == Stage::asked) return false;
  what_ = what;
  next_ = 0;
  ask_next();
  return true;
}

void Dump::ask_next() {
  count_ = 0;
  stage_.store(Stage::asked, std::memory_order_release);
}

bool Dump::poll(Block& block) {
  if (stage_.load(std::memory_order_acquire) != Stage::ready) return false;
  block.sessions.clear();
  block.mappings.clear();
  if (what_ == What::sessions) {
    block.sessions.assign(sessions_->begin(), sessions_->begin() + count_);
  } else {
    block.mappings.assign(mappings_->begin(), mappings_->begin() + count_);
  }
  block.is_last = is_last_;
  stage_.store(Stage::idle, std::memory_order_relaxed);
  return true;
}

template <typename Table, typename Row>
void Dump::copy(const Table& table, std::array<Row, kRows>& rows) {
  const uint32_t end = table.size() == 0 ? next_ : table.capacity();
  uint32_t copied = 0;
  uint32_t looks = 0;
  while (next_ < end && count_ < kRows && copied < kRowsPerTurn && looks < kLooksPerTurn) {
    const uint32_t index = next_++;
    ++looks;
    if (!table.at(index).in_use) continue;
    rows[count_++] = row_of(table, index);
    ++copied;
  }
  is_last_ = next_ >= end;
  if (is_last_ || count_ == kRows) stage_.store(Stage::ready, std::memory_order_release);
}

void Dump::serve(const Pipeline& pipeline) {
  if (stage_.load(std::memory_order_acquire) != Stage::asked) return;
  if (what_ == What::sessions) {
    copy(pipeline.sessions(), *sessions_);
  } else {
    copy(pipeline.mappings(), *mappings_);
  }
}

}  // namespace postern
