// SPDX-License-Identifier: BSD-3-Clause
// services.mail: what is accepted, and why. What is refused is in tests/golden/config/mail-*.
#include <catch2/catch.hpp>
#include <string>

#include "control/config/load.h"
#include "control/config/mail_book.h"

namespace postern::config {
namespace {

std::string file(const std::string& mail, const std::string& more = "") {
  return "version: 1\n"
         "interfaces:\n"
         "  wan: { port: kernel:eth0, zone: external, address: 203.0.113.2/24 }\n"
         "  lan: { port: kernel:eth1, zone: internal, address: [192.168.1.1/24, 172.16.0.1/30] }\n"
         "  dmz: { port: kernel:eth2, zone: dmz, address: 10.9.0.1/24 }\n"
         "filter: { rules: [ { name: all, in: [lan, gateway], action: permit } ] }\n" +
         more +
         "services:\n"
         "  mail:\n"
         "    domains: office.example\n"
         "    postmaster: anna\n"
         "    relay: { hosts: [ { host: smtp.example } ] }\n" +
         mail;
}

// What is wrong or odd about it; empty: nothing.
std::string findings(const std::string& text) {
  std::string all;
  for (const Finding& finding : load(text).findings)
    all += to_text(finding, "test") + "\n";
  return all;
}

const std::string kRoutes =
    "routes:\n"
    "  - { to: default, via: 203.0.113.1 }\n"
    "  - { to: 10.0.0.0/8, via: 203.0.113.3 }\n"
    "  - { to: 10.20.0.0/16, via: 192.168.1.2 }\n"
    "  - { to: 10.20.30.0/24, via: 203.0.113.3 }\n"
    "  - { to: 10.20.30.64/26, via: 10.9.0.2 }\n";

}  // namespace

TEST_CASE("config/mail: who is inside may relay, wherever routes find them", "[F53]") {
  for (const char* networks :
       {"192.168.1.0/24", "192.168.1.7", "[192.168.1.0/24, 172.16.0.0/30, 10.9.0.0/24]",
        "10.20.0.0/24", "10.20.31.0-10.20.255.255", "10.20.30.64/26", "[]"}) {
    INFO(networks);
    CHECK(findings(file("    relay_networks: " + std::string(networks) + "\n", kRoutes)) == "");
  }
}

TEST_CASE("config/mail: who is outside may not, however near the inside", "[F53]") {
  for (const char* networks :
       {"0.0.0.0/0", "any", "0.0.0.0-255.255.255.255", "192.168.0.0/23", "192.168.1.0-192.168.2.0",
        "203.0.113.2", "203.0.113.77", "198.51.100.25", "10.21.0.0/16", "10.20.0.0/16",
        "10.20.30.0/24", "10.20.30.63", "10.20.30.128", "127.0.0.1", "255.255.255.255", "0.0.0.0",
        "[192.168.1.0/24, 10.20.29.0-10.20.30.0]"}) {
    INFO(networks);
    const std::string found =
        findings(file("    relay_networks: " + std::string(networks) + "\n", kRoutes));
    CHECK(found.find("open relay") != std::string::npos);
  }
}

TEST_CASE("config/mail: a name with such addresses in it is no way around", "[F53]") {
  const std::string objects =
      "objects: { addresses: { near: 192.168.1.0/24, far: [near, all], "
      "all: 198.51.100.0/24 } }\n";
  CHECK(findings(file("    relay_networks: far\n", objects)).find("open relay") !=
        std::string::npos);
}

TEST_CASE("config/mail: an interface that is disabled leads nowhere", "[F53]") {
  std::string text = file("    relay_networks: 10.9.0.0/24\n");
  CHECK(findings(text) == "");
  const std::string dmz = "dmz: { ";
  text.replace(text.find(dmz), dmz.size(), "dmz: { enabled: false, ");
  CHECK(findings(text).find("open relay") != std::string::npos);
}

TEST_CASE("config/mail: names of ours are made of what is there", "[F49]") {
  Mail mail;
  mail.domains = {"Office.Example."};
  CHECK(mail_name(mail, "GW1") == "gw1.office.example");
  mail.name = "Mail.Office.Example";
  CHECK(mail_name(mail, "gw1") == "mail.office.example");
}

TEST_CASE("config/mail: an account that is not in the file may be one of `postern user`", "[F50]") {
  const std::string names = "    aliases: { info: [bert, group-of-them] }\n    catch_all: carl\n";
  CHECK(findings(file(names)) == "");
  CHECK(findings(file(names, "users: { account_file: false, accounts: { anna: {} } }\n"))
            .find("leads to nobody") != std::string::npos);
}

TEST_CASE("config/mail: an alias may lead to its own name, where somebody has it", "[F50][C20]") {
  CHECK(findings(file("    aliases: { anna: [anna, archive@b.example] }\n",
                      "users: { account_file: false, accounts: { anna: {} } }\n")) == "");
}

TEST_CASE("config/mail: a port that has TLS of its own needs no word of it", "[F49][F51]") {
  const std::string text =
      "version: 1\n"
      "interfaces: { lan: { port: kernel:eth1, zone: internal, address: 192.168.1.1/24 } }\n"
      "services:\n"
      "  mail:\n"
      "    domains: office.example\n"
      "    postmaster: anna\n"
      "    relay:\n"
      "      hosts:\n"
      "        - { host: a.example, port: 465 }\n"
      "        - { host: a.example, port: 465, tls: none }\n"
      "        - { host: a.example, port: 587 }\n"
      "    fetch:\n"
      "      - { name: a, host: b.example, port: 110, user: u, password_file: /p, to: anna }\n"
      "      - { name: b, host: b.example, user: u, password_file: /p, to: anna }\n";
  const Loaded loaded = load(text);
  REQUIRE(loaded.ok());
  const Mail& mail = *loaded.model.services.mail;
  CHECK(mail.relay->hosts[0].tls.mode == mail::TlsMode::implicit);
  CHECK(mail.relay->hosts[1].tls.mode == mail::TlsMode::none);
  CHECK_FALSE(mail.relay->hosts[2].tls.mode);  // as the log-in asks for
  CHECK(mail.fetch[0].tls.mode == mail::TlsMode::required);
  CHECK_FALSE(mail.fetch[1].tls.mode);
}

}  // namespace postern::config
