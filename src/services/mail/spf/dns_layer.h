// SPDX-License-Identifier: BSD-3-Clause
// DnsLayer: where libspf2 asks the DNS: the system's resolver, with waits of our own. Answers are
// taken apart by the C library. /etc/resolv.conf is read when this is made; nothing is opened later
// but sockets.
//
// Bounds: kPatience for all lookups together, after which nothing more is asked; kRecordsMax of one
// answer. Thread: one; the lookups wait.
#pragma once

#include <memory>
#include <optional>

#include "base/address.h"
#include "base/time.h"

struct SPF_dns_server_struct;

namespace postern::mail {

class DnsLayer {
 public:
  static constexpr Duration kPatience = seconds(15);
  static constexpr int kAttemptWaitS = 2, kAttempts = 2;  // of each server
  static constexpr int kRecordsMax = 100;

  struct Place {
    Ipv4Address address;
    uint16_t port = 0;
  };
  // `server`: it alone is asked; nothing: those of the system.
  explicit DnsLayer(const std::optional<Place>& server);
  ~DnsLayer();
  DnsLayer(const DnsLayer&) = delete;
  DnsLayer& operator=(const DnsLayer&) = delete;

  // nullptr: there is no resolver. Lives as long as this.
  SPF_dns_server_struct* get();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace postern::mail
