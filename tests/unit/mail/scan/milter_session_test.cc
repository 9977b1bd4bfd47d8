// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/scan/milter_session.h"

#include <catch2/catch.hpp>

#include "unit/mail/scan/milter_bed.h"

using namespace postern;
using namespace postern::mail;
using namespace postern::mail::test;
using namespace std::literals;
using Kind = MilterResult::Kind;

namespace {

// A session that is fed a text; what the milter says is said by the test.
struct Talk {
  std::string host = "gw.example", id = "abc";
  Envelope mail = envelope();
  std::string text = "Subject: hello\r\n\r\nbody\r\n";
  MilterSession session{{host, id, mail}};
  std::string commands;  // all that was sent, by its letters
  std::string last;      // data of the last one

  // Goes on until the session waits or is over.
  void go_on() {
    for (;;) {
      const std::string output = session.take_output();
      if (!output.empty()) {
        MilterReader reader;
        reader.take(output);
        while (const auto packet = reader.next()) {
          commands += packet->command;
          last = packet->data;
        }
      } else if (session.wants_text() && !text.empty()) {
        session.text(std::exchange(text, {}));
      } else if (session.wants_text()) {
        session.text_is_over();
      } else {
        return;
      }
    }
  }
  void say(const std::string& octets) {
    go_on();
    session.take(octets);
    go_on();
  }
  // Agrees until `command` is to be answered.
  void go_to(char command, uint32_t steps = 0) {
    say(options(steps));
    while (commands.back() != command && !session.is_over())
      say(packet('c'));
  }
  const MilterResult& result() const { return session.result(); }
};

}  // namespace

TEST_CASE("mail/milter_session: a message is told in order, one command after the other's answer",
          "[F54]") {
  Talk talk;
  talk.go_on();
  CHECK(talk.commands == "O");
  CHECK(talk.last == "\0\0\0\x06\0\0\0\x21\0\x1f\xff\xff"s);
  std::vector<std::pair<std::string, std::string>> said;
  talk.say(options(0));
  said.emplace_back(talk.commands, talk.last);
  while (!talk.session.is_over()) {
    talk.commands.clear();
    talk.say(packet('c'));
    said.emplace_back(talk.commands, talk.last);
  }
  const std::vector<std::pair<std::string, std::string>> wanted = {
      {"ODC", "[192.0.2.7]\0004\0\000192.0.2.7\0"s},
      {"H", "pc.a.example\0"s},
      {"DM", "<joe@a.example>\0"s},
      {"DR", "<ann@b.example>\0"s},
      {"DR", "<bob@b.example>\0"s},
      {"DT", ""},
      {"L", "Subject\0hello\0"s},
      {"N", ""},
      {"B", "body\r\n"},
      {"DE", ""},
      {"Q", ""},
  };
  CHECK(said == wanted);
  CHECK(talk.result().kind == Kind::pass);
  CHECK(talk.result().added.empty());
}

TEST_CASE("mail/milter_session: macros tell who and which message", "[F54]") {
  Talk talk;
  talk.mail.user = "joe";
  talk.go_on();
  talk.session.take(options(0xff | kMilterNoData | kMilterMuteMail));
  std::string octets;
  while (octets.find("joe@a") == std::string::npos) {
    talk.session.take(packet('c'));
    octets = talk.session.take_output();
    if (talk.session.is_over()) break;
  }
  CHECK(octets.empty());  // nobody wants MAIL, so its macros are not told
  Talk other;
  other.mail.user = "joe";
  other.go_on();
  other.session.take(options(kMilterNoConnect | kMilterNoHelo));
  octets = other.session.take_output();
  CHECK(octets.find("Mi\0abc\0{mail_addr}\0joe@a.example\0{auth_authen}\0joe\0"s) !=
        std::string::npos);
}

TEST_CASE(
    "mail/milter_session: steps that it does not want, or does not answer, are not waited for",
    "[F54]") {
  struct Row {
    uint32_t steps;
    std::string_view commands;  // up to the end of the body, by no answer but the first
  };
  const Row row = GENERATE(values<Row>({
      {kMilterNoConnect | kMilterNoHelo | kMilterNoMail | kMilterNoRecipient | kMilterNoData |
           kMilterNoFields | kMilterNoEndOfHeader | kMilterNoBody,
       "ODE"},
      {kMilterMuteConnect | kMilterMuteHelo | kMilterMuteMail | kMilterMuteRecipient |
           kMilterMuteData | kMilterMuteField | kMilterMuteEndOfHeader | kMilterMuteBody |
           kMilterMuteUnknown,
       "ODCHDMDRDRDTLNBDE"},
      {kMilterNoConnect | kMilterNoHelo | kMilterMuteMail | kMilterMuteRecipient | kMilterMuteData |
           kMilterMuteField | kMilterMuteEndOfHeader | kMilterMuteBody,
       "ODMDRDRDTLNBDE"},
  }));
  Talk talk;
  talk.say(options(row.steps));
  CHECK(talk.commands == row.commands);
  CHECK_FALSE(talk.session.is_over());
  talk.say(packet('c'));
  CHECK(talk.result().kind == Kind::pass);
}

