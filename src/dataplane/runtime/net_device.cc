// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/net_device.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>

namespace postern {
namespace {

// One ioctl on a socket of its own; `request` holds the interface's name already.
bool control(unsigned long command, ifreq& request) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool done = ioctl(fd, command, &request) == 0;
  close(fd);
  return done;
}

ifreq request_for(const std::string& name) {
  ifreq request = {};
  std::copy_n(name.data(), std::min(name.size(), sizeof request.ifr_name - 1), request.ifr_name);
  return request;
}

template <typename T>
bool ethtool(const std::string& name, T& value) {
  ifreq request = request_for(name);
  request.ifr_data = reinterpret_cast<char*>(&value);
  return control(SIOCETHTOOL, request);
}

uint32_t read_value(const std::string& name, uint32_t command) {
  ethtool_value value = {command, 0};
  return ethtool(name, value) ? value.data : 0;
}

}  // namespace

NetDevice::NetDevice(std::string name) : name_(std::move(name)) {
  if (name_.size() < IFNAMSIZ) index_ = static_cast<int>(if_nametoindex(name_.c_str()));
}

uint32_t NetDevice::flags() const {
  ifreq request = request_for(name_);
  return control(SIOCGIFFLAGS, request) ? static_cast<uint16_t>(request.ifr_flags) : 0;
}

bool NetDevice::is_up() const {
  return (flags() & IFF_UP) != 0;
}
bool NetDevice::is_loopback() const {
  return (flags() & IFF_LOOPBACK) != 0;
}

bool NetDevice::is_promiscuous() const {
  return (flags() & IFF_PROMISC) != 0;
}

bool NetDevice::set_flag(uint32_t flag, bool value) const {
  ifreq request = request_for(name_);
  request.ifr_flags = static_cast<short>(value ? flags() | flag : flags() & ~flag);
  return control(SIOCSIFFLAGS, request);
}

bool NetDevice::set_up(bool up) const {
  return set_flag(IFF_UP, up);
}
bool NetDevice::set_promiscuous(bool promiscuous) const {
  return set_flag(IFF_PROMISC, promiscuous);
}

uint16_t NetDevice::mtu() const {
  ifreq request = request_for(name_);
  return control(SIOCGIFMTU, request) ? static_cast<uint16_t>(request.ifr_mtu) : uint16_t{0};
}

bool NetDevice::set_mtu(uint16_t mtu) const {
  ifreq request = request_for(name_);
  request.ifr_mtu = mtu;
  return control(SIOCSIFMTU, request);
}

unsigned NetDevice::channels() const {
  ethtool_channels channels = {};
  channels.cmd = ETHTOOL_GCHANNELS;
  if (!ethtool(name_, channels)) return 1;
  return std::max(channels.combined_count + channels.rx_count, 1u);
}

uint32_t NetDevice::merging() const {
  const uint32_t flags = read_value(name_, ETHTOOL_GFLAGS);
  uint32_t switches = 0;
  if (read_value(name_, ETHTOOL_GGRO) != 0) switches |= gro;
  if ((flags & ETH_FLAG_LRO) != 0) switches |= lro;
  if ((flags & ETH_FLAG_RXVLAN) != 0) switches |= vlan_strip;
  return switches;
}

void NetDevice::set_merging(uint32_t switches) const {
  ethtool_value gro_switch = {ETHTOOL_SGRO, (switches & gro) != 0 ? 1u : 0u};
  ethtool(name_, gro_switch);
  constexpr uint32_t kOurs = ETH_FLAG_LRO | ETH_FLAG_RXVLAN;
  const uint32_t wanted = ((switches & lro) != 0 ? uint32_t{ETH_FLAG_LRO} : 0) |
                          ((switches & vlan_strip) != 0 ? uint32_t{ETH_FLAG_RXVLAN} : 0);
  ethtool_value flags = {ETHTOOL_SFLAGS, (read_value(name_, ETHTOOL_GFLAGS) & ~kOurs) | wanted};
  ethtool(name_, flags);
}

bool has_capability(unsigned capability) {
  std::ifstream status("/proc/self/status");
  constexpr std::string_view kKey = "CapEff:";
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with(kKey)) continue;
    const uint64_t effective = std::strtoull(line.c_str() + kKey.size(), nullptr, 16);
    return (effective >> capability & 1) != 0;
  }
  return false;
}

}  // namespace postern
