// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/server/spf.h"

#include <fstream>
#include <optional>

#include "services/io/program.h"
#include "support/built_spf.h"
#include "unit/mail/server/server_bed.h"
#include "unit/mail/server/spf_dns.h"

using namespace postern;
using namespace postern::mail;
using namespace postern::mail::test;
using Clock = std::chrono::steady_clock;

namespace {

constexpr Ipv4Address kTheirs{198, 51, 100, 9};
constexpr Ipv4Address kOther{192, 0, 2, 66};

struct SpfBed {
  SpfDns dns{{{"b.example", "v=spf1 ip4:198.51.100.0/24 -all"},
              {"in.example", "v=spf1 include:b.example ~all"},
              {"wrong.example", "v=spf1 nonsense:x -all"},
              {"macro.example", "v=spf1 exists:%{l1r+-}.%{d2}.%{i}.b.example ?all"}}};
  boost::asio::io_context context;
  std::vector<std::string> warnings;
  std::optional<Spf> spf;

  explicit SpfBed(const std::string& program = postern::test::built_spf()) {
    const auto warn = [this](const std::string& line) { warnings.push_back(line); };
    spf.emplace(Spf::Parts{context, program, dns.place(), warn});
  }
  SpfAnswer ask(Ipv4Address client, const std::string& sender) {
    std::optional<SpfAnswer> answer;
    spf->check({client, "x.example", sender, "mx.a.example"},
               [&](const SpfAnswer& with) { answer = with; });
    CHECK_FALSE(answer);
    REQUIRE(turn_until(
        context, [&] { return answer.has_value(); }, std::chrono::seconds(25)));
    return *answer;
  }
};

// A program of ours in its place.
struct Script {
  std::string folder = std::filesystem::temp_directory_path() / "postern-spf-XXXXXX";
  std::string path;
  explicit Script(const std::string& text) {
    REQUIRE(mkdtemp(folder.data()) != nullptr);
    path = folder + "/script";
    std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
    std::filesystem::permissions(path, std::filesystem::perms(0700));
  }
  ~Script() { std::filesystem::remove_all(folder); }
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;
};

}  // namespace

TEST_CASE("mail/spf: the program asks the DNS", "[F53]") {
  SpfBed bed;
  struct Row {
    Ipv4Address client;
    std::string sender, result;
  };
  for (const Row& row : std::vector<Row>{{kTheirs, "joe@b.example", "pass"},
                                         {kOther, "joe@b.example", "fail"},
                                         {kTheirs, "joe@in.example", "pass"},
                                         {kOther, "joe@in.example", "softfail"},
                                         {kOther, "joe@wrong.example", "permerror"},
                                         {kOther, "joe@macro.example", "neutral"},
                                         {kOther, "joe@none.example", "none"}}) {
    CAPTURE(row.sender);
    const SpfAnswer answer = bed.ask(row.client, row.sender);
    CAPTURE(answer.why);
    CHECK(to_text(answer.result) == row.result);
  }
  CHECK(bed.warnings.empty());
}

TEST_CASE("mail/spf: a DNS that hangs does not hold the service's end", "[F53]") {
  SpfBed bed;
  bool is_answered = false;
  for (unsigned i = 0; i < 2 * Spf::kAtOnce; ++i) {
    const Ipv4Address client(198, 51, static_cast<uint8_t>(i), 1);
    bed.spf->check({client, "x", "joe@silent.example", "mx"},
                   [&](const SpfAnswer&) { is_answered = true; });
  }
  REQUIRE(turn_until(bed.context, [&] { return bed.dns.asked() >= Spf::kAtOnce; }));
  const auto begin = Clock::now();
  bed.spf.reset();
  CHECK(Clock::now() - begin < std::chrono::seconds(1));
  bed.context.restart();
  bed.context.run_for(std::chrono::milliseconds(50));
  CHECK_FALSE(is_answered);
}

TEST_CASE("mail/spf: a DNS that hangs is an error for now", "[F53]") {
  SpfBed bed;
  CHECK(bed.ask(kOther, "joe@silent.example").result == SpfResult::temperror);
}

TEST_CASE("mail/spf: one network does not hold up the others", "[F53]") {
  SpfBed bed;
  std::vector<SpfAnswer> answers;
  const auto keep = [&](const SpfAnswer& answer) { answers.push_back(answer); };
  for (unsigned i = 0; i < Spf::kOfNetwork + Spf::kWaitingOfNetwork + 3; ++i) {
    const Ipv4Address client(192, 0, 2, static_cast<uint8_t>(i));
    bed.spf->check({client, "x", "joe@silent.example", "mx"}, keep);
  }
  CHECK(bed.ask(kTheirs, "joe@b.example").result == SpfResult::pass);
  // Those of it that found no room.
  REQUIRE(answers.size() == 3);
  for (const SpfAnswer& answer : answers)
    CHECK(answer.result == SpfResult::temperror);
}

TEST_CASE("mail/spf: for want of room nobody's mail is refused", "[F53]") {
  SpfBed bed;
  const size_t room = Spf::kAtOnce + Spf::kWaitingMax;
  for (size_t i = 0; i < room; ++i) {
    const Ipv4Address client(198, 51, static_cast<uint8_t>(i), 1);
    bed.spf->check({client, "x", "joe@silent.example", "mx"}, [](const SpfAnswer&) {});
  }
  const SpfAnswer answer = bed.ask(kOther, "joe@b.example");
  CHECK(answer.result == SpfResult::none);
  CHECK(answer.why == "not asked: too many questions");
}

TEST_CASE("mail/spf: a program that breaks is an error for now", "[F53]") {
  const std::string text =
      GENERATE("kill -SEGV $$", "echo 'pass it is'; exit 1", "echo pass", "true",
               "yes 'pass it is' | head -n 100", "printf 'pass '; head -c 100000 /dev/zero");
  const Script script(text);
  SpfBed bed(script.path);
  CHECK(bed.ask(kOther, "joe@b.example").result == SpfResult::temperror);
}

TEST_CASE("mail/spf: without its program nobody is asked, which is told once", "[F53]") {
  SpfBed bed("/usr/libexec/no-such-program");
  CHECK(bed.ask(kOther, "joe@b.example").result == SpfResult::none);
  CHECK(bed.ask(kOther, "joe@b.example").result == SpfResult::none);
  REQUIRE(bed.warnings.size() == 1);
  CHECK(bed.warnings[0] == "SPF: not run: /usr/libexec/no-such-program: No such file or directory");
}

TEST_CASE("mail/spf: the program wants a whole question", "[F53]") {
  const auto end_of = [](std::vector<std::string> command) {
    command.insert(command.begin(), postern::test::built_spf());
    const auto end = io::run_program({command, {}, {}, seconds(10), 1000, -1});
    REQUIRE(end);
    return to_text(*end) + end->output;
  };
  CHECK(end_of({}) == "exit code 2");
  CHECK(end_of({"1.2.3.4", "a", "b"}) == "exit code 2");
  CHECK(end_of({"1.2.3.4.5", "a", "b@c", "d"}) == "exit code 2");
  CHECK(end_of({"1.2.3.4", "a", "b@c", "d", "127.0.0.1"}) == "exit code 2");
  CHECK(end_of({"1.2.3.4", "a", "b@c", "d", "127.0.0.1", "65536"}) == "exit code 2");
  CHECK(end_of({"1.2.3.4", "a", "b@c", "d", "127.0.0.1", "1", "x"}) == "exit code 2");
}
