// SPDX-License-Identifier: BSD-3-Clause
// ContextIndex: the row of how a packet came: by which interface and to which, through a configured
// mapping or not, opening a TCP connection, going on with one, or neither. Interfaces that no rule
// tells apart share an entry. Immutable; thread: any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/filter/bit_rows.h"
#include "dataplane/filter/rule.h"

namespace postern {

class ContextIndex {
 public:
  ContextIndex() = default;
  // `order` names the rule of each position. Empty, and that stays visible, where the interfaces
  // are told apart in so many ways that building would take long.
  ContextIndex(RowPool& pool, std::span<const Rule> rules, std::span<const uint16_t> order);

  bool is_empty() const { return rows_.empty(); }

  RowOffset find(const FlowQuery& query) const {
    size_t tcp_state = query.protocol == protocol::tcp ? 1 + size_t{query.established} : 0;
    size_t interfaces = in_class_[query.in] * outs_ + out_class_[query.out];
    return rows_[(interfaces * 2 + query.translated) * kTcpStates + tcp_state];
  }

  size_t bytes() const { return rows_.capacity() * sizeof(RowOffset); }

 private:
  static constexpr size_t kTcpStates = 3;  // no TCP, opening, established

  std::array<uint8_t, 256> in_class_ = {}, out_class_ = {};  // by InterfaceId
  size_t outs_ = 1;
  std::vector<RowOffset> rows_;
};

}  // namespace postern