TEST_CASE("mail/milter_session: a milter of version 2 hears nothing of DATA", "[F54]") {
  Talk talk;
  talk.say(options(0, 2));
  for (int i = 0; i < 20 && !talk.session.is_over(); ++i)
    talk.say(packet('c'));
  CHECK(talk.commands == "ODCHDMDRDRLNBDEQ");
}

TEST_CASE("mail/milter_session: each way to say no counts at each step", "[F54]") {
  struct Row {
    std::string answer;
    Kind kind;
    uint16_t code;
    std::string_view text;
  };
  const Row row = GENERATE(values<Row>({
      {packet('r'), Kind::refuse, 0, ""},
      {packet('t'), Kind::later, 0, ""},
      {packet('4'), Kind::later, 0, ""},
      {packet('f'), Kind::later, 0, ""},
      {packet('d'), Kind::discard, 0, ""},
      {packet('y', "550 5.7.1 100%% Eicar\0"s), Kind::refuse, 550, "100% Eicar"},
      {packet('y', "554-5.7.1 a\r\n554 5.7.1 b\0"s), Kind::refuse, 554, "a\nb"},
      {packet('y', "451 4.7.1 wait\0"s), Kind::later, 451, "wait"},
      {packet('p') + packet('r'), Kind::refuse, 0, ""},
  }));
  const char command = GENERATE('C', 'H', 'M', 'R', 'T', 'L', 'N', 'B', 'E');
  Talk talk;
  talk.go_to(command);
  REQUIRE(talk.commands.back() == command);
  talk.say(row.answer);
  CHECK(talk.session.is_over());
  CHECK(talk.result().kind == row.kind);
  CHECK(talk.result().reply.code == row.code);
  CHECK(talk.result().reply.text == row.text);
  CHECK(talk.commands.ends_with(std::string(1, command) + "Q"));
}

TEST_CASE("mail/milter_session: it may be satisfied early, with the message or with the body",
          "[F54]") {
  const char command = GENERATE('C', 'H', 'M', 'R', 'T', 'L', 'N', 'B', 'E');
  Talk talk;
  talk.go_to(command);
  talk.say(packet('a'));
  CHECK(talk.result().kind == Kind::pass);
  CHECK(talk.commands.ends_with("Q"));
  Talk other;
  other.text = "A: b\r\n\r\n" + std::string(65000, 'x');
  other.go_to('B');
  other.say(packet('s'));
  CHECK(other.commands.ends_with("BDE"));
  other.say(packet('c'));
  CHECK(other.result().kind == Kind::pass);
}

TEST_CASE("mail/milter_session: fields that it adds are told as they are to stand", "[F54]") {
  Talk talk;
  talk.go_to('E');
  talk.say(packet('h', "X-Scan\0clean\0"s));
  talk.say(packet('i', "\0\0\0\x01X-Long\0one\n\ttwo\r\n three\0"s));
  talk.say(packet('h', "X-Empty\0\0"s));
  CHECK_FALSE(talk.session.is_over());
  talk.say(packet('c'));
  CHECK(talk.result().kind == Kind::pass);
  CHECK(talk.result().added == "X-Scan: clean\r\nX-Long: one\r\n\ttwo\r\n three\r\nX-Empty: \r\n");
  Talk exact;
  exact.go_to('E', kMilterKeepsBlanks);
  exact.say(packet('h', "X-Scan\0  clean\0"s) + packet('a'));
  CHECK(exact.result().added == "X-Scan:  clean\r\n");
}

TEST_CASE("mail/milter_session: blanks before a value are kept where it wants that", "[F54]") {
  Talk talk;
  talk.text = "A:  b\r\n c\r\n\r\n";
  talk.go_to('L', kMilterKeepsBlanks);
  CHECK(talk.last == "A\0  b\n c\0"s);
}

TEST_CASE("mail/milter_session: it may hold a message, unless it refuses it in the end", "[F54]") {
  Talk talk;
  talk.go_to('E');
  talk.say(packet('q', "looks odd\0"s) + packet('c'));
  CHECK(talk.result().kind == Kind::hold);
  CHECK(talk.result().why == "looks odd");
  Talk other;
  other.go_to('E');
  other.say(packet('q', "looks odd\0"s) + packet('r'));
  CHECK(other.result().kind == Kind::refuse);
}

