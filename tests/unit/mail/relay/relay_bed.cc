// SPDX-License-Identifier: BSD-3-Clause
#include "unit/mail/relay/relay_bed.h"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>

#include "services/mail/message/data.h"
#include "services/mail/message/lines.h"
#include "services/mail/net/stream.h"

namespace postern::mail::test {
namespace asio = boost::asio;
using asio::ip::tcp;

constexpr size_t kKept = size_t{1} << 20;

struct TestHost::Acceptor {
  explicit Acceptor(asio::io_context& context)
      : acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}
  tcp::acceptor acceptor;
};

struct TestHost::Peer {
  Peer(TestHost& owner, std::shared_ptr<Stream> taken) : host(owner), stream(std::move(taken)) {}

  void begin() {
    Stream::Calls calls;
    calls.received = [this](std::string_view octets) { take(octets); };
    calls.end_of_input = [this] { close(); };
    calls.failed = [this](const Error&) { close(); };
    calls.secured = [this](const Result<void>& outcome) {
      if (!outcome) return close();
      ++host.secured;
      if (host.is_implicit) reply(host.greeting);
    };
    stream->begin(std::move(calls));
    if (host.is_implicit) return stream->secure_as_server(host.tls);
    reply(host.greeting);
  }
  void take(std::string_view octets) {
    while (!octets.empty() && is_open) {
      if (is_text) {
        take_text(octets);
        continue;
      }
      const LineReader::Piece piece = lines.feed(octets);
      octets.remove_prefix(piece.taken);
      if (piece.step == LineStep::line) take_line(std::string(piece.line));
    }
  }
  void take_text(std::string_view& octets) {
    const DataDecoder::Piece piece = decoder.feed(octets);
    octets.remove_prefix(piece.taken);
    size += piece.text.size();
    if (text.size() < kKept) text += piece.text;
    if (host.in_text) host.in_text(size);
    if (!piece.is_done) return;
    is_text = false;
    host.texts.push_back(std::exchange(text, {}));
    host.sizes.push_back(std::exchange(size, 0));
    decoder.restart();
    take_line("end");
  }
  void take_line(const std::string& line) {
    host.said.push_back(line);
    std::string answer = host.answer ? host.answer(line) : "";
    if (answer == "silence") return;
    if (answer == "close") return close();
    if (answer.empty()) answer = usual(line);
    if (answer.ends_with(" close")) {
      reply(answer.substr(0, answer.size() - 6));
      return close();
    }
    reply(answer);
    if (answer.starts_with("354")) is_text = true;
    if (line == "STARTTLS" && answer.starts_with("220")) stream->secure_as_server(host.tls);
    if (line == "QUIT") close();
  }
  std::string usual(const std::string& line) const {
    if (line.starts_with("EHLO")) {
      std::string text = "250-mx.b.example";
      for (const std::string& offer : host.offers)
        text += "\r\n250-" + offer;
      return text + "\r\n250 HELP";
    }
    if (line == "DATA") return "354 Go on";
    if (line == "STARTTLS") return "220 Go on";
    if (line == "QUIT") return "221 2.0.0 Bye";
    if (line == "end") return "250 2.0.0 Taken";
    return line.starts_with("AUTH") ? "235 2.7.0 Welcome" : "250 2.0.0 Ok";
  }
  void reply(const std::string& line) { stream->send(line + "\r\n"); }
  void close() {
    if (!std::exchange(is_open, false)) return;
    --host.open;
    stream->close_when_sent(seconds(1));
  }

  TestHost& host;
  std::shared_ptr<Stream> stream;
  LineReader lines{65536};
  DataDecoder decoder{65536};
  std::string text;
  size_t size = 0;
  bool is_text = false;
  bool is_open = true;
};

TestHost::TestHost(asio::io_context& context)
    : context_(context), acceptor_(std::make_unique<Acceptor>(context)) {
  port_ = acceptor_->acceptor.local_endpoint().port();
  accept();
}

TestHost::~TestHost() {
  close_all();
}

void TestHost::close_all() {
  for (const auto& peer : peers_) {
    if (std::exchange(peer->is_open, false)) --open;
    peer->stream->close();
  }
}

void TestHost::accept() {
  acceptor_->acceptor.async_accept([this](boost::system::error_code error, tcp::socket socket) {
    if (error) return;
    ++connections;
    open_most = std::max(open_most, ++open);
    peers_.push_back(std::make_shared<Peer>(*this, Stream::take(context_, socket.release())));
    peers_.back()->begin();
    accept();
  });
}

RelayHost TestHost::as_relay() const {
  RelayHost made;
  made.host = "127.0.0.1";
  made.port = port_;
  made.tls.mode = TlsMode::none;
  return made;
}

bool TestHost::has_heard(const std::string& start) const {
  return std::ranges::any_of(said, [&](const auto& line) { return line.starts_with(start); });
}

Seams RelayBed::seams() {
  Seams seams;
  seams.resolve = [this](const std::string& name, const Seams::Resolved& then) {
    const auto found = addresses.find(name);
    then(found != addresses.end() ? found->second : Seams::Addresses{Ipv4Address(127, 0, 0, 1)});
  };
  seams.find_mail_hosts = [this](const std::string& domain, const Seams::MailHosts& then) {
    const auto found = mail_hosts.find(domain);
    then(found != mail_hosts.end() ? found->second : std::vector<MailHost>());
  };
  seams.time_holds = [](uint32_t time) { return time == 7; };
  seams.now = [this] {
    const auto ns = std::chrono::steady_clock::now().time_since_epoch();
    return Instant{std::chrono::nanoseconds(ns).count()} + later;
  };
  return seams;
}

RelayBed::RelayBed() : relay(std::make_unique<Relay>(context, seams())) {}

RelayBed::~RelayBed() = default;

void RelayBed::follow(const TestHost& host) {
  RelaySettings settings;
  settings.hosts = {host.as_relay()};
  follow(settings);
}

RelayJob RelayBed::job(const std::vector<std::string>& to, const std::string& text) const {
  auto envelope = std::make_shared<Envelope>();
  envelope->sender = {"joe", "a.example"};
  RelayJob made;
  for (const std::string& local : to) {
    made.places.push_back(envelope->recipients.size());
    envelope->recipients.push_back({{local, "b.example"}, 0, ""});
  }
  made.envelope = envelope;
  made.body = std::make_shared<Body>(std::make_shared<std::string>(text));
  made.octets = text.size();
  return made;
}

uint64_t RelayBed::send(const std::vector<std::string>& to, const std::string& text) {
  return send(job(to, text));
}

uint64_t RelayBed::send(RelayJob job) {
  const uint64_t number = job.number = ++last;
  const std::string hop =
      relay->hop_of(job.envelope->sender, job.envelope->recipients.front().address);
  relay->send(hop, std::move(job), [this, number](const RelayResult& result) {
    REQUIRE_FALSE(results.contains(number));
    results[number] = result;
  });
  return number;
}

bool RelayBed::wait(const std::function<bool()>& is_done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!is_done() && std::chrono::steady_clock::now() < end) {
    context.restart();
    context.run_for(std::chrono::milliseconds(2));
  }
  return is_done();
}

std::string RelayBed::outcome(uint64_t number) {
  if (!wait([&] { return results.contains(number); })) return "nothing";
  std::string text;
  for (const auto& [place, reply] : results[number].replies)
    text += (text.empty() ? "" : "|") + to_text(reply);
  return text;
}

}  // namespace postern::mail::test
