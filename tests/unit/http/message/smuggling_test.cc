// SPDX-License-Identifier: BSD-3-Clause
// Messages that were made to be read in two ways, whole as an attacker sends them: what is refused,
// with which status, and that it is the same however the octets come.
#include <catch2/catch.hpp>
#include <string>

#include "unit/http/message/read_message.h"

namespace postern::http {
namespace {

using namespace std::string_view_literals;

struct Row {
  std::string_view fields;
  std::string_view verdict;
};

constexpr Row kPosts[] = {
    // What is sound.
    {"Host: a\r\n\r\n", "ok"},
    {"Host: a\r\nContent-Length: 5\r\n\r\n", "ok"},
    {"Host: a\r\nTransfer-Encoding: chunked\r\n\r\n", "ok"},
    {"Host: a\r\ntransfer-encoding:  CHUNKED\t \r\n\r\n", "ok"},
    // CL.TE and TE.CL, in every order and spelling.
    {"Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "400 coding_and_length"},
    {"Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", "400 coding_and_length"},
    {"Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", "400 coding_and_length"},
    {"Host: a\r\nCONTENT-LENGTH: 5\r\ntRANSFER-eNCODING: chunked\r\n\r\n", "400 coding_and_length"},
    {"Host: a\r\nContent-Length:\r\nTransfer-Encoding: chunked\r\n\r\n", "400 coding_and_length"},
    {"Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: identity\r\n\r\n", "400 coding"},
    {"Host: a\r\nContent-Length: 5\r\nTransfer-Encoding:\r\n\r\n", "400 coding"},
    // TE.TE: one of two readers takes the one, the other the other.
    {"Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     "400 coding_twice"},
    {"Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-encoding: x\r\n\r\n", "400 coding_twice"},
    {"Host: a\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n",
     "400 coding_twice"},
    {"Host: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n", "400 coding"},
    {"Host: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", "400 coding"},
    {"Host: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", "400 coding"},
    {"Host: a\r\nTransfer-Encoding: gzip\r\n\r\n", "400 coding"},
    {"Host: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "501 coding"},
    {"Host: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n", "501 coding"},
    {"Host: a\r\nTransfer-Encoding: ,chunked\r\n\r\n", "400 coding"},
    {"Host: a\r\nTransfer-Encoding: chunked,\r\n\r\n", "400 coding"},
    {"Host: a\r\nTransfer-Encoding: xchunked\r\n\r\n", "400 coding"},
    {"Host: a\r\nTransfer-Encoding: chunkedx\r\n\r\n", "400 coding"},
    {"Host: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n", "400 coding"},
    {"Host: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n", "400 coding"},
    {"Host: a\r\nTransfer-Encoding: 'chunked'\r\n\r\n", "400 coding"},
    {"Host: a\r\nTransfer-Encoding: chun\tked\r\n\r\n", "400 coding"},
    {"Host: a\r\nTransfer-Encoding: chunked\xa0\r\n\r\n", "400 coding"},
    {"Host: a\r\nTransfer-Encoding: \"x, y\", chunked\r\n\r\n", "400 coding"},
    {"Host: a\r\nTransfer-Encoding: \x0b"
     "chunked\r\n\r\n",
     "400 control_octet"},
    {"Host: a\r\nTransfer-Encoding: chunked\x0c\r\n\r\n", "400 control_octet"},
    {"Host: a\r\nTransfer-Encoding: \0chunked\r\n\r\n"sv, "400 control_octet"},
    {"Host: a\r\nTransfer-Encoding : chunked\r\n\r\n", "400 space_before_colon"},
    {"Host: a\r\nTransfer-Encoding\t: chunked\r\n\r\n", "400 space_before_colon"},
    {"Host: a\r\n Transfer-Encoding: chunked\r\n\r\n", "400 folded_line"},
    {"Host: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n", "400 folded_line"},
    {"Host: a\r\nTransfer-Encoding\r\n : chunked\r\n\r\n", "400 field_name"},
    {"Host: a\r\nTransfer\xad-Encoding: chunked\r\n\r\n", "400 field_name"},
    {"Host: a\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n", "400 bare_lf"},
    {"Host: a\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n", "400 control_octet"},
    {"Host: a\r\nX: y\r\n\rTransfer-Encoding: chunked\r\n\r\n", "400 field_name"},
    {"Host: a\r\nContent-Length: 5\r\n\n", "400 bare_lf"},
    {"Host: a\n\n", "400 bare_lf"},
    // A name that some make of another.
    {"Host: a\r\nContent-Length: 5\r\nTransfer_Encoding: chunked\r\n\r\n", "ok"},
    // Lengths.
    {"Host: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", "400 length_twice"},
    {"Host: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "400 length_twice"},
    {"Host: a\r\nContent-Length: 5, 5\r\n\r\n", "400 length"},
    {"Host: a\r\nContent-Length: 5,\r\n\r\n", "400 length"},
    {"Host: a\r\nContent-Length: -1\r\n\r\n", "400 length"},
    {"Host: a\r\nContent-Length: +5\r\n\r\n", "400 length"},
    {"Host: a\r\nContent-Length: 0x5\r\n\r\n", "400 length"},
    {"Host: a\r\nContent-Length: 5a\r\n\r\n", "400 length"},
    {"Host: a\r\nContent-Length: 5 5\r\n\r\n", "400 length"},
    {"Host: a\r\nContent-Length: 5.0\r\n\r\n", "400 length"},
    {"Host: a\r\nContent-Length: 5e1\r\n\r\n", "400 length"},
    {"Host: a\r\nContent-Length: \"5\"\r\n\r\n", "400 length"},
    {"Host: a\r\nContent-Length:\r\n\r\n", "400 length"},
    {"Host: a\r\nContent-Length: 9223372036854775807\r\n\r\n", "ok"},
    {"Host: a\r\nContent-Length: 9223372036854775808\r\n\r\n", "400 length"},
    {"Host: a\r\nContent-Length: 18446744073709551621\r\n\r\n", "400 length"},
    {"Host: a\r\nContent-Length: 4294967296000000000005\r\n\r\n", "400 length"},
    {"Host: a\r\nContent-Length : 5\r\n\r\n", "400 space_before_colon"},
    {"Host: a\r\nContent-Length: 5\x0b\r\n\r\n", "400 control_octet"},
    // Hosts.
    {"\r\n", "400 host_missing"},
    {"Host: a\r\nHost: a\r\n\r\n", "400 host_twice"},
    {"Host: a\r\nhost: b\r\n\r\n", "400 host_twice"},
    {"Host:\r\n\r\n", "400 host"},
    {"Host: a, b\r\n\r\n", "400 host"},
    {"Host: a b\r\n\r\n", "400 host"},
    {"Host: a/b\r\n\r\n", "400 host"},
    {"Host: a@b\r\n\r\n", "400 host"},
    {"Host: a:80:80\r\n\r\n", "400 host"},
    {"Host: a:x\r\n\r\n", "400 host"},
    {"Host: a:65536\r\n\r\n", "400 host"},
    {"Host: http://a\r\n\r\n", "400 host"},
    {"Host: a\r\n\tb\r\n\r\n", "400 folded_line"},
    {"Host : a\r\n\r\n", "400 space_before_colon"},
    {" Host: a\r\n\r\n", "400 folded_line"},
    // Connection takes framing away from the next one, or hides fields in a crowd.
    {"Host: a\r\nConnection: close, Content-Length\r\n\r\n", "ok"},
    {"Host: a\r\nConnection: \"close\r\n\r\n", "400 connection"},
    {"Host: a\r\nConnection: a b\r\n\r\n", "400 connection"},
};

TEST_CASE("http/message/framing: requests that could be read in two ways are refused",
          "[RFC9112-3.2][RFC9112-6.1][RFC9112-6.3]") {
  for (const Row& row : kPosts) {
    INFO(row.fields);
    const std::string text = "POST /a HTTP/1.1\r\n" + std::string(row.fields);
    const Read read = read_request(text);
    CHECK(read.verdict() == row.verdict);
    CHECK((read.step != Step::done || read.length == text.size()));
  }
}

TEST_CASE("http/message/framing: what comes behind a request changes nothing in it") {
  for (const Row& row : kPosts) {
    INFO(row.fields);
    const std::string text = "POST /a HTTP/1.1\r\n" + std::string(row.fields);
    const std::string more = text + "0\r\n\r\nGET /x HTTP/1.1\r\n";
    CHECK(read_request(more).verdict() == row.verdict);
    CHECK(read_request(more).length == read_request(text).length);
  }
}

TEST_CASE("http/message/framing: octet by octet a request is read as at once") {
  for (const Row& row : kPosts) {
    INFO(row.fields);
    const std::string text = "POST /a HTTP/1.1\r\n" + std::string(row.fields);
    const Read read = read_request_slowly(text);
    CHECK(read.verdict() == row.verdict);
    CHECK(read.length == read_request(text).length);
    const HeadLimits limits{40, 60, 2};
    CHECK(read_request_slowly(text, limits).verdict() == read_request(text, limits).verdict());
  }
}

TEST_CASE("http/message/framing: in responses the same is refused with 502",
          "[RFC9112-6.1][RFC9112-6.3]") {
  for (const Row& row : kPosts) {
    // Hosts are nothing in a response.
    if (row.verdict.find("host") != std::string_view::npos) continue;
    INFO(row.fields);
    const std::string text = "HTTP/1.1 200 OK\r\n" + std::string(row.fields);
    const std::string verdict = read_response(text).verdict();
    CHECK(verdict == (row.verdict == "ok" ? "ok" : "502 " + std::string(row.verdict.substr(4))));
  }
}

TEST_CASE("http/message/framing: HTTP/1.0 knows no transfer coding", "[RFC9112-6.1]") {
  CHECK(read_request("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").verdict() ==
        "400 coding_in_http10");
  CHECK(read_request("POST / HTTP/1.0\r\nContent-Length: 3\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n")
            .verdict() == "400 coding_in_http10");
  CHECK(read_response("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").verdict() ==
        "502 coding_in_http10");
}

}  // namespace
}  // namespace postern::http
