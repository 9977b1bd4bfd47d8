// SPDX-License-Identifier: BSD-3-Clause
// KernelPort: an interface of the kernel that Postern borrows. While it is taken the kernel has no
// address on it, makes none, and sees nothing that arrives; give_back() puts all of that back as it
// was.
//
//   take():      record -> guard -> addresses away -> merging of frames off
//   give_back(): merging, MTU -> addresses, routes -> guard away -> record away
//
// The record (run_dir/kernel-<interface>.taken) is written before anything changes, so that after a
// crash the next start knows what belongs to the kernel: an interface still configured keeps its
// record, any other gets its things back (give_back_leftovers). Addresses and routes are kept as
// the kernel's own netlink messages and played back unchanged. Thread: control.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/runtime/net_device.h"
#include "dataplane/runtime/netlink.h"

namespace postern {

// What an interface had before it was taken.
struct KernelRecord {
  std::string interface;
  bool was_up = false;
  bool was_promiscuous = false;
  bool made_hook = false;  // the ingress hook is ours as a whole
  uint16_t mtu = 0;        // 0: unknown
  uint32_t merging = 0;    // NetDevice::Merging
  std::optional<uint8_t> ipv6_mode;
  std::vector<NetlinkMessage> addresses, routes;
};

std::string to_text(const KernelRecord& record);
std::optional<KernelRecord> parse_kernel_record(const std::string& text);

class KernelPort {
 public:
  static Result<std::unique_ptr<KernelPort>> take(const std::string& interface,
                                                  const std::string& run_dir);
  ~KernelPort();  // give_back()
  KernelPort(const KernelPort&) = delete;
  KernelPort& operator=(const KernelPort&) = delete;

  const NetDevice& device() const { return device_; }
  // The interface goes up, with an MTU of at least `mtu`.
  Result<void> bring_up(uint16_t mtu);
  void give_back();

 private:
  KernelPort(NetDevice device, std::string path, KernelRecord record);
  Result<void> keep_kernel_off();

  NetDevice device_;
  std::string path_;
  KernelRecord record_;
  bool is_taken_ = true;
};

// Gives back what an earlier run took and did not return, for interfaces not in `still_used`.
void give_back_leftovers(const std::string& run_dir, const std::vector<std::string>& still_used);

}  // namespace postern
