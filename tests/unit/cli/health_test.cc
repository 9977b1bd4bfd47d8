// SPDX-License-Identifier: BSD-3-Clause
#include "cli/support/health.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "runtime/fake_sysfs.h"

namespace postern::cli {
namespace {

using test::FakeSysfs;

constexpr char kConfig[] = R"(version: 1
system: { workers: { count: 2, cores: [2, 3] }, memory: { mib: 512 } }
interfaces:
  wan: { port: "pci:0000:03:00.0", zone: external, address: 203.0.113.2/24 }
  lan: { port: "kernel:enp4s0", zone: internal, address: 192.168.1.1/24 }
)";

// A machine on which nothing is to be mended.
struct Fit {
  Fit() {
    files.write("etc/postern/gateway.yaml", kConfig);
    mode(0640);
    files.write("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "256");
    files.write("sys/kernel/iommu_groups/0/type", "DMA");
    files.write("sys/bus/pci/drivers/vfio-pci/uevent", "");
    files.link("sys/bus/pci/devices/0000:03:00.0/driver", "../../drivers/vfio-pci");
    files.write("sys/bus/pci/devices/0000:03:00.0/class", "0x020000");
    files.write("sys/class/net/enp4s0/type", "1");
    files.write("dev/vhost-net", "");
    files.write("sys/devices/system/cpu/online", "0-3");
    files.write("sys/devices/system/cpu/isolated", "2-3");
    for (const char* core : {"0", "1", "2", "3"}) {
      files.write("sys/devices/system/cpu/cpu" + std::string(core) + "/cpufreq/scaling_governor",
                  "performance");
    }
    files.write("clock-synchronised", "1");
    files.write("proc/sys/net/ipv4/ip_forward", "0");
    std::filesystem::create_directories(files.root() + "/var/lib/postern");
  }
  void mode(unsigned bits) const {
    std::filesystem::permissions(files.root() + "/etc/postern/gateway.yaml",
                                 static_cast<std::filesystem::perms>(bits));
  }
  void remove(const std::string& path) const {
    std::filesystem::remove_all(files.root() + "/" + path);
  }
  // Of the one finding that is not OK: its check; several with blanks.
  std::string complaints() const {
    std::string all;
    for (const Finding& finding : examine(Machine(files.root()), Patient{})) {
      // The disk of whoever runs the test is his own business.
      if (finding.health == Health::ok || finding.check == "state") continue;
      CHECK_FALSE(finding.text.empty());
      CHECK_FALSE(finding.mend.empty());
      all += (all.empty() ? "" : " ") + finding.check + "=" + to_word(finding.health);
    }
    return all;
  }

  FakeSysfs files;
};

}  // namespace

TEST_CASE("cli/health: nothing is to be mended on a machine that is fit", "[F63]") {
  Fit fit;
  CHECK(fit.complaints().empty());
}

TEST_CASE("cli/health: each thing that is amiss is told with what mends it", "[F63]") {
  Fit fit;
  FakeSysfs& files = fit.files;
  SECTION("few hugepages") {
    files.write("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "10");
    CHECK(fit.complaints() == "hugepages=WARN");
  }
  SECTION("few hugepages where they are required") {
    files.write("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "10");
    config::System system;
    system.memory.hugepages = config::HugepageMode::required;
    system.memory.mib = 512;
    const Finding finding = check_hugepages(Machine(files.root()), system);
    CHECK(finding.health == Health::fail);
    CHECK(finding.mend == "prepare-host hugepages 256");
  }
  SECTION("no IOMMU") {
    fit.remove("sys/kernel/iommu_groups");
    CHECK(fit.complaints() == "iommu=FAIL");
    CHECK(check_iommu(Machine(files.root()), false).health == Health::ok);
    files.write("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y");
    CHECK(fit.complaints() == "iommu=WARN");
  }
  SECTION("no vfio-pci") {
    fit.remove("sys/bus/pci/drivers/vfio-pci");
    CHECK(fit.complaints() == "vfio=FAIL");
  }
  SECTION("a card that the kernel has") {
    fit.remove("sys/bus/pci/devices/0000:03:00.0/driver");
    files.link("sys/bus/pci/devices/0000:03:00.0/driver", "../../drivers/ixgbe");
    CHECK(fit.complaints() == "port wan=FAIL");
  }
  SECTION("no card, no device") {
    fit.remove("sys/bus/pci/devices/0000:03:00.0");
    fit.remove("sys/class/net/enp4s0");
    CHECK(fit.complaints() == "port wan=FAIL port lan=FAIL");
  }
  SECTION("no vhost-net") {
    fit.remove("dev/vhost-net");
    CHECK(fit.complaints().empty());
    config::Model model;
    model.interfaces.resize(1);
    model.interfaces[0].port = {config::PortKind::vdev, "net_virtio_user0,path=/dev/vhost-net"};
    CHECK(check_vhost_net(Machine(files.root()), model).health == Health::fail);
  }
  SECTION("cores that are not isolated, and one that is not there") {
    files.write("sys/devices/system/cpu/isolated", "3");
    CHECK(fit.complaints() == "cores=WARN");
    files.write("sys/devices/system/cpu/online", "0-2");
    CHECK(fit.complaints() == "cores=FAIL");
  }
  SECTION("a core that saves power") {
    files.write("sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "powersave");
    files.write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave");  // not ours
    CHECK(fit.complaints() == "governor=WARN");
  }
  SECTION("a clock of its own") {
    files.write("clock-synchronised", "0");
    CHECK(fit.complaints() == "clock=WARN");
  }
  SECTION("a kernel that forwards") {
    files.write("proc/sys/net/ipv4/ip_forward", "1");
    CHECK(fit.complaints() == "ip_forward=FAIL");
  }
  SECTION("a configuration that everybody reads, or writes") {
    fit.mode(0644);
    CHECK(fit.complaints() == "permissions=WARN");
    fit.mode(0664);
    CHECK(fit.complaints() == "permissions=FAIL");
  }
  SECTION("a configuration with a mistake") {
    files.write("etc/postern/gateway.yaml", "version: 2");
    CHECK(fit.complaints().find("configuration=FAIL") == 0);
  }
}

TEST_CASE("cli/health: a cache that cannot be is told before anybody misses it", "[F63][F55]") {
  Fit fit;
  config::HttpCache cache;
  cache.size = 16 << 20;
  const Machine machine(fit.files.root());
  const auto examined = [&] { return check_cache(machine, cache, "/var/lib/postern"); };
  CHECK(examined().health == Health::ok);
  cache.size = uint64_t{1} << 60;
  CHECK(examined().health == Health::warn);
  CHECK(examined().text.find("/var/lib/postern has ") != std::string::npos);
  CHECK(examined().mend == "df -h /var/lib/postern");
  cache.file = "/nowhere/at/all";
  CHECK(examined().mend == "df -h /");
  fit.files.write("disk/cache", "of another size");
  cache.file = "/disk/cache";
  CHECK(examined().health == Health::warn);
  CHECK(examined().mend == "postern cache recreate");
  cache.size = *machine.octets("/disk/cache");
  CHECK(examined().health == Health::ok);
}

TEST_CASE("cli/health: mail has its folder, its certificate and its passwords to itself", "[F63]") {
  Fit fit;
  const Machine machine(fit.files.root());
  config::Mail mail;
  mail.queue.size = 0;
  const auto all = [&] { return check_mail(machine, mail, "/var/lib/postern"); };
  const auto examined = [&] { return all().at(0); };
  const auto mode = [&](const std::string& path, unsigned bits) {
    std::filesystem::permissions(fit.files.root() + path,
                                 static_cast<std::filesystem::perms>(bits));
  };
  CHECK(examined().health == Health::ok);
  fit.files.write("var/lib/postern/mail/queue", "");
  mode("/var/lib/postern/mail", 0755);
  CHECK(examined().health == Health::warn);
  CHECK(examined().mend == "chmod 0700 /var/lib/postern/mail");
  mode("/var/lib/postern/mail", 0700);
  CHECK(examined().health == Health::ok);
  mail.queue.size = uint64_t{1} << 60;
  CHECK(examined().mend == "df -h /var/lib/postern/mail");
  mail.queue.size = 0;

  mail.tls = {"/etc/postern/mail.pem", "/etc/postern/mail.key", false};
  CHECK(examined().health == Health::fail);
  CHECK(examined().mend == "ls -l /etc/postern/mail.pem");
  fit.files.write("etc/postern/mail.pem", "");
  CHECK(examined().mend == "ls -l /etc/postern/mail.key");
  fit.files.write("etc/postern/mail.key", "");
  mode("/etc/postern/mail.key", 0644);
  CHECK(examined().health == Health::warn);
  CHECK(examined().mend == "chmod 0600 /etc/postern/mail.key");
  mode("/etc/postern/mail.key", 0600);
  CHECK(examined().health == Health::ok);

  mail.relay.emplace().hosts.emplace_back().login = {"acme", "/etc/postern/relay.password", {}};
  CHECK(examined().health == Health::fail);
  CHECK(examined().mend == "ls -l /etc/postern/relay.password");
  mail.relay.reset();
  config::MailFetch& fetch = mail.fetch.emplace_back();
  fetch.name = "isp";
  fetch.login = {"acme", "/etc/postern/pop3.password", {}};
  CHECK(examined().text.find("fetching isp") != std::string::npos);
  fetch.enabled = false;
  CHECK(examined().health == Health::ok);
}

TEST_CASE("cli/health: mail has the programs and sockets that it asks, all of them told", "[F63]") {
  Fit fit;
  const Machine machine(fit.files.root());
  config::Mail mail;
  mail.queue.size = 0;
  mail.relay.emplace().hosts.emplace_back().login = {"acme", "", {"/etc/postern/token", "acme"}};
  config::MailScan& scan = mail.scan.emplace();
  scan.milters = {"unix:/run/clamav/milter.ctl", "inet:127.0.0.1:7357"};
  scan.command = {"/etc/postern/scan"};
  const auto all = [&] { return check_mail(machine, mail, "/var/lib/postern"); };
  REQUIRE(all().size() == 3);
  CHECK(all()[0].mend == "ls -l /etc/postern/token");
  CHECK(all()[1].mend == "ls -l /run/clamav/milter.ctl");
  CHECK(all()[1].text.ends_with("mail waits"));
  CHECK(all()[2].mend == "ls -l /etc/postern/scan");
  fit.files.write("etc/postern/token", "");
  fit.files.write("run/clamav/milter.ctl", "");
  REQUIRE(all().size() == 1);
  fit.files.write("etc/postern/scan", "");
  REQUIRE(all().size() == 1);
  CHECK(all()[0].health == Health::ok);
}

TEST_CASE("cli/machine: lists of cores, good ones and others", "[F63]") {
  CHECK(cores_of("0-2,5") == std::vector<unsigned>{0, 1, 2, 5});
  CHECK(cores_of("").empty());
  CHECK(cores_of("x,3-1,-,7").size() == 1);
  CHECK(cores_of("0-4294967295").size() <= 4096);
}

}  // namespace postern::cli
