// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/message/writer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "services/http/message/date.h"

namespace postern::http {
namespace {

struct Status {
  unsigned number = 0;
  std::string_view reason;
};

// RFC 9110 section 15, RFC 6585 and RFC 7725: those that a proxy sends or is likely to keep.
constexpr std::array kStatuses = {
    Status{100, "Continue"},
    Status{200, "OK"},
    Status{201, "Created"},
    Status{202, "Accepted"},
    Status{203, "Non-Authoritative Information"},
    Status{204, "No Content"},
    Status{205, "Reset Content"},
    Status{206, "Partial Content"},
    Status{300, "Multiple Choices"},
    Status{301, "Moved Permanently"},
    Status{302, "Found"},
    Status{303, "See Other"},
    Status{304, "Not Modified"},
    Status{307, "Temporary Redirect"},
    Status{308, "Permanent Redirect"},
    Status{400, "Bad Request"},
    Status{401, "Unauthorized"},
    Status{403, "Forbidden"},
    Status{404, "Not Found"},
    Status{405, "Method Not Allowed"},
    Status{407, "Proxy Authentication Required"},
    Status{408, "Request Timeout"},
    Status{410, "Gone"},
    Status{411, "Length Required"},
    Status{412, "Precondition Failed"},
    Status{413, "Content Too Large"},
    Status{414, "URI Too Long"},
    Status{416, "Range Not Satisfiable"},
    Status{417, "Expectation Failed"},
    Status{421, "Misdirected Request"},
    Status{429, "Too Many Requests"},
    Status{431, "Request Header Fields Too Large"},
    Status{451, "Unavailable For Legal Reasons"},
    Status{500, "Internal Server Error"},
    Status{501, "Not Implemented"},
    Status{502, "Bad Gateway"},
    Status{503, "Service Unavailable"},
    Status{504, "Gateway Timeout"},
    Status{505, "HTTP Version Not Supported"},
    Status{508, "Loop Detected"},
    Status{511, "Network Authentication Required"},
};

void append_number(std::string& out, uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end.ptr);
}

}  // namespace

std::string_view reason_of(unsigned status) {
  const auto* found = std::find_if(kStatuses.begin(), kStatuses.end(),
                                   [status](const Status& one) { return one.number == status; });
  return found == kStatuses.end() ? "Unknown" : found->reason;
}

void HeadWriter::request_line(std::string_view method, std::string_view target) {
  out_ += method;
  out_ += ' ';
  out_ += target;
  out_ += " HTTP/1.1\r\n";
}

void HeadWriter::status_line(unsigned status, std::string_view reason) {
  out_ += "HTTP/1.1 ";
  append_number(out_, status);
  out_ += ' ';
  out_ += reason;
  out_ += "\r\n";
}

void HeadWriter::field(std::string_view name, std::string_view value) {
  out_ += name;
  out_ += ": ";
  out_ += value;
  out_ += "\r\n";
}

void HeadWriter::field(std::string_view name, uint64_t value) {
  out_ += name;
  out_ += ": ";
  append_number(out_, value);
  out_ += "\r\n";
}

void HeadWriter::date(std::string_view name, int64_t time_s) {
  out_ += name;
  out_ += ": ";
  append_date(out_, time_s);
  out_ += "\r\n";
}

}  // namespace postern::http
