// SPDX-License-Identifier: BSD-3-Clause
// Files and listings from an FTP server, through the proxy.
#include <catch2/catch.hpp>

#include "unit/http/gateway/ftp_server.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::http;        // NOLINT(google-build-using-namespace)
using namespace postern::http::test;  // NOLINT(google-build-using-namespace)

namespace {

constexpr std::string_view kModified = "Last-Modified: Thu, 01 Jan 2026 12:00:00 GMT\r\n";

Bed::Plan with_store() {
  Bed::Plan plan;
  plan.has_store = true;
  return plan;
}

std::string head_of(const Bed& bed, const std::string& url, std::string_view fields = {}) {
  Wire wire = bed.client();
  std::string text = request(url, fields);
  wire.send(text.replace(0, 3, "HEAD"));
  return wire.read_response(false);
}

}  // namespace

TEST_CASE("http/gateway/ftp_fetch: a file comes with its size, date and type", "[F56]") {
  FtpServer server(sample_site());
  Bed bed;
  const std::string answer = bed.get(server.url("/pub/a.txt"));
  CHECK(status_of(answer) == 200);
  CHECK(body_of(answer) == "0123456789");
  CHECK(has(answer, "Content-Length: 10\r\n"));
  CHECK(has(answer, "Content-Type: text/plain\r\n"));
  CHECK(has(answer, kModified));
  CHECK(has(answer, "Accept-Ranges: bytes\r\n"));
  const std::vector<std::string> said = {"USER anonymous", "PASS guest@", "TYPE I", "CWD pub",
                                         "SIZE a.txt",     "MDTM a.txt",  "EPSV",   "RETR a.txt"};
  CHECK(server.commands() == said);
  CHECK(body_of(bed.get(server.url("/top"))) == "top");
  const std::string empty = bed.get(server.url("/pub/empty"));
  CHECK(status_of(empty) == 200);
  CHECK(has(empty, "Content-Length: 0\r\n"));
}

TEST_CASE("http/gateway/ftp_fetch: a folder is a page, by MLSD and by LIST", "[F56]") {
  FtpSite without = sample_site();
  without.lacks = {"FEAT", "EPSV"};
  without.folders["/pub"] =
      "total 2\r\ndrwxr-xr-x 2 a b 4096 Jan  1 12:00 .\r\n"
      "-rw-r--r-- 1 a b 10 Jan  1 12:00 a.txt\r\n-rw-r--r-- 1 a b 5 Jan  1 12:00 <b>&\r\n";
  for (const FtpSite& one : {sample_site(), without}) {
    FtpServer server(one);
    Bed bed;
    const std::string answer = bed.get(server.url("/pub/"));
    CHECK(status_of(answer) == 200);
    CHECK(has(answer, "Content-Type: text/html; charset=utf-8\r\n"));
    CHECK(has(answer, "<a href=\"a.txt\">a.txt</a>"));
    CHECK(has(answer, "<a href=\"%3Cb%3E%26\">&#60;b&#62;&#38;</a>"));
    CHECK(has(answer, "<a href=\"../\">"));
    CHECK_FALSE(has(answer, "<b>"));
    CHECK(has(answer, "</html>"));
    CHECK(server.has_got(one.lacks.empty() ? "MLSD" : "LIST"));
  }
  FtpServer server(sample_site());
  Bed bed;
  const std::string top = bed.get(server.url(""));
  CHECK(has(top, "<a href=\"pub/\">pub/</a>"));
  CHECK_FALSE(has(top, "\"../\""));
}

TEST_CASE("http/gateway/ftp_fetch: a server that does not keep to its FEAT is asked by LIST",
          "[F56]") {
  FtpSite liar = sample_site();
  liar.lacks = {"MLSD"};
  liar.folders["/pub"] = "-rw-r--r-- 1 a b 10 Jan  1 12:00 a.txt\r\n";
  FtpServer server(liar);
  Bed bed;
  CHECK(has(bed.get(server.url("/pub/")), "<a href=\"a.txt\">a.txt</a>"));
}

