// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/message/writer.h"

#include <catch2/catch.hpp>
#include <string>

#include "services/http/message/head.h"

namespace postern::http {
namespace {

void write_response(std::string& out) {
  HeadWriter head(out);
  head.status_line(200);
  head.field("Content-Length", 0);
  head.field("Age", UINT64_MAX);
  head.field("Server", "x");
  head.date("Date", 784'111'777);
  head.end();
}

TEST_CASE("http/message/writer: heads are written as they are read", "[RFC9112-5]") {
  std::string out;
  write_response(out);
  CHECK(out ==
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nAge: 18446744073709551615\r\nServer: x\r\n"
        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
  ResponseReader reader;
  CHECK(reader.read(out) == Step::done);
  CHECK(reader.head().fields.size() == 4);

  out.clear();
  HeadWriter head(out);
  head.request_line("GET", "/a");
  head.field(Field{"Host", "a"});
  head.end();
  CHECK(out == "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST_CASE("http/message/writer: a string that is used again stays where it is") {
  std::string out;
  write_response(out);
  const char* place = out.data();
  const size_t capacity = out.capacity();
  for (int i = 0; i < 10; ++i) {
    out.clear();
    write_response(out);
  }
  CHECK(out.data() == place);
  CHECK(out.capacity() == capacity);
}

TEST_CASE("http/message/writer: every status has words") {
  CHECK(reason_of(414) == "URI Too Long");
  CHECK(reason_of(502) == "Bad Gateway");
  CHECK(reason_of(299) == "Unknown");
  std::string out;
  HeadWriter(out).status_line(999, "");
  CHECK(out == "HTTP/1.1 999 \r\n");
}

}  // namespace
}  // namespace postern::http
