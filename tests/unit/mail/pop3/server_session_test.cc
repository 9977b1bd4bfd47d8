// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/pop3/server_session.h"

#include <catch2/catch.hpp>

#include "services/mail/message/base64.h"
#include "services/mail/pop3/message_sender.h"

using namespace postern;        // NOLINT(google-build-using-namespace)
using namespace postern::mail;  // NOLINT(google-build-using-namespace)

namespace {

// A mailbox of three messages; anna's password is "secret word ".
struct Bed : Pop3Host {
  std::string sent;
  std::vector<std::string> texts = {"Subject: one\n\nhello\n", "Subject: two\n\n.dot\n..\nend\n",
                                    "Subject: three\n\n1\n2\n3\n"};
  std::vector<std::string> gone;
  bool is_locked = false;
  bool waits = false;  // answers come by answer()
  bool fails = false;  // removing does
  bool was_closed = false;
  size_t room = SIZE_MAX;  // octets in `sent`
  std::function<void()> answer;
  Pop3Settings settings;
  std::unique_ptr<Pop3Session> session;

  Bed() { settings.may_use_clear = true; }
  void begin(bool is_secure = false) {
    session = std::make_unique<Pop3Session>(settings, *this);
    session->begin(is_secure);
  }
  void reply(std::function<void()> then) {
    if (waits) {
      answer = std::move(then);
    } else {
      then();
    }
  }
  void send(std::string_view octets) override { sent += octets; }
  bool has_room() const override { return sent.size() < room; }
  void check_password(const std::string& user, const std::string& password) override {
    const bool is_right = user == "anna" && password == "secret word ";
    reply([this, is_right] {
      session->password_checked(is_right ? Pop3Session::Check::right : Pop3Session::Check::wrong);
    });
  }
  void open_mailbox(const std::string& user) override {
    CHECK(user == "anna");
    if (is_locked) {
      return session->mailbox_refused(Pop3Session::Refusal::in_use, "in use by another session");
    }
    std::vector<MailboxMessage> messages;
    for (size_t i = 0; i < texts.size(); ++i)
      messages.push_back({"new/" + std::to_string(i), "id" + std::to_string(i), texts[i].size()});
    session->mailbox_opened(std::move(messages));
  }
  void send_message(const MailboxMessage& message, std::optional<uint64_t> lines) override {
    const size_t number = std::stoul(message.file.substr(4));
    MessageSender sender(
        std::make_shared<const Body>(std::make_shared<const std::string>(texts[number])), lines);
    sent += "+OK\r\n";
    while (sender.next(sent)) {
    }
    reply([this] { session->message_sent(true); });
  }
  void remove(const std::vector<MailboxMessage>& messages) override {
    for (const MailboxMessage& one : messages)
      gone.push_back(one.unique);
    session->removed(fails ? Result<void>(Error{ErrorCode::failed, "disk"}) : Result<void>());
  }
  void start_tls() override {
    answer = [this] { session->tls_started(); };
  }
  void close() override { was_closed = true; }

  // What comes back on the lines.
  std::string say(const std::string& lines) {
    sent.clear();
    session->take(lines);
    return sent;
  }
  void log_in() {
    REQUIRE(say("USER anna\r\nPASS secret word \r\n").find("3 messages") != std::string::npos);
  }
};

std::string pop3_text(const std::string& text, std::optional<uint64_t> lines = {}) {
  MessageSender sender(std::make_shared<const Body>(std::make_shared<const std::string>(text)),
                       lines);
  std::string out;
  while (sender.next(out)) {
  }
  CHECK_FALSE(sender.has_failed());
  return out;
}

}  // namespace