TEST_CASE("http/gateway/ftp_fetch: a folder without a slash is redirected", "[F56]") {
  for (const bool has_size : {true, false}) {
    FtpSite one = sample_site();
    if (!has_size) one.lacks = {"SIZE"};
    FtpServer server(one);
    Bed bed;
    const std::string answer = bed.get(server.url("/pub"));
    CHECK(status_of(answer) == 301);
    CHECK(has(answer, "Location: " + server.url("/pub/") + "\r\n"));
    CHECK(has(bed.get(server.url("/pub;type=d")), "Location: " + server.url("/pub/") + "\r\n"));
    CHECK(has(bed.get(server.url("/pub", "u:p")), "Location: " + server.url("/pub/", "u:p")) ==
          false);  // who cannot log in learns nothing
  }
}

TEST_CASE("http/gateway/ftp_fetch: one part of a file comes by REST", "[F56]") {
  FtpServer server(sample_site());
  Bed bed;
  const std::string middle = bed.get(server.url("/pub/a.txt"), "Range: bytes=2-4\r\n");
  CHECK(status_of(middle) == 206);
  CHECK(has(middle, "Content-Range: bytes 2-4/10\r\n"));
  CHECK(body_of(middle) == "234");
  CHECK(server.has_got("REST 2"));
  CHECK(body_of(bed.get(server.url("/pub/a.txt"), "Range: bytes=-2\r\n")) == "89");
  CHECK(body_of(bed.get(server.url("/pub/a.txt"), "Range: bytes=0-0\r\n")) == "0");
  const std::string beyond = bed.get(server.url("/pub/a.txt"), "Range: bytes=10-\r\n");
  CHECK(status_of(beyond) == 416);
  CHECK(has(beyond, "Content-Range: bytes */10\r\n"));
  CHECK(body_of(bed.get(server.url("/pub/a.txt"), "Range: bytes=0-1,5-6\r\n")) == "0123456789");
  FtpSite poor = sample_site();
  poor.lacks = {"REST"};
  FtpServer old(poor);
  const std::string whole = bed.get(old.url("/pub/a.txt"), "Range: bytes=2-4\r\n");
  CHECK(status_of(whole) == 200);
  CHECK(body_of(whole) == "0123456789");
}

TEST_CASE("http/gateway/ftp_fetch: conditions are judged, HEAD needs no data", "[F56]") {
  FtpServer server(sample_site());
  Bed bed;
  const std::string url = server.url("/pub/a.txt");
  CHECK(status_of(bed.get(url, "If-Modified-Since: Thu, 01 Jan 2026 12:00:00 GMT\r\n")) == 304);
  CHECK(status_of(bed.get(url, "If-Modified-Since: Thu, 01 Jan 2026 11:59:59 GMT\r\n")) == 200);
  CHECK(status_of(bed.get(url, "If-Unmodified-Since: Thu, 01 Jan 2026 11:59:59 GMT\r\n")) == 412);
  CHECK(status_of(bed.get(url, "If-Match: \"x\"\r\n")) == 412);
  const std::string part =
      bed.get(url, "Range: bytes=2-4\r\nIf-Range: Thu, 01 Jan 2026 11:59:59 GMT\r\n");
  CHECK(status_of(part) == 200);
  FtpServer other(sample_site());
  const std::string head = head_of(bed, other.url("/pub/a.txt"));
  CHECK(status_of(head) == 200);
  CHECK(has(head, "Content-Length: 10\r\n"));
  CHECK(has(head, kModified));
  CHECK_FALSE(other.has_got("EPSV"));
  CHECK(status_of(head_of(bed, other.url("/pub/"))) == 200);
  CHECK_FALSE(other.has_got("MLSD"));
  CHECK(status_of(head_of(bed, other.url("/none"))) == 404);
}

