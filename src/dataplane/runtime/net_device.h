// SPDX-License-Identifier: BSD-3-Clause
// NetDevice: small facts and switches of one kernel interface by ioctl. Thread: control.
#pragma once

#include <cstdint>
#include <string>

namespace postern {

class NetDevice {
 public:
  explicit NetDevice(std::string name);

  bool exists() const { return index_ != 0; }
  int index() const { return index_; }
  const std::string& name() const { return name_; }

  bool is_up() const;
  bool is_loopback() const;
  bool set_up(bool up) const;
  bool is_promiscuous() const;
  bool set_promiscuous(bool promiscuous) const;
  uint16_t mtu() const;  // 0: unknown
  bool set_mtu(uint16_t mtu) const;
  // Receive channels that frames may come in by; at least 1.
  unsigned channels() const;

  // Switches that make the kernel put frames together or take their VLAN tags off before a packet
  // socket sees them. Bits as below; absent features read as off.
  enum Merging : uint32_t { gro = 1, lro = 2, vlan_strip = 4 };
  uint32_t merging() const;
  void set_merging(uint32_t switches) const;

 private:
  uint32_t flags() const;
  bool set_flag(uint32_t flag, bool value) const;

  std::string name_;
  int index_ = 0;
};

// Whether this process has the capability (number of linux/capability.h) in effect.
bool has_capability(unsigned capability);

}  // namespace postern