TEST_CASE("mail/pop3: a session reads, marks and removes", "[RFC1939-5]") {
  Bed bed;
  bed.begin();
  CHECK(bed.sent == "+OK postern POP3 ready\r\n");
  CHECK(bed.say("STAT\r\n") == "-ERR log in first, or no such command\r\n");
  bed.log_in();
  CHECK(bed.session->user() == "anna");
  CHECK(bed.say("STAT\r\n") == "+OK 3 68\r\n");
  CHECK(bed.say("list\r\n") == "+OK\r\n1 20\r\n2 26\r\n3 22\r\n.\r\n");
  CHECK(bed.say("UIDL 2\r\n") == "+OK 2 id1\r\n");
  CHECK(bed.say("RETR 2\r\n") == "+OK\r\nSubject: two\r\n\r\n..dot\r\n...\r\nend\r\n.\r\n");
  CHECK(bed.say("TOP 3 1\r\n") == "+OK\r\nSubject: three\r\n\r\n1\r\n.\r\n");
  CHECK(bed.say("TOP 3 0\r\n") == "+OK\r\nSubject: three\r\n\r\n.\r\n");
  CHECK(bed.say("DELE 1\r\nDELE 1\r\nDELE 3\r\nRETR 1\r\n") ==
        "+OK\r\n-ERR no such message\r\n+OK\r\n-ERR no such message\r\n");
  CHECK(bed.say("STAT\r\nUIDL\r\n") == "+OK 1 26\r\n+OK\r\n2 id1\r\n.\r\n");
  CHECK(bed.say("RSET\r\nDELE 2\r\n") == "+OK\r\n");  // it went through all of them
  bed.session->drained();
  CHECK(bed.sent == "+OK\r\n+OK\r\n");
  CHECK(bed.gone.empty());
  CHECK(bed.say("QUIT\r\n") == "+OK good-bye\r\n");
  CHECK(bed.gone == std::vector<std::string>{"id1"});
  CHECK(bed.was_closed);
}

TEST_CASE("mail/pop3: a connection that just ends removes nothing", "[RFC1939-6]") {
  Bed bed;
  bed.begin();
  bed.log_in();
  bed.say("DELE 1\r\nDELE 2\r\n");
  bed.session.reset();
  CHECK(bed.gone.empty());
}

TEST_CASE("mail/pop3: what could not be removed is told", "[RFC1939-6]") {
  Bed bed;
  bed.fails = true;
  bed.begin();
  bed.log_in();
  CHECK(bed.say("DELE 1\r\nQUIT\r\n").find("-ERR [SYS/TEMP]") != std::string::npos);
}

TEST_CASE("mail/pop3: passwords are wrong three times, and never go in the clear") {
  Bed bed;
  bed.begin();
  for (int i = 0; i < 2; ++i)
    CHECK(bed.say("USER anna\r\nPASS wrong\r\n") ==
          "+OK the password, please\r\n-ERR [AUTH] name or password are wrong\r\n");
  CHECK(bed.say("PASS wrong\r\n") == "-ERR say USER first\r\n");
  bed.say("USER anna\r\nPASS secret word\r\n");
  CHECK(bed.was_closed);

  Bed strict;
  strict.settings = {};
  strict.settings.has_tls = true;
  strict.begin();
  CHECK(strict.say("CAPA\r\n").find("SASL") == std::string::npos);
  CHECK(strict.say("CAPA\r\n").find("STLS\r\n") != std::string::npos);
  for (const char* line : {"USER anna\r\n", "PASS x\r\n", "AUTH PLAIN AGFubmEAeA==\r\n"})
    CHECK(strict.say(line) == "-ERR [AUTH] say STLS first: passwords do not go in the clear\r\n");
  CHECK(strict.say("STLS\r\n") == "+OK begin TLS\r\n");
  strict.answer();
  CHECK(strict.say("CAPA\r\n").find("SASL PLAIN LOGIN") != std::string::npos);
  CHECK(strict.say("STLS\r\n").find("-ERR") == 0);
  strict.log_in();
}

TEST_CASE("mail/pop3: nothing that came in the clear is taken behind STLS", "[RFC2595-4]") {
  Bed bed;
  bed.settings.has_tls = true;
  bed.begin();
  bed.say("STLS\r\nUSER anna\r\n");
  CHECK(bed.was_closed);
}

