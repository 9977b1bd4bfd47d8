// SPDX-License-Identifier: BSD-3-Clause
// SecurityLine: a LogRecord of a worker -> one line of the security log (F66).
//
//   time=2026-03-01T09:00:00.123+0100 host=gw1 module=filter rule="cleanup" line=41 action=drop
//   in=wan out=lan direction=inbound protocol=tcp source=198.51.100.7:40000
//   destination=192.168.1.5:22 length=60 flags=SYN seq=1 ack=0 window=64240 reason=filter_drop
//   generation=3 worker=0
//   (one line in the file)
//
// Keys keep their order and meaning; new ones come last. What a record does not have is left out.
// Thread: one.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "control/log/generation_names.h"
#include "control/log/user_names.h"
#include "dataplane/packet/log_record.h"

namespace postern {

class SecurityLine {
 public:
  // `host` is the name of this gateway.
  // `users` are the names of users, nullptr: none is known.
  explicit SecurityLine(std::string host, const UserNames* users = nullptr)
      : host_(std::move(host)), users_(users) {}

  void set_host(std::string host) { host_ = std::move(host); }

  // `names` of the record's generation, nullptr when it is not known any more. `wall_offset_ns`:
  // what to add to an Instant for the time since 1970. No end of line. Valid until the next call.
  std::string_view format(const LogRecord& record, const LoggedNames* names,
                          int64_t wall_offset_ns);

  // The line about records that a worker's ring had no room for.
  std::string_view format_lost(uint64_t records, size_t worker, int64_t wall_ns);
  // The line about refusals for one reason that came faster than the log is to grow.
  std::string_view format_suppressed(DropReason reason, uint64_t records, size_t worker,
                                     int64_t wall_ns);

 private:
  void append_time(int64_t wall_ns);
  void append_rule(const LogRecord& record, const LoggedNames* names);
  void append_user(const LogRecord& record);
  void append_flow(const LogRecord& record);
  void append_transport(const LogRecord& record);

  std::string host_;
  const UserNames* users_;
  fmt::memory_buffer out_;
  int64_t second_ = -1;       // of the cached texts
  std::string until_second_;  // "2026-03-01T09:00:00"
  std::string offset_;        // "+0100"
};

// "outbound", "inbound", "internal", "transit", "to-gateway", "from-gateway" or "-", from the
// zones.
const char* direction_word(const LogRecord& record, const LoggedNames* names);

// "SYN,ACK"; "-" for none.
std::string tcp_flags_text(uint8_t flags);

}  // namespace postern
