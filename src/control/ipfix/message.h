// SPDX-License-Identifier: BSD-3-Clause
// Message: templates and records -> one IPFIX message (RFC 7011 section 3).
//
//   begin(max) -> add, add ... until one says there is no room -> finish()
//
// Neighbouring records of one template share a set. Bounds: the octets given to begin(), 65,535 at
// most. Thread: one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "control/ipfix/templates.h"

namespace postern::ipfix {

class Message {
 public:
  static constexpr size_t kMax = 65535;

  void begin(size_t octets_max);
  // Each: false where there is no room; nothing was added.
  bool add(const Template& wanted);
  bool add(const FlowRecord& record, int64_t offset_ns, const Limits& limits);
  bool add(const Loss& loss);
  bool add_interface(uint32_t number, std::string_view name);  // at most 254 octets of it

  bool is_empty() const;
  // Data records, which the sequence number counts; templates do not.
  uint32_t records() const { return records_; }

  struct Header {
    uint32_t domain = 0;
    uint32_t sequence = 0;    // of the first data record, counted from 0 in its transport session
    uint32_t exported_s = 0;  // since 1970
  };
  // The whole message; valid until begin().
  std::string_view finish(const Header& header);

 private:
  bool make_room(uint16_t set, size_t octets);
  void close_set();
  void put(uint64_t value, size_t octets);
  void put_at(size_t at, uint64_t value, size_t octets);

  std::string octets_;
  size_t max_ = 0;
  size_t set_at_ = 0;  // where the set that is open begins; 0: none is
  uint16_t set_ = 0;
  uint32_t records_ = 0;
};

}  // namespace postern::ipfix
