// SPDX-License-Identifier: BSD-3-Clause
// FTP servers that refuse, lie, babble or break off, and requests that would do harm.
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "unit/http/gateway/ftp_server.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::http;        // NOLINT(google-build-using-namespace)
using namespace postern::http::test;  // NOLINT(google-build-using-namespace)

namespace {

Bed::Plan with_store() {
  Bed::Plan plan;
  plan.has_store = true;
  return plan;
}

}  // namespace

TEST_CASE("http/gateway/ftp_hostile: passwords are neither in the log nor on pages", "[F56]") {
  Bed bed;
  // Refused in all ways there are: unread, as a scheme, by its port, by its length.
  const std::string longest(9000, 'x');
  for (const std::string& url :
       {std::string("ftp://eve:s3cret@127.0.0.1:1/#a"), std::string("http://eve:s3cret@127.0.0.1/"),
        std::string("ftp://eve:s3cret@127.0.0.1:25/"), std::string("ftp://eve:s3cret@a@b/"),
        std::string("ftp://eve:s3cret@127.0.0.1:1/a"), "ftp://eve:s3cret@127.0.0.1:1/" + longest}) {
    CAPTURE(url.substr(0, 60));
    const std::string answer = bed.get(url);
    CHECK(status_of(answer) >= 400);
    CHECK_FALSE(has(answer, "s3cret"));
  }
}

TEST_CASE("http/gateway/ftp_hostile: what the server refuses is a status of HTTP", "[F56]") {
  struct Case {
    std::string command;
    std::string reply;
    unsigned status;
  };
  for (const Case& one : std::vector<Case>{
           {"", "421 Too many users.\r\n", 502},   {"", "HTTP/1.1 400 Bad Request\r\n\r\n", 502},
           {"", "120 Soon.\r\n220 Now.\r\n", 200}, {"USER", "230 Come in.\r\n", 200},
           {"USER", "530 Nobody.\r\n", 401},       {"PASS", "332 Account?\r\n", 502},
           {"PASS", "530 No.\r\n", 401},           {"PASS", "421 No.\r\n", 502},
           {"TYPE", "504 No.\r\n", 502},           {"CWD", "550 No.\r\n", 404},
           {"CWD", "530 Not you.\r\n", 401},       {"SIZE", "550 No.\r\n", 200},
           {"SIZE", "213 many\r\n", 200},          {"MDTM", "500 No.\r\n", 200},
           {"EPSV", "229 (|||80|)\r\n", 502},      {"EPSV", "229 (what)\r\n", 200},
           {"EPSV", "425 No.\r\n", 504},           {"EPSV", "421 No.\r\n", 502},
           {"RETR", "550 No.\r\n", 404},           {"RETR", "425 No.\r\n", 504},
           {"RETR", "426 No.\r\n", 502},           {"RETR", "451 No.\r\n", 502},
           {"RETR", "450 Busy.\r\n", 502},         {"RETR", "530 Log in.\r\n", 401},
           {"RETR", "200 What?\r\n", 502},
       }) {
    CAPTURE(one.command, one.reply);
    FtpSite faulty = sample_site();
    faulty.says[one.command] = one.reply;
    FtpServer server(faulty);
    Bed bed;
    CHECK(status_of(bed.get(server.url("/pub/a.txt"))) == one.status);
  }
}

TEST_CASE("http/gateway/ftp_hostile: data come from where the control connection leads",
          "[F56][F58]") {
  FtpSite liar = sample_site();
  liar.lacks = {"EPSV"};
  liar.passive = "10,9,8,7";
  FtpServer server(liar);
  Bed::Plan plan;
  std::vector<std::string> judged;
  plan.seams.judge = [&](const Peer&, Ipv4Address address, uint16_t port) {
    judged.push_back(to_text(address) + ":" + std::to_string(port));
    return true;
  };
  {
    Bed bed(std::move(plan));
    CHECK(body_of(bed.get(server.url("/pub/a.txt"))) == "0123456789");
  }
  // The port of the URL is what is judged.
  CHECK(judged == std::vector<std::string>{"127.0.0.1:" + std::to_string(server.port())});
}

TEST_CASE("http/gateway/ftp_hostile: what is cut short is not taken for whole", "[F56]") {
  FtpSite torn = sample_site();
  torn.sent_max = 4;
  torn.end = "426 Torn.\r\n";
  FtpServer server(torn);
  Bed bed(with_store());
  Wire wire = bed.client();
  wire.send(request(server.url("/pub/a.txt")));
  const std::string got = wire.read_to_end();
  CHECK(has(got, "Content-Length: 10\r\n"));
  CHECK(body_of(got).size() <= 4);
  // Without a length it is the server that tells.
  torn.lacks = {"SIZE"};
  FtpServer lengthless(torn);
  Wire other = bed.client();
  other.send(request(lengthless.url("/pub/a.txt")));
  const std::string chunks = other.read_to_end();
  CHECK(has(chunks, "Transfer-Encoding: chunked\r\n"));
  CHECK_FALSE(has(chunks, "0\r\n\r\n"));
  CHECK(bed.counters().stored == 0);
  torn.sent_max = SIZE_MAX;
  torn.end = "226 Done.\r\n";
  FtpServer sound(torn);
  CHECK(has(bed.get(sound.url("/pub/a.txt")), "0123456789"));
}

