// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/http_machine.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include <cstring>
#include <limits>

namespace postern {

std::vector<Ipv4Address> kernel_addresses() {
  std::vector<Ipv4Address> addresses;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return addresses;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != AF_INET) continue;
    sockaddr_in address;
    std::memcpy(&address, at->ifa_addr, sizeof address);
    addresses.emplace_back(ntohl(address.sin_addr.s_addr));
  }
  freeifaddrs(list);
  return addresses;
}

size_t connections_possible() {
  constexpr size_t kPart = 4;
  rlimit files = {};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY)
    return std::numeric_limits<size_t>::max();
  return files.rlim_cur / kPart;
}

}  // namespace postern