TEST_CASE("mail/pop3: AUTH takes PLAIN and LOGIN", "[RFC5034-4]") {
  const std::string right = encode_base64(std::string("\0anna\0secret word ", 18));
  for (int form = 0; form < 3; ++form) {
    Bed bed;
    bed.begin();
    CHECK(bed.say("AUTH\r\n") == "+OK\r\nPLAIN\r\nLOGIN\r\n.\r\n");
    std::string said;
    if (form == 0) said = bed.say("AUTH PLAIN " + right + "\r\n");
    if (form == 1) {
      CHECK(bed.say("AUTH plain\r\n") == "+ \r\n");
      said = bed.say(right + "\r\n");
    }
    if (form == 2) {
      CHECK(bed.say("AUTH LOGIN\r\n").substr(0, 2) == "+ ");
      CHECK(bed.say(encode_base64("anna") + "\r\n").substr(0, 2) == "+ ");
      said = bed.say(encode_base64("secret word ") + "\r\n");
    }
    CHECK(said == "+OK 3 messages\r\n");
  }
  Bed bed;
  bed.begin();
  for (const std::string& wrong :
       {std::string("AUTH PLAIN %%\r\n"), std::string("AUTH PLAIN\r\n*\r\n"),
        std::string("AUTH CRAM-MD5\r\n"), std::string("AUTH LOGIN\r\n\r\n\r\n"),
        "AUTH PLAIN " + encode_base64(std::string("\0\0secret word ", 14)) + "\r\n",
        std::string("AUTH PLAIN AAAA\r\n"),
        "AUTH PLAIN " + encode_base64(std::string("bert\0anna\0secret word ", 22)) + "\r\n"})
    CHECK(bed.say(wrong).find("-ERR") != std::string::npos);
  CHECK(bed.session->user().empty());
}

TEST_CASE("mail/pop3: a mailbox in use is told as such", "[RFC2449-8.1.2]") {
  Bed bed;
  bed.is_locked = true;
  bed.begin();
  CHECK(bed.say("USER anna\r\nPASS secret word \r\n").find("-ERR [IN-USE] ") != std::string::npos);
  bed.is_locked = false;
  bed.log_in();
}