TEST_CASE("http/gateway/ftp_fetch: who is refused is asked for a name and a password", "[F56]") {
  FtpSite closed = sample_site();
  closed.user = "eve";
  closed.password = "s3cret";
  FtpServer server(closed);
  Bed bed(with_store());
  const std::string refused = bed.get(server.url("/pub/a.txt"));
  CHECK(status_of(refused) == 401);
  CHECK(has(refused, "WWW-Authenticate: Basic realm=\"ftp://127.0.0.1:"));
  CHECK(status_of(bed.get(server.url("/pub/a.txt", "eve:wrong"))) == 401);
  // eve:s3cret
  const std::string right =
      bed.get(server.url("/pub/a.txt"), "Authorization: Basic ZXZlOnMzY3JldA==\r\n");
  CHECK(body_of(right) == "0123456789");
  CHECK(body_of(bed.get(server.url("/pub/a.txt", "eve:s3cret"))) == "0123456789");
  CHECK(has(bed.get(server.url("/pub", "eve:s3cret")),
            "Location: " + server.url("/pub/", "eve:s3cret")));
  // Nothing of it is kept: the next who asks is nobody again.
  CHECK(status_of(bed.get(server.url("/pub/a.txt"))) == 401);
  CHECK(bed.counters().stored == 0);
  for (const std::string& line : bed.log())
    CHECK_FALSE(has(line, "s3cret"));
}

TEST_CASE("http/gateway/ftp_fetch: who may not reach the server gets nothing", "[F56][F58]") {
  FtpServer server(sample_site());
  bool may = true;
  Bed::Plan plan = with_store();
  plan.seams.judge = [&](const Peer&, Ipv4Address, uint16_t) { return may; };
  Bed bed(std::move(plan));
  CHECK(status_of(bed.get(server.url("/pub/a.txt"))) == 200);
  bed.on_loop([&] { may = false; });
  CHECK(status_of(bed.get(server.url("/pub/a.txt"))) == 403);  // it is stored
  CHECK(status_of(bed.get(server.url("/top"))) == 403);
}

TEST_CASE("http/gateway/ftp_fetch: files are kept, and validated by their dates", "[F56]") {
  FtpSite young = sample_site();
  FtpServer server(young);
  Bed bed(with_store());
  CHECK(has(bed.get(server.url("/pub/a.txt")), "stored"));
  const std::string hit = bed.get(server.url("/pub/a.txt"));
  CHECK(has(hit, "hit"));
  CHECK(body_of(hit) == "0123456789");
  CHECK(has(hit, kModified));
  CHECK(bed.counters().fetches == 1);
  CHECK(body_of(bed.get(server.url("/pub/a.txt"), "Range: bytes=3-4\r\n")) == "34");
  CHECK(bed.counters().fetches == 1);
  const std::string asked = bed.get(server.url("/pub/a.txt"), "Cache-Control: no-cache\r\n");
  CHECK(body_of(asked) == "0123456789");
  CHECK(bed.counters().revalidated == 1);
  CHECK(bed.counters().fetches == 2);
  // Pages of folders for a minute.
  CHECK(status_of(bed.get(server.url("/pub/"))) == 200);
  CHECK(has(bed.get(server.url("/pub/")), "hit"));
  CHECK(bed.counters().fetches == 3);
}

TEST_CASE("http/gateway/ftp_fetch: a parent proxy is asked by HTTP for ftp, too", "[F56]") {
  std::string seen;
  Origin parent([&](Wire& wire, const std::string& head, int) {
    seen = head;
    return wire.send(response("", "from the parent"));
  });
  Bed::Plan plan;
  plan.settings.parent = ParentProxy{"127.0.0.1", parent.port(), "", true};
  Bed bed(std::move(plan));
  CHECK(body_of(bed.get("ftp://ftp.example/pub/a.txt")) == "from the parent");
  CHECK(has(seen, "GET ftp://ftp.example/pub/a.txt HTTP/1.1\r\n"));
  CHECK(has(seen, "Host: ftp.example\r\n"));
}
