// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/mail_control.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <map>

#include "control/accounts/accounts.h"
#include "control/accounts/password.h"
#include "control/log/audit_log.h"
#include "control/log/error_log.h"
#include "control/loop.h"
#include "control/text_file.h"
#include "support/office.h"
#include "unit/compile/compiled.h"
#include "unit/control/configuration.h"

namespace postern {
namespace {

const std::string kPassword = "correct-horse1";

uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  close(fd);
  return ntohs(address.sin_port);
}

// The office, whose LAN is the loopback; anna and bert have accounts.
struct Bed {
  test::TemporaryDirectory directory;
  Loop loop;
  ErrorLog log;
  Instant now{1'000'000'000'000};
  std::unique_ptr<Policy> policy;
  const uint16_t port = free_port();
  const uint16_t pop3_port = free_port();
  std::map<std::string, std::string> notes;  // that are not well, as the status has them
  std::vector<std::string> events;
  std::vector<std::string> audited;
  std::string hash;  // of the password
  config::Model model;
  accounts::Accounts accounts{loop, accounts_world()};
  MailControl mail{loop, log, accounts, world()};
  decltype(boost::asio::make_work_guard(loop.context())) work =
      boost::asio::make_work_guard(loop.context());

  ~Bed() { mail.end(); }

  accounts::Accounts::World accounts_world() {
    accounts::Accounts::World world;
    world.state_dir = directory.path();
    world.now = [this] { return now; };
    return world;
  }
  MailControl::World world() {
    MailControl::World world;
    world.state_dir = directory.path();
    world.now = [this] { return now; };
    world.device_of = [](InterfaceId) { return "lo"; };
    world.policy = [this] { return policy.get(); };
    world.ask_dns = [](const std::string&, const OwnQuestions::Found&) { return false; };
    world.ask_mail_hosts = [](const std::string&, const OwnQuestions::HostsFound&) {
      return false;
    };
    world.log = [this](const mail::MailEvent& event) {
      events.emplace_back(std::string(to_text(event.kind)) + " " + std::string(event.remote));
    };
    world.audit = [this](const AuditEntry& entry) { audited.push_back(entry.who); };
    world.note = [this](const std::string& about, const Result<void>& outcome) {
      if (outcome) {
        notes.erase(about);
      } else {
        notes[about] = outcome.error().text;
      }
    };
    return world;
  }
  // `lines` of services.mail; the answer is what follow() says.
  Result<void> follow(const std::string& lines, const std::string& more_users = "") {
    model = model_of(test::kOffice + "users:\n  accounts:\n    anna: {}\n    bert: {}\n" +
                     more_users + "services:\n  mail:\n    domains: office.example\n" +
                     fmt::format("    port: {}\n", port) + "    postmaster: anna\n" + lines);
    model.users.password.hash_mib = 19;
    if (hash.empty()) hash = *accounts::hash_of(kPassword, model.users.password);
    for (config::User& user : model.users.accounts)
      user.password = hash;
    REQUIRE(accounts.follow(model));
    policy = compiled(model);
    for (auto& interface : policy->interfaces)
      if (interface.name == "lan") interface.addresses = {{Ipv4Address(127, 0, 0, 1), 8}};
    auto followed = mail.follow(model);
    world().note("mail", followed);
    return followed;
  }
  std::string pop3() const {
    return fmt::format(
        "    tls: {{ clear_passwords: true }}\n    pop3: {{ port: {}, tls_port: 0 }}\n", pop3_port);
  }
  void turn() {
    loop.context().restart();
    loop.context().run_for(std::chrono::milliseconds(2));
  }
  // Until `holds`, for some seconds at most.
  template <typename Holds>
  bool until(const Holds& holds) {
    for (int i = 0; i < 3000 && !holds(); ++i)
      turn();
    return holds();
  }
  // As `postern user add` does.
  void add_user(const std::string& name) {
    bool is_added = false;
    accounts.edit(
        [&name](accounts::LocalAccounts& local) -> Result<void> {
          local.users.emplace_back().name = name;
          return {};
        },
        [&is_added](const Result<void>& done) { is_added = done.has_value(); });
    REQUIRE(until([&is_added] { return is_added; }));
  }
  bool is_delivered() {
    return until([this] {
      mail.tick();
      return mail.counters().delivered == 1;
    });
  }
  // Says line after line, each behind the answer to the one before; all answers, a line each.
  std::vector<std::string> talk(uint16_t to, const std::vector<std::string>& lines) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(to);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    std::vector<std::string> answers = {answer(fd)};
    for (const std::string& line : lines) {
      const std::string sent = line + "\r\n";
      REQUIRE(write(fd, sent.data(), sent.size()) == static_cast<ssize_t>(sent.size()));
      answers.push_back(answer(fd));
    }
    close(fd);
    return answers;
  }
  // Its last line.
  std::string answer(int fd) {
    std::string text;
    until([&] {
      char octets[4096];
      ssize_t count = 0;
      while ((count = read(fd, octets, sizeof octets)) > 0)
        text.append(octets, static_cast<size_t>(count));
      return count == 0 || is_whole(text);
    });
    const size_t begin = text.rfind("\r\n", text.size() < 3 ? 0 : text.size() - 3);
    return begin == std::string::npos ? text : text.substr(begin + 2);
  }
  // A reply of SMTP, or a line of POP3.
  static bool is_whole(const std::string& text) {
    if (!text.ends_with("\r\n")) return false;
    const size_t begin = text.rfind("\r\n", text.size() - 3);
    const std::string last = begin == std::string::npos ? text : text.substr(begin + 2);
    return last.size() < 4 || last[3] != '-' || last[0] == '-';
  }
  std::string mailbox(const std::string& user) const {
    return directory.path() + "/mail/mailboxes/" + user;
  }
};