TEST_CASE("mail/pop3: commands wait while an answer is waited for", "[RFC2449-6.6]") {
  Bed bed;
  bed.begin();
  bed.waits = true;
  CHECK(bed.say("USER anna\r\nPASS secret word \r\nSTAT\r\nRETR 1\r\nNOOP\r\n") ==
        "+OK the password, please\r\n");
  bed.answer();
  CHECK(bed.sent.find("3 messages\r\n+OK 3 68\r\n+OK\r\nSubject: one") != std::string::npos);
  CHECK(bed.sent.substr(bed.sent.size() - 5) == "\r\n.\r\n");
  bed.answer();
  CHECK(bed.sent.substr(bed.sent.size() - 8) == ".\r\n+OK\r\n");
  bed.say("RETR 1\r\n" + std::string(10'000, 'x'));
  CHECK_FALSE(bed.session->wants_input());
}

TEST_CASE("mail/pop3: a long list goes out in pieces") {
  Bed bed;
  bed.texts.assign(100'000, "a\n");
  bed.begin();
  bed.say("USER anna\r\nPASS secret word \r\n");
  bed.say("UIDL\r\n");
  size_t pieces = 0, octets = 0;
  std::string all;
  while (all.size() < 3 || all.substr(all.size() - 3) != ".\r\n") {
    CHECK(bed.sent.size() < 2 * Pop3Session::kPiece);
    octets += bed.sent.size();
    all = bed.sent;
    bed.sent.clear();
    ++pieces;
    bed.session->drained();
  }
  CHECK(octets > 1'000'000);
  CHECK(pieces > 30);
  CHECK(bed.say("NOOP\r\n") == "+OK\r\n");
}

TEST_CASE("mail/pop3: bad input ends, and nothing else does") {
  Bed bed;
  bed.begin();
  CHECK(bed.say(std::string(2000, 'x') + "\r\n") == "-ERR the line is too long\r\n");
  CHECK(bed.say("\r\n").find("-ERR") == 0);
  bed.log_in();
  for (const char* wrong : {"RETR\r\n", "RETR 0\r\n", "RETR 4\r\n", "RETR -1\r\n", "RETR 1x\r\n",
                            "RETR 99999999999999999999\r\n", "TOP 1\r\n", "TOP 1 x\r\n", "DELE\r\n",
                            "LIST 9\r\n", "HELO\r\n"})
    CHECK(bed.say(wrong).find("-ERR") == 0);
  CHECK_FALSE(bed.was_closed);
  bed.say("RETR 1\n");
  CHECK(bed.was_closed);

  Bed stubborn;
  stubborn.begin();
  for (int i = 0; i < 100; ++i)
    stubborn.say("NONSENSE\r\n");
  CHECK(stubborn.was_closed);
}

TEST_CASE("mail/pop3: a message never ends before its end", "[RFC1939-3]") {
  CHECK(pop3_text("a: b\n\nx\n.\ny\n") == "a: b\r\n\r\nx\r\n..\r\ny\r\n.\r\n");
  CHECK(pop3_text("a: b\r\n\r\nx\r\n") == "a: b\r\n\r\nx\r\n.\r\n");
  CHECK(pop3_text("a\r.\rb") == "a\r\n..\r\nb\r\n.\r\n");
  CHECK(pop3_text(std::string("a\0.\0\nb\n", 8)) == "a.\r\nb\r\n.\r\n");
  CHECK(pop3_text(std::string("a\n\0.\n", 5)) == "a\r\n..\r\n.\r\n");
  CHECK(pop3_text("") == ".\r\n");
  CHECK(pop3_text("no end") == "no end\r\n.\r\n");
  CHECK(pop3_text("a: b\n\n1\n2", 1) == "a: b\r\n\r\n1\r\n.\r\n");
  CHECK(pop3_text("a: b\n\n1\n2", 9) == "a: b\r\n\r\n1\r\n2\r\n.\r\n");
  // Ends of lines and dots at every place of a piece.
  for (size_t before = MessageSender::kPiece - 3; before <= MessageSender::kPiece + 1; ++before)
    CHECK(pop3_text(std::string(before, 'x') + "\r\n.\r\n") ==
          std::string(before, 'x') + "\r\n..\r\n.\r\n");
}

TEST_CASE("mail/pop3: commands wait while their answers are not taken", "[F50]") {
  Bed bed;
  bed.begin();
  bed.log_in();
  std::string lines;
  for (int i = 0; i < 5000; ++i)
    lines += "LIST\r\n";
  bed.room = 4096;
  const std::string first = bed.say(lines);
  CHECK(first.size() < 4096 + Pop3Session::kPiece);
  CHECK(bed.session->is_behind());
  // All are answered, a turn at a time, when the client takes them.
  size_t answers = 0;
  for (int turn = 0; turn < 5001 && bed.session->is_behind(); ++turn) {
    for (size_t at = bed.sent.find("+OK"); at != std::string::npos;
         at = bed.sent.find("+OK", at + 1))
      ++answers;
    bed.sent.clear();
    bed.session->drained();
  }
  CHECK(bed.sent.starts_with("+OK\r\n1 20\r\n"));
  CHECK(answers == 4999);
  CHECK_FALSE(bed.session->is_behind());
  // Short answers, and room for them: not all at once either.
  lines.clear();
  for (int i = 0; i < 1000; ++i)
    lines += "STAT\r\n";
  bed.room = SIZE_MAX;
  CHECK(bed.say(lines).size() == Pop3Session::kTurnMax * std::string("+OK 3 68\r\n").size());
  CHECK(bed.session->is_behind());
}

TEST_CASE("mail/pop3: STAT counts what is marked, and what no longer is", "[RFC1939-5]") {
  Bed bed;
  bed.begin();
  bed.log_in();
  CHECK(bed.say("DELE 2\r\nDELE 2\r\nSTAT\r\n").ends_with("+OK 2 42\r\n"));
  CHECK(bed.say("RSET\r\n") == "+OK\r\n");
  CHECK(bed.say("STAT\r\n") == "+OK 3 68\r\n");
  CHECK(bed.say("DELE 1\r\nDELE 2\r\nDELE 3\r\nSTAT\r\n").ends_with("+OK 0 0\r\n"));
}
