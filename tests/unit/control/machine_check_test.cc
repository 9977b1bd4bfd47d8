// SPDX-License-Identifier: BSD-3-Clause
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "control/check.h"
#include "services/io/trusted_program.h"
#include "unit/control/configuration.h"

using namespace postern;

namespace {

struct Bed {
  test::TemporaryDirectory directory;
  std::string program = directory.path() + "/alert.d/tell";

  Bed() {
    std::filesystem::create_directory(directory.path() + "/alert.d");
    std::ofstream(program) << "#!/bin/sh\n";
    set(program, 0755);
  }
  static void set(const std::string& path, mode_t mode) { REQUIRE(chmod(path.c_str(), mode) == 0); }
  std::string fault(const std::string& path) const {
    auto trusted = io::trusted_program(path, geteuid());
    return trusted ? "" : trusted.error().text;
  }
};

}  // namespace

TEST_CASE("control/log: a program is run only where nobody else can put one", "[F28]") {
  Bed bed;
  const std::string directory = bed.directory.path() + "/alert.d";
  CHECK(bed.fault(bed.program).empty());
  CHECK(bed.fault("/bin/sh").empty());
  CHECK(bed.fault(directory + "/none") == directory + "/none: No such file or directory");
  CHECK(bed.fault(directory) == directory + " is no file");
  for (mode_t mode : {0775u, 0757u}) {
    bed.set(bed.program, mode);
    CHECK(bed.fault(bed.program) == bed.program + " can be written by others than root");
    bed.set(bed.program, 0755);
    bed.set(directory, mode);
    CHECK(bed.fault(bed.program) == directory + " can be written by others than root");
    bed.set(directory, mode | S_ISVTX);  // even so others may put one there
    CHECK(bed.fault(bed.program) == directory + " can be written by others than root");
    bed.set(directory, 0755);
  }
  bed.set(bed.program, 0644);
  CHECK(bed.fault(bed.program) == bed.program + " is not executable");
}

TEST_CASE("control/log: a link to a program is as good as where it is and where it leads",
          "[F28]") {
  Bed bed;
  const std::string link = bed.directory.path() + "/link";
  REQUIRE(symlink(bed.program.c_str(), link.c_str()) == 0);
  CHECK(bed.fault(link).empty());
  bed.set(bed.directory.path() + "/alert.d", 0777);
  CHECK_FALSE(bed.fault(link).empty());
  bed.set(bed.directory.path() + "/alert.d", 0755);
  const std::string other = bed.directory.path() + "/other";
  std::filesystem::create_directory(other);
  REQUIRE(symlink(bed.program.c_str(), (other + "/link").c_str()) == 0);
  bed.set(other, 0777);
  CHECK(bed.fault(other + "/link") == other + " can be written by others than root");
}

TEST_CASE("control/log: a program of somebody else is not trusted", "[F28]") {
  Bed bed;
  if (geteuid() != 0) return;  // only root can give files away
  REQUIRE(chown(bed.program.c_str(), 65534, 0) == 0);
  CHECK(bed.fault(bed.program) == bed.program + " does not belong to root");
  CHECK(io::trusted_program(bed.program, 65534));
}

TEST_CASE("control/check: what the machine lacks is a warning at its line") {
  const std::string text =
      test::configuration("    - { name: all, action: drop }\n",
                          "admin:\n  socket: { group: no-such-group-here }\n"
                          "logging:\n  alert:\n    command: [/no/such/program]\n");
  const config::Loaded loaded = config::load(text);
  REQUIRE(loaded.ok());
  const auto findings = machine_findings(text, loaded.model, geteuid());
  REQUIRE(findings.size() == 2);
  CHECK(config::to_text(findings[0], "f") ==
        "f:8:20: warning: admin.socket.group: no group `no-such-group-here` on this machine; the "
        "socket is for root alone");
  CHECK(config::to_text(findings[1], "f") ==
        "f:11:14: warning: logging.alert.command: will not be run: /no/such/program: No such file "
        "or directory");
  const std::string plain = test::configuration("    - { name: all, action: drop }\n");
  CHECK(machine_findings(plain, config::load(plain).model, geteuid()).empty());
}

TEST_CASE("control/check: programs of the mail service that would not be run are told",
          "[F54][P26]") {
  const std::string text =
      "version: 1\n"
      "interfaces:\n"
      "  lan: { port: kernel:enp2s0, zone: internal, address: 192.168.1.1/24 }\n"
      "filter: { rules: [ { name: all, in: [lan, gateway], action: permit } ] }\n"
      "services:\n"
      "  mail:\n"
      "    domains: office.example\n"
      "    postmaster: anna\n"
      "    scan: { command: /nowhere/scan }\n"
      "    relay:\n"
      "      hosts: [ { host: a.example, user: u, token_command: [/nowhere/token] } ]\n"
      "      by_sender:\n"
      "        - senders: \"*\"\n"
      "          hosts: [ { host: b.example, user: u, token_command: [/bin/sh] } ]\n"
      "    fetch:\n"
      "      - { name: f, host: c.example, user: u, token_command: [/nowhere/other, x] }\n";
  const Checked checked = check_text(text);
  REQUIRE(checked.ok());
  const auto findings = machine_findings(text, checked.model, 0);
  REQUIRE(findings.size() == 3);
  CHECK(findings[0].path == "services.mail.scan.command");
  CHECK(findings[0].mark.line == 9);
  CHECK(findings[1].path == "services.mail.relay.hosts[0].token_command");
  CHECK(findings[2].path == "services.mail.fetch[0].token_command");
  CHECK(findings[2].mark.line == 16);
}
