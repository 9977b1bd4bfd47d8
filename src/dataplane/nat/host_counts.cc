// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/host_counts.h"

#include "base/assert.h"

namespace postern {
namespace {

KeyWords key_of(be32 host) {
  return {host.raw(), 0};
}

}  // namespace

HostCounts::HostCounts(uint32_t capacity, const HashSeed& seed)
    : index_(capacity, seed), hosts_(capacity) {
  for (uint32_t i = capacity; i-- > 0;) {
    hosts_[i].next_free = free_;
    free_ = i;
  }
}

DropReason HostCounts::add(be32 opener, be32 responder, uint32_t from_max, uint32_t to_max) {
  if (hosts_.size() == 0) return DropReason::none;
  uint32_t from = find_or_add(opener);
  if (from == kNone) return DropReason::host_table_full;
  uint32_t to = find_or_add(responder);
  if (to == kNone) {
    free_when_unused(from);
    return DropReason::host_table_full;
  }
  bool is_over =
      (from_max != 0 && hosts_[from].from >= from_max) || (to_max != 0 && hosts_[to].to >= to_max);
  if (!is_over) {
    ++hosts_[from].from;
    ++hosts_[to].to;
    return DropReason::none;
  }
  free_when_unused(from);
  if (to != from) free_when_unused(to);
  return DropReason::host_limit;
}

void HostCounts::look_ahead(be32 opener, be32 responder) const {
  if (hosts_.size() == 0) return;
  index_.prefetch(key_of(opener));
  index_.prefetch(key_of(responder));
}

void HostCounts::remove(be32 opener, be32 responder) {
  if (hosts_.size() == 0) return;
  uint32_t from = find(opener), to = find(responder);
  POSTERN_DCHECK(from != kNone && hosts_[from].from > 0);
  POSTERN_DCHECK(to != kNone && hosts_[to].to > 0);
  --hosts_[from].from;
  --hosts_[to].to;
  free_when_unused(from);
  if (to != from) free_when_unused(to);
}

uint32_t HostCounts::from(be32 host) const {
  uint32_t index = find(host);
  return index == kNone ? 0 : hosts_[index].from;
}

uint32_t HostCounts::to(be32 host) const {
  uint32_t index = find(host);
  return index == kNone ? 0 : hosts_[index].to;
}

uint32_t HostCounts::find(be32 host) const {
  return index_.find(key_of(host));
}

uint32_t HostCounts::find_or_add(be32 host) {
  uint32_t index = find(host);
  if (index != kNone || free_ == kNone) return index;
  index = free_;
  free_ = hosts_[index].next_free;
  hosts_[index] = Host{host, 0, 0, kNone};
  index_.insert(key_of(host), index);
  return index;
}

void HostCounts::free_when_unused(uint32_t index) {
  Host& host = hosts_[index];
  if (host.from != 0 || host.to != 0) return;
  index_.erase(key_of(host.address));
  host.next_free = free_;
  free_ = index;
}

}  // namespace postern
