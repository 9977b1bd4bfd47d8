// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/kernel_port.h"

#include <linux/capability.h>
#include <linux/if_link.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "dataplane/runtime/ingress_guard.h"

namespace postern {
namespace {

constexpr std::string_view kPrefix = "kernel-";
constexpr std::string_view kSuffix = ".taken";
// A route may need another one first (its gateway's network); each pass brings one more level.
constexpr unsigned kRoutePasses = 4;

std::string path_for(const std::string& run_dir, const std::string& interface) {
  return run_dir + "/" + std::string(kPrefix) + interface + std::string(kSuffix);
}

std::optional<KernelRecord> read_record(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::stringstream text;
  text << file.rdbuf();
  return parse_kernel_record(text.str());
}

// Whole or not at all: a crash while writing leaves the record that was there.
bool write_record(const std::string& path, const KernelRecord& record) {
  const std::string fresh = path + ".new";
  {
    std::ofstream file(fresh, std::ios::trunc);
    file << to_text(record);
    if (!file.flush()) return false;
  }
  std::error_code error;
  std::filesystem::rename(fresh, path, error);
  return !error;
}

KernelRecord look_at(const NetDevice& device) {
  Netlink netlink;
  KernelRecord record;
  record.interface = device.name();
  record.was_up = device.is_up();
  record.was_promiscuous = device.is_promiscuous();
  record.mtu = device.mtu();
  record.merging = device.merging();
  record.ipv6_mode = netlink.ipv6_mode_of(device.index());
  record.addresses = netlink.addresses_of(device.index());
  record.routes = netlink.routes_of(device.index());
  return record;
}

// A record that a crash left says how the interface was; what somebody has added since is added.
KernelRecord merge(KernelRecord left, KernelRecord now) {
  std::move(now.addresses.begin(), now.addresses.end(), std::back_inserter(left.addresses));
  std::move(now.routes.begin(), now.routes.end(), std::back_inserter(left.routes));
  return left;
}

void restore(const NetDevice& device, const KernelRecord& record) {
  Netlink netlink;
  const int index = device.index();
  netlink.detach_xdp(index);
  device.set_merging(record.merging);
  if (record.mtu != 0 && record.mtu != device.mtu()) device.set_mtu(record.mtu);
  if (record.ipv6_mode) netlink.set_ipv6_mode(index, *record.ipv6_mode);
  device.set_promiscuous(record.was_promiscuous);
  device.set_up(record.was_up);
  for (const NetlinkMessage& address : record.addresses)
    netlink.add(address, index);
  std::vector<NetlinkMessage> open = record.routes;
  for (unsigned pass = 0; pass < kRoutePasses && !open.empty(); ++pass) {
    std::erase_if(open, [&](const NetlinkMessage& route) {
      const int error = netlink.add(route, index);
      return error == 0 || error == EEXIST;
    });
  }
  detach_ingress_guard(index, record.made_hook);
}

Error missing_privilege(const std::string& interface) {
  return Error{ErrorCode::denied, "kernel:" + interface +
                                      ": needs the capabilities NET_ADMIN, NET_RAW and BPF; run as "
                                      "root or by the systemd unit"};
}

}  // namespace

KernelPort::KernelPort(NetDevice device, std::string path, KernelRecord record)
    : device_(std::move(device)), path_(std::move(path)), record_(std::move(record)) {}

KernelPort::~KernelPort() {
  give_back();
}

Result<std::unique_ptr<KernelPort>> KernelPort::take(const std::string& interface,
                                                     const std::string& run_dir) {
  NetDevice device(interface);
  const std::string spec = "kernel:" + interface;
  if (!device.exists()) {
    return Error{ErrorCode::not_found,
                 spec + ": the kernel has no such interface; `postern show ports` lists them"};
  }
  if (device.is_loopback()) {
    return Error{ErrorCode::invalid, spec + ": the loopback interface carries no frames"};
  }
  if (!has_capability(CAP_NET_ADMIN) || !has_capability(CAP_NET_RAW)) {
    return missing_privilege(interface);
  }
  const std::string path = path_for(run_dir, interface);
  KernelRecord record = look_at(device);
  if (auto left = read_record(path)) record = merge(std::move(*left), std::move(record));
  if (!write_record(path, record)) {
    return Error{ErrorCode::failed, spec + ": cannot write " + path};
  }
  // From here on give_back() undoes what was done.
  std::unique_ptr<KernelPort> port(new KernelPort(device, path, std::move(record)));
  if (auto guarded = port->keep_kernel_off(); !guarded) {
    return std::move(guarded).error().within(spec);
  }
  return port;
}

Result<void> KernelPort::keep_kernel_off() {
  const int index = device_.index();
  bool made_hook = false;
  if (auto guarded = attach_ingress_guard(index, made_hook); !guarded) return guarded;
  if (made_hook && !record_.made_hook) {
    record_.made_hook = true;
    write_record(path_, record_);
  }
  Netlink netlink;
  netlink.detach_xdp(index);
  if (record_.ipv6_mode) netlink.set_ipv6_mode(index, IN6_ADDR_GEN_MODE_NONE);
  for (NetlinkMessage& address : netlink.addresses_of(index)) {
    netlink.remove_address(std::move(address));
  }
  device_.set_merging(0);
  return {};
}

Result<void> KernelPort::bring_up(uint16_t mtu) {
  if (mtu > device_.mtu() && !device_.set_mtu(mtu)) {
    return Error{
        ErrorCode::invalid,
        "kernel:" + device_.name() + ": the interface refuses an mtu of " + std::to_string(mtu)};
  }
  if (device_.set_up(true)) return {};
  return Error{ErrorCode::failed, "kernel:" + device_.name() + ": the interface does not go up"};
}

void KernelPort::give_back() {
  if (!is_taken_) return;
  is_taken_ = false;
  restore(device_, record_);
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

void give_back_leftovers(const std::string& run_dir, const std::vector<std::string>& still_used) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(run_dir, ignored)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    const auto record = read_record(entry.path());
    if (record && std::ranges::count(still_used, record->interface) != 0) continue;
    if (record) {
      const NetDevice device(record->interface);
      if (device.exists()) restore(device, *record);
    }
    std::filesystem::remove(entry.path(), ignored);
  }
}

}  // namespace postern