bool has(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

const std::vector<std::string> kLetter = {"EHLO client.example", "MAIL FROM:<joe@b.example>",
                                          "RCPT TO:<anna@office.example>", "DATA",
                                          "Subject: hello\r\n\r\nGood day.\r\n."};

}  // namespace

TEST_CASE("control/mail_control: it starts and ends with the configuration", "[F49][F50]") {
  Bed bed;
  CHECK_FALSE(bed.mail.is_wanted());
  REQUIRE(bed.follow(""));
  REQUIRE(bed.mail.service() != nullptr);
  CHECK(bed.mail.host() == "postern.office.example");
  CHECK(bed.mail.folder() == bed.directory.path() + "/mail");
  CHECK(bed.mail.service()->listening().size() == 1);
  CHECK_FALSE(bed.mail.fingerprint().empty());
  const auto answers = bed.talk(bed.port, kLetter);
  CHECK(has(answers.back(), "250 2"));
  CHECK(bed.is_delivered());
  CHECK(std::filesystem::exists(bed.mailbox("anna") + "/new"));
  const uint64_t received = bed.mail.counters().received;
  CHECK(received == 1);
  REQUIRE(bed.follow("    enabled: false\n"));
  CHECK(bed.mail.service() == nullptr);
  CHECK_FALSE(bed.mail.is_wanted());
  CHECK(bed.mail.counters().received == received);
}

TEST_CASE("control/mail_control: only who is named may relay, and nobody where nothing leads",
          "[F53][F49]") {
  Bed bed;
  const std::vector<std::string> away = {"EHLO client.example", "MAIL FROM:<anna@office.example>",
                                         "RCPT TO:<joe@b.example>"};
  const std::string relay =
      fmt::format("    relay: {{ hosts: [ {{ host: 127.0.0.9, port: {} }} ] }}\n", free_port());
  REQUIRE(bed.follow(relay));
  CHECK(has(bed.talk(bed.port, away).back(), "250 "));
  REQUIRE(bed.follow(relay + "    relay_networks: []\n"));
  CHECK(bed.mail.relay_networks().empty());
  CHECK(bed.talk(bed.port, away).back()[0] == '5');
  REQUIRE(bed.follow(""));
  CHECK(bed.talk(bed.port, away).back()[0] == '5');
}

TEST_CASE("control/mail_control: passwords are those of accounts with a mailbox", "[F50]") {
  Bed bed;
  REQUIRE(bed.follow(bed.pop3() + "    mailboxes: anna\n"));
  auto log_in = [&bed](const std::string& user, const std::string& password) {
    return bed.talk(bed.pop3_port, {"USER " + user, "PASS " + password}).back();
  };
  CHECK(has(log_in("anna", kPassword), "+OK"));
  CHECK(has(log_in("anna", "wrong"), "-ERR"));
  CHECK(bed.audited == std::vector<std::string>{"anna"});
  CHECK(has(log_in("bert", kPassword), "-ERR"));
  CHECK(bed.audited.back() == "bert");
}

