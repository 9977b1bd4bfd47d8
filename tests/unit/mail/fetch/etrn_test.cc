// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/fetch/etrn.h"

#include "services/mail/fetch/fetcher.h"
#include "unit/mail/fetch/fetch_bed.h"
#include "unit/mail/net/stream_bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::mail;        // NOLINT(google-build-using-namespace)
using namespace postern::mail::test;  // NOLINT(google-build-using-namespace)

namespace {

// An SMTP server that knows EHLO, STARTTLS, ETRN and QUIT.
class EtrnServer {
 public:
  std::vector<std::string> commands;
  std::map<std::string, std::string> replies;  // to a command; else 250
  std::shared_ptr<ServerTls> tls;

  explicit EtrnServer(boost::asio::io_context& context) : context_(context), listener_(context) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(::listen(fd, 4) == 0);
    REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    port = ntohs(at.sin_port);
    listener_.assign(fd);
    accept();
  }
  ~EtrnServer() {
    for (const auto& stream : streams_)
      stream->close();
  }
  EtrnServer(const EtrnServer&) = delete;
  EtrnServer& operator=(const EtrnServer&) = delete;

  uint16_t port = 0;

 private:
  void accept() {
    listener_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](
                                                                               const auto& error) {
      if (error) return;
      greet(::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      accept();
    });
  }
  void greet(int fd) {
    auto stream = Stream::take(context_, fd);
    streams_.push_back(stream);
    input_.clear();
    Stream* raw = stream.get();
    Stream::Calls calls;
    calls.received = [this, raw](std::string_view octets) {
      input_ += octets;
      for (size_t end = input_.find("\r\n"); end != std::string::npos; end = input_.find("\r\n")) {
        const std::string line = input_.substr(0, end);
        input_.erase(0, end + 2);
        commands.push_back(line);
        const auto at = replies.find(line);
        std::string reply = at == replies.end() ? "250 ok" : at->second;
        if (line.starts_with("EHLO") && tls && raw->tls_text().empty())
          reply = "250-mx\r\n250 STARTTLS";
        raw->send(reply + "\r\n");
        if (line == "STARTTLS") raw->secure_as_server(tls);
      }
    };
    stream->begin(std::move(calls));
    stream->send("220 mx ready\r\n");
  }

  boost::asio::io_context& context_;
  boost::asio::posix::stream_descriptor listener_;
  std::vector<std::shared_ptr<Stream>> streams_;
  std::string input_;
};

struct EtrnBed {
  FetchBed fetch;
  EtrnServer server{fetch.mail.context};
  EtrnHost host;

  EtrnBed() {
    host.host = "127.0.0.1";
    host.port = server.port;
    host.domains = {"office.example", "old.example"};
    host.tls.mode = TlsMode::none;
  }
  void follow() {
    fetch.mail.settings.fetch.accounts.clear();
    fetch.mail.settings.fetch.etrn = {host};
    REQUIRE(fetch.fetcher->follow(fetch.mail.settings.fetch, fetch.mail.settings));
  }
  // For so many seconds of the bed's clock.
  void run(int s = 10) {
    for (int i = 0; i < s; ++i) {
      ++fetch.mail.now_s;
      fetch.fetcher->tick();
      fetch.mail.context.restart();
      fetch.mail.context.run_for(std::chrono::milliseconds(2));
    }
  }
};

}  // namespace

TEST_CASE("mail/fetch/etrn: a server is asked for our domains at the start and at link-up",
          "[F50][F52]") {
  EtrnBed bed;
  bed.follow();
  bed.run();
  const std::vector<std::string> asked = {"EHLO gw.office.example", "ETRN office.example",
                                          "ETRN old.example", "QUIT"};
  CHECK(bed.server.commands == asked);
  bed.run(400);
  CHECK(bed.server.commands.size() == 4);
  bed.fetch.fetcher->link_is_up();
  bed.run();
  CHECK(bed.server.commands.size() == 8);
  bed.host.every = seconds(100);
  bed.follow();
  bed.run(210);
  CHECK(bed.server.commands.size() == 20);
  CHECK(bed.fetch.warnings.empty());
}

TEST_CASE("mail/fetch/etrn: outside its times nothing is said, not even at link-up", "[F52]") {
  EtrnBed bed;
  bed.host.times = {7};
  bed.follow();
  bed.fetch.fetcher->link_is_up();
  bed.run();
  CHECK(bed.server.commands.empty());
  bed.fetch.times_now = {7};
  bed.run();
  CHECK(bed.server.commands.size() == 4);
}

TEST_CASE("mail/fetch/etrn: what the server refuses is told once", "[F50]") {
  EtrnBed bed;
  bed.host.every = seconds(100);
  bed.server.replies["ETRN office.example"] = "459 Node office.example not allowed";
  bed.follow();
  bed.run(350);
  REQUIRE(bed.fetch.warnings.size() == 1);
  CHECK(contains(bed.fetch.warnings[0], "office.example: 459"));
  // The other domain is asked for all the same.
  CHECK(bed.server.commands[2] == "ETRN old.example");
  bed.server.replies.clear();
  bed.run(500);
  REQUIRE(bed.fetch.warnings.size() == 2);
  CHECK(contains(bed.fetch.warnings[1], "works again"));
}

TEST_CASE("mail/fetch/etrn: TLS first where it is wanted", "[P26]") {
  EtrnBed bed;
  bed.server.tls = server_tls();
  bed.host.tls.mode = TlsMode::required;
  bed.host.tls.pins = {identity().pin};
  bed.follow();
  bed.run();
  REQUIRE(bed.server.commands.size() == 6);
  CHECK(bed.server.commands[1] == "STARTTLS");
  CHECK(bed.server.commands[3] == "ETRN office.example");
  // Without it nothing is asked.
  bed.server.commands.clear();
  bed.server.tls.reset();
  bed.fetch.fetcher->link_is_up();
  bed.run();
  CHECK(std::find(bed.server.commands.begin(), bed.server.commands.end(), "ETRN office.example") ==
        bed.server.commands.end());
  CHECK(bed.fetch.warnings.size() == 1);
}
