// SPDX-License-Identifier: BSD-3-Clause
// FakeSysfs: a folder that looks like the parts of /sys that the runtime reads. Gone with the
// object.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "support/temporary_directory.h"

namespace postern::test {

class FakeSysfs {
 public:
  const std::string& root() const { return root_.path(); }

  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root() + "/" + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text << '\n';
  }
  void link(const std::string& path, const std::string& target) {
    const std::filesystem::path file = root() + "/" + path;
    std::filesystem::create_directories(file.parent_path());
    std::filesystem::create_symlink(target, file);
  }
  // A network card; `driver` and `interface` may be empty.
  void make_nic(const std::string& address, const std::string& driver,
                const std::string& interface) {
    const std::string device = "bus/pci/devices/" + address;
    write(device + "/class", "0x020000");
    write(device + "/vendor", "0x8086");
    write(device + "/device", "0x1572");
    write(device + "/numa_node", "1");
    if (!driver.empty()) link(device + "/driver", "../../../bus/pci/drivers/" + driver);
    if (interface.empty()) return;
    make_interface(device + "/net/" + interface, "02:00:00:00:00:09");
    link("class/net/" + interface, root() + "/" + device + "/net/" + interface);
  }
  void make_interface(const std::string& path, const std::string& mac) {
    write(path + "/address", mac);
    write(path + "/operstate", "up");
    write(path + "/type", "1");
    write(path + "/queues/rx-0/rps_cpus", "0");
    write(path + "/queues/rx-1/rps_cpus", "0");
  }

 private:
  TemporaryDirectory root_;
};

}  // namespace postern::test