TEST_CASE("control/mail_control: mailboxes follow the accounts", "[F50]") {
  Bed bed;
  const std::vector<std::string> to_carl = {"EHLO client.example", "MAIL FROM:<>",
                                            "RCPT TO:<carl@office.example>"};
  REQUIRE(bed.follow(""));
  CHECK(has(bed.talk(bed.port, to_carl).back(), "550 "));
  bed.add_user("carl");
  bed.mail.tick();
  CHECK(has(bed.talk(bed.port, to_carl).back(), "250 "));
}

TEST_CASE("control/mail_control: a change of accounts alone reads no files", "[F49][P26]") {
  Bed bed;
  const std::string file = bed.directory.path() + "/password";
  REQUIRE(write_text_file(file, "secret\n"));
  REQUIRE(bed.follow("    relay: { hosts: [ { host: 127.0.0.9, user: u, password_file: " + file +
                     " } ] }\n"));
  const std::string before = bed.mail.fingerprint();
  std::filesystem::remove(file);
  std::filesystem::remove_all(bed.directory.path() + "/mail-tls");
  bed.add_user("carl");
  bed.mail.tick();
  CHECK(bed.notes.count("mail") == 0);
  CHECK(bed.mail.fingerprint() == before);
  CHECK(has(
      bed.talk(bed.port, {"EHLO client.example", "MAIL FROM:<>", "RCPT TO:<carl@office.example>"})
          .back(),
      "250 "));
}

TEST_CASE("control/mail_control: what one would have to wait for is no password file", "[P26]") {
  Bed bed;
  const std::string file = bed.directory.path() + "/password";
  REQUIRE(mkfifo(file.c_str(), S_IRUSR | S_IWUSR) == 0);
  CHECK_FALSE(bed.follow(
      "    relay: { hosts: [ { host: 127.0.0.9, user: u, password_file: " + file + " } ] }\n"));
  CHECK(has(bed.notes["mail"], file + ": this is no file"));
}

TEST_CASE("control/mail_control: what cannot be had is told, and tried again", "[F49]") {
  Bed bed;
  const std::string folder = bed.directory.path() + "/box";
  std::filesystem::create_directory(folder);
  CHECK_FALSE(bed.follow("    folder: " + folder + "/deeper/still\n"));
  CHECK(bed.mail.is_wanted());
  CHECK(bed.mail.service() == nullptr);
  CHECK(bed.notes.count("mail") == 1);
  std::filesystem::create_directory(folder + "/deeper");
  bed.mail.tick();
  CHECK(bed.mail.service() == nullptr);
  bed.now = bed.now + MailControl::kAgain;
  bed.mail.tick();
  CHECK(bed.mail.service() != nullptr);
  CHECK(bed.notes.count("mail") == 0);
}

TEST_CASE("control/mail_control: a relay without its password waits, mail for us does not",
          "[F49][F50]") {
  Bed bed;
  const auto followed = bed.follow(
      "    relay: { hosts: [ { host: 127.0.0.9, user: u, password_file: /nowhere/at/all } ] }\n");
  CHECK_FALSE(followed);
  CHECK(has(bed.notes["mail"], "/nowhere/at/all"));
  REQUIRE(bed.mail.service() != nullptr);
  CHECK(has(bed.talk(bed.port, kLetter).back(), "250 2"));
  CHECK(bed.is_delivered());
}

TEST_CASE("control/mail_control: a certificate that cannot be read leaves the one before",
          "[P26]") {
  Bed bed;
  REQUIRE(bed.follow(""));
  const std::string before = bed.mail.fingerprint();
  CHECK_FALSE(bed.follow("    tls: { certificate: /nowhere/a.pem, key: /nowhere/a.key }\n"));
  CHECK(has(bed.notes["mail"], "/nowhere/a.pem"));
  CHECK(bed.mail.fingerprint() == before);
  CHECK(has(bed.talk(bed.port, {"EHLO client.example", "STARTTLS"}).back(), "220 "));
}

}  // namespace postern
