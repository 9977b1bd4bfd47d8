// SPDX-License-Identifier: BSD-3-Clause
// Heads of messages as text (RFC 9112 sections 3 to 5), appended to a string that its owner clears
// and uses again: once it has grown, writing allocates nothing.
//
//   HeadWriter head(out);
//   head.status_line(200);
//   head.field("Content-Length", 5);
//   head.end();
//
// Names and values are those of a head that was read, or our own: they have no control octets, and
// nothing is checked here. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "services/http/message/fields.h"

namespace postern::http {

// What is usually written behind a status; "Unknown" for those that are not registered.
std::string_view reason_of(unsigned status);

class HeadWriter {
 public:
  explicit HeadWriter(std::string& out) : out_(out) {}

  // Always HTTP/1.1, our own version (RFC 9110 section 2.5), whatever came.
  void request_line(std::string_view method, std::string_view target);
  void status_line(unsigned status) { status_line(status, reason_of(status)); }
  void status_line(unsigned status, std::string_view reason);

  void field(std::string_view name, std::string_view value);
  void field(std::string_view name, uint64_t value);
  void field(const Field& field) { this->field(field.name, field.value); }
  void date(std::string_view name, int64_t time_s);

  void end() { out_ += "\r\n"; }

 private:
  std::string& out_;
};

}  // namespace postern::http