TEST_CASE("http/gateway/ftp_hostile: a slow client holds up the server", "[F56]") {
  FtpSite big = sample_site();
  std::string content(size_t{48} << 20, '\0');
  for (size_t i = 0; i < content.size(); ++i)
    content[i] = static_cast<char>(i * 2654435761U >> 13);
  big.files["/big.iso"] = content;
  FtpServer server(big);
  Bed bed;
  Wire wire = bed.client();
  wire.send(request(server.url("/big.iso")));
  const std::string head = wire.read_head();
  CHECK(has(head, "Content-Length: 50331648\r\n"));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const uint64_t sent = server.sent();
  CHECK(sent < content.size() / 2);
  CHECK(difference(wire.read_exactly(content.size()), content).empty());
}

TEST_CASE("http/gateway/ftp_hostile: what would be a command of its own is not sent", "[F56]") {
  FtpServer server(sample_site());
  Bed bed;
  for (const char* path : {"/a%0d%0aDELE%20top", "/pub/%0aDELE top", "/..", "/pub/%2e%2e/top",
                           "/pub%2f..%2ftop", "/pub%5c..%5ctop", "/a%00b", "/%"}) {
    CAPTURE(path);
    CHECK(status_of(bed.get(server.url(path))) >= 400);
  }
  CHECK(status_of(bed.get(server.url("/", "a%0d%0aDELE:b"))) == 400);
  // "a\r\nDELE x:b"
  CHECK(status_of(bed.get(server.url("/"), "Authorization: Basic YQ0KREVMRSB4OmI=\r\n")) == 401);
  CHECK_FALSE(server.has_got("DELE"));
  CHECK_FALSE(server.has_got("CWD .."));
}

TEST_CASE(
    "http/gateway/ftp_hostile: other methods, ports of others and parts of speech are refused",
    "[F56]") {
  FtpServer server(sample_site());
  Bed bed;
  Wire wire = bed.client();
  std::string put = request(server.url("/top"), "Content-Length: 0\r\n");
  wire.send(put.replace(0, 3, "PUT"));
  CHECK(status_of(wire.read_response()) == 501);
  CHECK(status_of(bed.get("ftp://127.0.0.1:25/")) == 403);
  CHECK(status_of(bed.get("http://127.0.0.1:21/")) == 403);
  CHECK(status_of(bed.get("ftp://127.0.0.1:70/")) == 502);  // nobody listens there
  CHECK(status_of(bed.get("gopher://127.0.0.1:21/")) == 403);
  CHECK(server.commands().empty());
}

TEST_CASE("http/gateway/ftp_hostile: silence and babble end", "[F56]") {
  FtpSite silent = sample_site();
  silent.says["SIZE"] = "213-\r\n";
  FtpServer server(silent);
  Bed bed;
  Wire wire = bed.client();
  wire.send(request(server.url("/top")));
  while (!server.has_got("SIZE"))
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  bed.pass_seconds(95);
  CHECK(status_of(wire.read_response()) == 504);
  FtpSite babbler = sample_site();
  std::string babble;
  for (int i = 0; i < 3000; ++i)
    babble += "211-and so on\r\n";
  babbler.says["FEAT"] = babble;
  FtpServer endless(babbler);
  CHECK(status_of(bed.get(endless.url("/pub/"))) == 502);
  FtpSite eager = sample_site();
  eager.says["TYPE"] = "200 a\r\n200 b\r\n200 c\r\n200 d\r\n200 e\r\n200 f\r\n200 g\r\n";
  FtpServer quick(eager);
  CHECK(status_of(bed.get(quick.url("/pub/a.txt"))) >= 400);
}

TEST_CASE("http/gateway/ftp_hostile: a client that leaves ends the transfer", "[F56]") {
  FtpSite big = sample_site();
  big.files["/big"] = std::string(size_t{48} << 20, 'x');
  FtpServer server(big);
  Bed bed;
  {
    Wire wire = bed.client();
    wire.send(request(server.url("/big")));
    wire.read_head();
  }
  for (int i = 0; i < 200; ++i) {
    size_t transfers = 1;
    bed.on_loop([&] { transfers = bed.proxy().load().transfers; });
    if (transfers == 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  size_t transfers = 1;
  bed.on_loop([&] { transfers = bed.proxy().load().transfers; });
  CHECK(transfers == 0);
  CHECK(server.sent() < big.files["/big"].size());
}
