// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/mail_settings.h"

#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <set>

#include "support/office.h"
#include "unit/compile/compiled.h"
#include "unit/control/configuration.h"

namespace postern {
namespace {

constexpr int kTuesdayNoon = 1'772'539'200;  // 2026-03-03T12:00:00Z

std::string office(const std::string& mail, const std::string& more = "") {
  return test::kOffice +
         "objects: { times: { noon: \"tue 11:30-12:30\", night: \"daily 22:00-06:00\" } }\n"
         "users:\n"
         "  accounts: { anna: { groups: [staff] }, bert: { groups: [staff, hr] }, carl: {} }\n"
         "  groups: { staff: {}, hr: {} }\n" +
         more +
         "services:\n"
         "  mail:\n"
         "    domains: [office.example, Sales.Example.]\n"
         "    postmaster: anna\n" +
         mail;
}

// Holds what a plan is made of.
struct Made {
  config::Model model;
  std::unique_ptr<Policy> policy;
  accounts::Book people;
  DeviceOf device_of = [](InterfaceId id) { return "dev" + std::to_string(id); };
  MailPlan plan;

  explicit Made(const std::string& mail)
      : model(model_of(office(mail))),
        policy(compiled(model)),
        people(model.users, {}),
        plan(plan_mail({*model.services.mail, model.objects, model.system.name, *policy, device_of,
                        people})) {}
  const mail::MailSettings& settings() const { return plan.settings; }
};

std::set<std::string> smtp_of(const mail::ServerSettings& server, mail::SmtpPort port) {
  std::set<std::string> places;
  for (const mail::SmtpListener& listener : server.smtp) {
    if (listener.port == port)
      places.insert(to_text(listener.at.address) + ":" + std::to_string(listener.at.port));
  }
  return places;
}

std::string password_file(const test::TemporaryDirectory& directory, const std::string& text) {
  const std::string path = directory.path() + "/password";
  std::ofstream(path) << text;
  return path;
}

}  // namespace

TEST_CASE("control/mail_settings: it listens inside, and nowhere else by default", "[F53]") {
  const Made made("    submission: {}\n    pop3: {}\n");
  const mail::ServerSettings& server = made.settings().server;
  CHECK(smtp_of(server, mail::SmtpPort::mail) == std::set<std::string>{"192.168.1.1:25"});
  CHECK(smtp_of(server, mail::SmtpPort::submission) == std::set<std::string>{"192.168.1.1:587"});
  CHECK(smtp_of(server, mail::SmtpPort::submissions) == std::set<std::string>{"192.168.1.1:465"});
  REQUIRE(server.pop3.size() == 2);
  CHECK(server.pop3[0].at == io::ListenAddress{"dev1", Ipv4Address(192, 168, 1, 1), 110});
  CHECK_FALSE(server.pop3[0].is_tls);
  CHECK(server.pop3[1].at.port == 995);
  CHECK(server.pop3[1].is_tls);
  CHECK(places_of(server).size() == 5);
}

TEST_CASE("control/mail_settings: outside there is port 25 alone, and only on request", "[F53]") {
  const Made made("    from_outside: true\n    submission: {}\n    pop3: {}\n");
  const mail::ServerSettings& server = made.settings().server;
  CHECK(smtp_of(server, mail::SmtpPort::mail) ==
        std::set<std::string>{"192.168.1.1:25", "203.0.113.1:25"});
  for (const io::ListenAddress& at : places_of(server)) {
    if (at.address != Ipv4Address(192, 168, 1, 1)) CHECK(at.port == 25);
  }
  CHECK(server.pop3.size() == 2);
}

TEST_CASE("control/mail_settings: a port that is 0 is none", "[F49]") {
  const Made made(
      "    port: 0\n    submission: { port: 0 }\n    pop3: { tls_port: 0, port: 1100 }\n");
  const mail::ServerSettings& server = made.settings().server;
  CHECK(smtp_of(server, mail::SmtpPort::mail).empty());
  CHECK(smtp_of(server, mail::SmtpPort::submission).empty());
  CHECK(smtp_of(server, mail::SmtpPort::submissions) == std::set<std::string>{"192.168.1.1:465"});
  REQUIRE(server.pop3.size() == 1);
  CHECK(server.pop3[0].at.port == 1100);
}

TEST_CASE("control/mail_settings: who may relay without a password is inside", "[F53]") {
  const AddressRange lan{Ipv4Address(192, 168, 1, 0), Ipv4Address(192, 168, 1, 255)};
  CHECK(Made("    pop3: {}\n").settings().server.relay_networks == std::vector{lan});
  CHECK(Made("    pop3: {}\n").settings().server.pop3_networks == std::vector{lan});
  CHECK(Made("    from_outside: true\n").settings().server.relay_networks == std::vector{lan});
  const AddressRange some{Ipv4Address(192, 168, 1, 64), Ipv4Address(192, 168, 1, 127)};
  const Made named("    relay_networks: 192.168.1.64/26\n    pop3: { from: 192.168.1.64/26 }\n");
  CHECK(named.settings().server.relay_networks == std::vector{some});
  CHECK(named.settings().server.pop3_networks == std::vector{some});
  CHECK(Made("    relay_networks: []\n").settings().server.relay_networks.empty());
}

TEST_CASE("control/mail_settings: mailboxes and groups are those of the accounts", "[F50]") {
  const mail::RecipientBook all = Made("    port: 25\n").settings().book;
  CHECK(all.users == std::set<std::string>{"anna", "bert", "carl"});
  CHECK(all.groups.at("staff") == std::vector<std::string>{"anna", "bert"});
  CHECK(all.groups.at("hr") == std::vector<std::string>{"bert"});
  CHECK(all.domains == std::set<std::string>{"office.example", "sales.example"});
  CHECK(all.own_domain == "office.example");
  CHECK(std::count(all.own_addresses.begin(), all.own_addresses.end(),
                   Ipv4Address(203, 0, 113, 1)) == 1);
  const Made some(
      "    mailboxes: [carl, \"group:hr\"]\n    groups: [hr]\n"
      "    aliases: { Info: [carl, hr], Orders@Sales.Example: carl }\n");
  CHECK(some.settings().book.users == std::set<std::string>{"bert", "carl"});
  CHECK(some.settings().book.groups.size() == 1);
  CHECK(some.settings().book.aliases.count("info") == 1);
  CHECK(some.settings().book.aliases.count("orders@sales.example") == 1);
  mail::Expansion expansion(some.settings().book);
  CHECK(expansion.add({"info", "sales.example"}));
  CHECK(expansion.targets().size() == 2);
}

TEST_CASE("control/mail_settings: names and times of the file become the service's", "[F49][F52]") {
  const Made made(
      "    relay:\n"
      "      hosts: [ { host: smtp.example } ]\n"
      "      when: noon\n"
      "    sorting:\n"
      "      - { name: idle, enabled: false, folder: X }\n"
      "      - { name: lists, headers: { List-Id: \"*dpdk*\" }, folder: Lists/DPDK }\n"
      "    scan: { milters: \"inet:127.0.0.1:7357\", unavailable: pass, infected: discard }\n"
      "    greylist: { wait: 1m }\n"
      "    spf: refuse\n");
  const mail::MailSettings& settings = made.settings();
  CHECK(settings.host == "postern.office.example");
  REQUIRE(settings.sorting.size() == 1);
  CHECK(settings.sorting[0].headers[0].name == "List-Id");
  CHECK(settings.scan.without == mail::WithoutScanner::pass);
  CHECK(settings.scan.infected == mail::WithInfected::discard);
  CHECK(settings.server.greylist.is_on);
  CHECK(settings.server.greylist.wait == seconds(60));
  CHECK(settings.server.spf == mail::SpfUse::refuse);
  CHECK(settings.relay.hosts[0].tls.mode == mail::TlsMode::opportunistic);
  setenv("TZ", "UTC", 1);
  tzset();
  REQUIRE(settings.relay.times.size() == 1);
  CHECK(made.plan.times.holds(settings.relay.times[0], kTuesdayNoon));
  CHECK_FALSE(made.plan.times.holds(settings.relay.times[0], kTuesdayNoon + 3600));
  CHECK_FALSE(made.plan.times.holds(MailTimes::kNever, kTuesdayNoon));
}

TEST_CASE("control/mail_settings: a password is the first line of its file", "[F49][F50]") {
  const test::TemporaryDirectory directory;
  const std::string file = password_file(directory, "pass word\r\nmore\n");
  const Made made("    relay: { hosts: [ { host: a.example, user: u, password_file: " + file +
                  " } ] }\n    fetch: [ { name: f, host: b.example, user: v, password_file: " +
                  file + " } ]\n");
  CHECK(made.plan.complaint);
  const mail::RelayHost& host = made.settings().relay.hosts[0];
  CHECK(host.credentials.password == "pass word");
  CHECK(host.credentials.user == "u");
  // Nothing is told to who cannot show who it is.
  CHECK(host.tls.mode == mail::TlsMode::required);
  CHECK(made.settings().relay.times.empty());
  const mail::FetchAccount& account = made.settings().fetch.accounts[0];
  CHECK(account.credentials.password == "pass word");
  CHECK(account.port == 995);
  CHECK(account.tls.mode == mail::TlsMode::implicit);
}

TEST_CASE("control/mail_settings: without its password a way is closed, and the others are not",
          "[F49][F50]") {
  const test::TemporaryDirectory directory;
  const std::string empty = password_file(directory, "\nsecond line\n");
  const Made relay("    relay: { hosts: [ { host: a.example, user: u, password_file: " + empty +
                   " } ] }\n    fetch: [ { name: f, host: b.example, user: v, token_command: "
                   "[/bin/token] } ]\n");
  REQUIRE_FALSE(relay.plan.complaint);
  CHECK(relay.plan.complaint.error().text.find("a.example") != std::string::npos);
  // Not for ever: who sends is told that it is late, and in the end that it failed.
  CHECK(relay.settings().relay.times.empty());
  CHECK(relay.settings().relay.hosts[0].lacks_secret);
  CHECK(relay.settings().fetch.accounts[0].times.empty());
  const Made fetch(
      "    relay: { hosts: [ { host: a.example } ] }\n"
      "    fetch: [ { name: f, host: b.example, user: v, password_file: /nowhere/at/all } ]\n");
  REQUIRE_FALSE(fetch.plan.complaint);
  CHECK(fetch.settings().relay.times.empty());
  CHECK(fetch.settings().fetch.accounts[0].times == std::vector<uint32_t>{MailTimes::kNever});
}

TEST_CASE("control/mail_settings: a password that cannot be read closes a way without a name, too",
          "[F49]") {
  const Made made("    relay: { hosts: [ { host: a.example } ] }\n");
  REQUIRE(made.plan.complaint);
  config::Mail mail = *made.model.services.mail;
  mail.relay->hosts[0].login.password_file = "/nowhere/at/all";
  const MailPlan plan = plan_mail({mail, made.model.objects, made.model.system.name, *made.policy,
                                   made.device_of, made.people});
  CHECK_FALSE(plan.complaint);
  CHECK(plan.settings.relay.hosts.at(0).lacks_secret);
}

TEST_CASE("control/mail_settings: a disabled account is not fetched, ETRN asks for our domains",
          "[F50][F52]") {
  const Made made(
      "    fetch: [ { name: f, enabled: false, host: b.example, user: v, password_file: /x } ]\n"
      "    etrn: [ { host: c.example } ]\n");
  CHECK(made.plan.complaint);
  CHECK(made.settings().fetch.accounts.empty());
  CHECK(made.settings().fetch.etrn[0].domains ==
        std::vector<std::string>{"office.example", "sales.example"});
}

TEST_CASE("compile/rules: hosts inside reach the mail service, those outside by a rule alone",
          "[F53]") {
  const Made made("    from_outside: true\n    submission: {}\n");
  const Ruleset& rules = made.policy->rules;
  const Rule* found = nullptr;
  for (uint16_t i = 0; i < rules.size(); ++i)
    if (rules.at(i).name == "service/mail") found = &rules.at(i);
  REQUIRE(found != nullptr);
  CHECK(found->in == set_of(static_cast<InterfaceId>(1)));
  CHECK(found->services.size() == 3);
  CHECK(found->action == Action::permit);
}

}  // namespace postern