TEST_CASE("mail/milter_session: what it says is cut before it gets into replies and logs",
          "[F54]") {
  const std::string much(60'000, 'x');
  Talk talk;
  talk.go_to('E');
  talk.say(packet('q', much + '\0') + packet('c'));
  CHECK(talk.result().kind == Kind::hold);
  CHECK(talk.result().why.size() == 500);
  Talk other;
  other.go_to('E');
  other.say(packet('y', "550 5.7.1 " + much + '\0'));
  CHECK(other.result().kind == Kind::refuse);
  CHECK(other.result().reply.text.size() == 500);
}

TEST_CASE("mail/milter_session: a change that is not done spoils its consent, not its refusal",
          "[F54]") {
  const std::string change = GENERATE(
      packet('b', "new body"), packet('+', "<x@y.example>\0"s), packet('2', "<x@y.example>\0\0"s),
      packet('-', "<ann@b.example>\0"s), packet('e', "<x@y.example>\0"s));
  Talk talk;
  talk.go_to('E');
  talk.say(change + packet('c'));
  CHECK(talk.result().kind == Kind::fault);
  CHECK(talk.result().why.find("which is not done") != std::string::npos);
  Talk refusing;
  refusing.go_to('E');
  refusing.say(change + packet('r'));
  CHECK(refusing.result().kind == Kind::refuse);
  Talk fields;
  fields.go_to('E');
  fields.say(packet('m', "\0\0\0\x01Subject\0new\0"s) + packet('c'));
  CHECK(fields.result().kind == Kind::pass);
  CHECK(fields.result().note == "it wants to change fields, which is not done");
}

TEST_CASE("mail/milter_session: what is no answer makes it unusable", "[F54]") {
  struct Row {
    char command;  // that is answered so; 'O': the options
    std::string answer;
  };
  const Row row = GENERATE(values<Row>({
      {'O', packet('c')},
      {'O', packet('O', "\0\0\0\x06"s)},
      {'O', options(0, 1)},
      {'O', options(0, 7)},
      {'O', options(0x10000000)},
      {'O', "HTTP/1.1 400 Bad Request\r\n"},
      {'O', options(0) + packet('c') + packet('c')},
      {'C', packet('c') + packet('c')},
      {'C', packet('x')},
      {'C', packet('O', "\0\0\0\x06\0\0\0\0\0\0\0\0"s)},
      {'C', packet('s')},
      {'C', packet('h', "A\0b\0"s)},
      {'C', packet('q', "held\0"s)},
      {'L', packet('m',
                   "\0\0\0\x01"
                   "A\0b\0"s)},
      {'L', "\0\0\0\0"s},
      {'E', packet('s')},
      {'E', packet('h', "A\0b"s)},
      {'E', packet('h', "A"s)},
      {'E', packet('h', "\0b\0"s)},
      {'E', packet('h', "A B\0b\0"s)},
      {'E', packet('h', "A:\0b\0"s)},
      {'E', packet('h', "A\nB: x\0b\0"s)},
      {'E', packet('h', "A\0b\nBcc: x\0"s)},
      {'E', packet('h', "A\0b\n\0"s)},
      {'E', packet('h', "A\0b\rc\0"s)},
      {'E', packet('h', "A\0b\x1b[2J\0"s)},
      {'E', packet('h', "A\0"s + std::string(999, 'x') + "\0"s)},
      {'E', packet('i', "\0\0\x01"s)},
      {'E', packet('i',
                   "\0\0\0\x01"
                   "A"s)},
      {'E', packet('y', "250 2.0.0 fine\0"s)},
      {'E', packet('y', "354 go\0"s)},
      {'E', packet('y', "550 5.7.1 no end"s)},
      {'E', packet('y', "550-a\r\n551 b\0"s)},
      {'E', packet('y', "550-a\0"s)},
      {'E', packet('y', "\0"s)},
  }));
  Talk talk;
  if (row.command != 'O') talk.go_to(row.command);
  talk.say(row.answer);
  CHECK(talk.session.is_over());
  CHECK(talk.result().kind == Kind::fault);
  CHECK_FALSE(talk.result().why.empty());
  CHECK(talk.session.take_output().empty());
}

TEST_CASE("mail/milter_session: there is an end to the fields that it may add", "[F54]") {
  Talk talk;
  talk.go_to('E');
  const std::string field = packet('h', "X\0"s + std::string(900, 'x') + "\0"s);
  for (int i = 0; i < 100 && !talk.session.is_over(); ++i)
    talk.say(field);
  CHECK(talk.result().kind == Kind::fault);
  CHECK(talk.result().added.size() <= MilterSession::kAddedMax);
}

TEST_CASE("mail/milter_session: a message that nobody sent comes from here", "[F54]") {
  Talk talk;
  talk.mail.client = Ipv4Address();
  talk.mail.helo.clear();
  talk.mail.sender = {};
  talk.go_to('C');
  CHECK(talk.last == "localhost\0004\0\000127.0.0.1\0"s);
  talk.say(packet('c'));
  CHECK(talk.last == "gw.example\0"s);
  talk.say(packet('c'));
  CHECK(talk.last == "<>\0"s);
}
