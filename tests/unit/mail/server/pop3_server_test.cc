// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/server/pop3_server.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "unit/mail/server/server_bed.h"

namespace postern::mail {

using test::ServerBed;
using test::TestClient;

namespace {

struct Bed : ServerBed {
  Bed() { settings.server.has_clear_passwords = true; }
  std::unique_ptr<TestClient> client() {
    auto made = std::make_unique<TestClient>(context, pop3_port());
    REQUIRE(made->line() == "+OK mx.a.example POP3 ready");
    return made;
  }
  std::unique_ptr<TestClient> anna() {
    auto made = client();
    REQUIRE(made->pop("USER anna").starts_with("+OK"));
    REQUIRE(made->pop("PASS secret").starts_with("+OK"));
    return made;
  }
  // Anna's session is over, and her mailbox free.
  void leave(TestClient& client) {
    CHECK(client.pop("QUIT").starts_with("+OK"));
    CHECK(client.is_gone());
    CHECK(turn([this] { return pop3->sessions() == 0; }));
  }
  size_t files(const std::string& user) const {
    size_t count = 0;
    for (const char* name : {"/new", "/cur"}) {
      const auto folder = std::filesystem::directory_iterator(*mailboxes->path_of(user) + name);
      for (const auto& entry : folder)
        count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }
};

}  // namespace

TEST_CASE("mail/pop3_server: a mailbox is listed, read and emptied", "[F49]") {
  Bed bed;
  bed.open();
  bed.deliver("anna", "A-1", "Subject: one\r\n\r\nfirst\r\n.dot\r\n");
  bed.deliver("anna", "A-2", "Subject: two\r\n\r\nsecond\r\n");
  const auto client = bed.anna();
  CHECK(client->pop("STAT") == "+OK 2 53");
  client->send("LIST\r\n");
  CHECK(client->lines() == "+OK|1 29|2 24|.");
  client->send("RETR 1\r\n");
  CHECK(client->lines() == "+OK 29 octets|Subject: one||first|..dot|.");
  client->send("TOP 2 0\r\n");
  CHECK(client->lines() == "+OK 24 octets|Subject: two||.");
  CHECK(client->pop("DELE 1").starts_with("+OK"));
  CHECK(client->pop("RETR 1").starts_with("-ERR"));
  bed.leave(*client);
  CHECK(bed.files("anna") == 1);
  CHECK(bed.has_event("logged-in pop3 user=anna"));
}

TEST_CASE("mail/pop3_server: who just goes removes nothing", "[F49]") {
  Bed bed;
  bed.open();
  bed.deliver("anna", "A-1", "Subject: one\r\n\r\nfirst\r\n");
  const auto client = bed.anna();
  CHECK(client->pop("DELE 1").starts_with("+OK"));
  client->break_off();
  CHECK(bed.turn([&] { return bed.pop3->sessions() == 0; }));
  CHECK(bed.files("anna") == 1);
}

TEST_CASE("mail/pop3_server: a mailbox belongs to one session at a time", "[F49]") {
  Bed bed;
  bed.open();
  auto first = bed.anna();
  const auto second = bed.client();
  second->pop("USER anna");
  CHECK(second->pop("PASS secret").starts_with("-ERR [IN-USE] "));
  bed.deliver("anna", "A-1", "Subject: one\r\n\r\nfirst\r\n");  // and deliveries go on
  CHECK(first->pop("STAT") == "+OK 0 0");
  first->break_off();
  CHECK(bed.turn([&] { return bed.pop3->sessions() == 1; }));
  second->pop("USER anna");
  CHECK(second->pop("PASS secret") == "+OK 1 messages");
}

TEST_CASE("mail/pop3_server: passwords are checked, and go over TLS", "[F49]") {
  Bed bed;
  bed.settings.server.has_clear_passwords = false;
  bed.add_tls();
  bed.open();
  bed.deliver("anna", "A-1", "Subject: one\r\n\r\nfirst\r\n");
  const auto client = bed.client();
  CHECK(client->pop("USER anna").starts_with("-ERR [AUTH] "));
  CHECK(client->pop("STLS").starts_with("+OK"));
  client->start_tls();
  client->send("CAPA\r\n");
  const std::string capabilities = client->lines();
  CHECK(capabilities.find("|SASL PLAIN LOGIN|") != std::string::npos);
  CHECK(capabilities.find("|STLS|") == std::string::npos);
  client->pop("USER anna");
  CHECK(client->pop("PASS wrong").starts_with("-ERR [AUTH] "));
  bed.is_busy = true;
  client->pop("USER anna");
  CHECK(client->pop("PASS secret").starts_with("-ERR [SYS/TEMP] "));
  bed.is_busy = false;
  client->pop("USER anna");
  CHECK(client->pop("PASS secret") == "+OK 1 messages");
  CHECK(bed.has_event("login-refused pop3 user=anna wrong name or password"));
  CHECK(bed.has_event("login-refused pop3 user=anna too many tries"));
}

TEST_CASE("mail/pop3_server: a client that pipelines thousands of commands gets all answers") {
  Bed bed;
  bed.open();
  bed.deliver("anna", "A-1", "Subject: one\r\n\r\nfirst\r\n");
  const auto client = bed.anna();
  std::string many;
  for (int i = 0; i < 10'000; ++i)
    many += "LIST\r\n";
  client->send(many + "NOOP\r\n");
  int answers = 0;
  while (answers < 10'000 && client->lines() == "+OK|1 23|.")
    ++answers;
  CHECK(answers == 10'000);
  CHECK(client->line() == "+OK");
  bed.leave(*client);
}

TEST_CASE("mail/pop3_server: who does not log in has no time without an end", "[F49]") {
  Bed bed;
  bed.open();
  const auto client = bed.client();
  for (int i = 0; i < 3; ++i) {
    bed.ahead = bed.ahead + seconds(50);
    bed.pop3->tick();
    if (i == 2) break;
    client->send("CAPA\r\n");
    CHECK(client->lines().starts_with("+OK"));
  }
  CHECK(client->is_gone());
}

TEST_CASE("mail/pop3_server: TLS comes first on its port", "[F49]") {
  Bed bed;
  bed.add_tls();
  bed.settings.server.pop3.front().is_tls = true;
  bed.open();
  TestClient client(bed.context, bed.pop3_port());
  client.start_tls();
  CHECK(client.line() == "+OK mx.a.example POP3 ready");
  client.pop("USER anna");
  CHECK(client.pop("PASS secret").starts_with("+OK"));
}

TEST_CASE("mail/pop3_server: who has an account and no mailbox is told", "[F49]") {
  Bed bed;
  bed.passwords["guest"] = "secret";
  bed.open();
  const auto client = bed.client();
  client->pop("USER guest");
  CHECK(client->pop("PASS secret").starts_with("-ERR [SYS/TEMP] there is no mailbox"));
  CHECK_FALSE(std::filesystem::exists(bed.folder + "/mailboxes/guest"));
}

TEST_CASE("mail/pop3_server: other networks are turned away", "[F49]") {
  Bed bed;
  bed.settings.server.pop3_networks = {{Ipv4Address(10, 0, 0, 1), Ipv4Address(10, 0, 0, 9)}};
  bed.open();
  TestClient client(bed.context, bed.pop3_port());
  CHECK(client.line() == "-ERR [SYS/PERM] not for you");
  CHECK(client.is_gone());
  CHECK(bed.pop3->sessions() == 0);
}

TEST_CASE("mail/pop3_server: commands that come all at once are answered one by one", "[F49]") {
  Bed bed;
  bed.open();
  bed.deliver("anna", "A-1", "Subject: one\r\n\r\nfirst\r\n");
  bed.deliver("anna", "A-2", "Subject: two\r\n\r\nsecond\r\n");
  const auto client = bed.client();
  client->send("USER anna\r\nPASS secret\r\nRETR 1\r\nDELE 1\r\nRETR 2\r\nNOOP\r\nQUIT\r\n");
  bed.turn([&] { return client->unsent() == 0; });
  client->half_close();
  client->line();
  CHECK(client->line() == "+OK 2 messages");
  CHECK(client->lines() == "+OK 23 octets|Subject: one||first|.");
  CHECK(client->line().starts_with("+OK"));
  CHECK(client->lines() == "+OK 24 octets|Subject: two||second|.");
  CHECK(client->line().starts_with("+OK"));
  CHECK(client->line() == "+OK good-bye");
  CHECK(client->is_gone());
  CHECK(bed.files("anna") == 1);
}

TEST_CASE("mail/pop3_server: who has said all without QUIT is answered, and closed", "[F49]") {
  Bed bed;
  bed.open();
  bed.deliver("anna", "A-1", "Subject: one\r\n\r\nfirst\r\n");
  const auto client = bed.client();
  client->send("USER anna\r\nPASS secret\r\nRETR 1\r\nDELE 1\r\n");
  bed.turn([&] { return client->unsent() == 0; });
  client->half_close();
  client->line();
  CHECK(client->line() == "+OK 1 messages");
  CHECK(client->lines() == "+OK 23 octets|Subject: one||first|.");
  CHECK(client->is_gone());
  CHECK(bed.files("anna") == 1);
}

TEST_CASE("mail/pop3_server: a large message goes out as fast as it is taken", "[F49]") {
  Bed bed;
  bed.open();
  std::string text = "Subject: large\r\n\r\n";
  for (int i = 0; i < 20'000; ++i)
    text += std::string(998, static_cast<char>('a' + i % 26)) + "\r\n";
  bed.deliver("anna", "A-1", text);
  const auto client = bed.anna();
  client->stop_reading();
  client->send("RETR 1\r\n");
  test::turn_until(
      bed.context, [] { return false; }, std::chrono::seconds(1));
  // The kernel has some MB of it, and we a piece.
  client->read_on();
  const auto is_whole = [&] { return client->left().ends_with("\r\n.\r\n"); };
  CHECK(test::turn_until(bed.context, is_whole, std::chrono::seconds(60)));
  const std::string& got = client->left();
  CHECK((got.substr(got.find("\r\n") + 2) == text + ".\r\n"));  // 20 MB
}

TEST_CASE("mail/pop3_server: a list of many messages comes whole", "[F49]") {
  Bed bed;
  bed.open();
  bed.deliver("anna", "A-0", "Subject: one\r\n\r\nfirst\r\n");
  const std::string folder = *bed.mailboxes->path_of("anna") + "/new/";
  for (int i = 0; i < 20'000; ++i)
    std::ofstream(folder + std::to_string(1'700'000'000 + i) + ".x,W=10") << "Subject: x\n";
  const auto client = bed.anna();
  client->send("UIDL\r\n");
  CHECK(bed.turn([&] { return client->left().ends_with("\r\n.\r\n"); }));
  const std::string& got = client->left();
  CHECK(std::count(got.begin(), got.end(), '\n') == 20'003);
}

TEST_CASE("mail/pop3_server: a message that is gone is an error, and no other's text", "[F49]") {
  Bed bed;
  bed.open();
  bed.deliver("anna", "A-1", "Subject: one\r\n\r\nfirst\r\n");
  const auto client = bed.anna();
  for (const auto& entry :
       std::filesystem::directory_iterator(*bed.mailboxes->path_of("anna") + "/new"))
    std::filesystem::remove(entry.path());
  CHECK(client->pop("RETR 1").starts_with("-ERR [SYS/TEMP] "));
  CHECK(client->pop("NOOP").starts_with("+OK"));
}

TEST_CASE("mail/pop3_server: who is silent for too long is gone, and nothing removed", "[F49]") {
  Bed bed;
  bed.open();
  bed.deliver("anna", "A-1", "Subject: one\r\n\r\nfirst\r\n");
  const auto stranger = bed.client();
  const auto client = bed.anna();
  client->pop("DELE 1");
  bed.ahead = seconds(121);
  bed.pop3->tick();
  CHECK(stranger->is_gone());
  CHECK(bed.pop3->sessions() == 1);
  CHECK(client->pop("NOOP").starts_with("+OK"));
  bed.ahead = seconds(121 + 601);
  bed.pop3->tick();
  CHECK(client->is_gone());
  CHECK(bed.files("anna") == 1);
}

TEST_CASE("mail/pop3_server: what is no POP3 ends the session", "[F49]") {
  Bed bed;
  bed.open();
  const auto endless = bed.client();
  endless->send(std::string(5'000'000, 'x'));
  CHECK(endless->line().starts_with("-ERR"));
  const auto bare = bed.client();
  bare->send("USER anna\nPASS secret\n");
  CHECK(bare->line().starts_with("-ERR"));
  CHECK(bare->is_gone());
  const auto nul = bed.client();
  nul->send(std::string("USER an\0na\r\n", 12));
  CHECK(nul->line().starts_with("-ERR"));
}

TEST_CASE("mail/pop3_server: it ends with clients and jobs under way", "[F49]") {
  Bed bed;
  bed.open();
  bed.deliver("anna", "A-1", "Subject: one\r\n\r\nfirst\r\n");
  const auto client = bed.anna();
  client->send("RETR 1\r\nDELE 1\r\nQUIT\r\n");
  bed.turn([&] { return client->unsent() == 0; });
  bed.pop3.reset();
  test::turn_until(
      bed.context, [] { return false; }, std::chrono::seconds(1));
  CHECK(client->is_gone());
}

}  // namespace postern::mail
