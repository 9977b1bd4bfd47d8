// SPDX-License-Identifier: BSD-3-Clause
// The DHCP server on an ordinary kernel device, for ./dev bench dhcp: what it costs where a peer
// would stand. postern_bench_dhcp DEVICE ADDRESS/LENGTH FIRST-LAST LEASE-FILE; serves until
// SIGTERM.
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "services/dhcp/server.h"

namespace {

using postern::dhcp::LinkId;
using postern::dhcp::Now;

constexpr LinkId kLink = 0;
volatile std::sig_atomic_t is_over = 0;

Now now() {
  auto since = std::chrono::steady_clock::now().time_since_epoch();
  return {{std::chrono::nanoseconds(since).count()}, std::time(nullptr)};
}

postern::MacAddress mac_of(int socket_fd, const char* device) {
  ifreq request = {};
  std::strncpy(request.ifr_name, device, IFNAMSIZ - 1);
  postern::MacAddress mac;
  if (ioctl(socket_fd, SIOCGIFHWADDR, &request) == 0) {
    std::copy_n(request.ifr_hwaddr.sa_data, mac.bytes.size(), mac.bytes.begin());
  }
  return mac;
}

postern::dhcp::Settings settings_for(const postern::Prefix& own, postern::AddressRange range) {
  postern::dhcp::Scope scope;
  scope.name = "bench";
  scope.link = kLink;
  scope.subnet = {own.network(), own.length};
  scope.server = own.address;
  scope.ranges = {range};
  scope.probe = false;
  scope.relays = {scope.subnet};
  postern::dhcp::Settings settings;
  settings.scopes = {scope};
  settings.own_addresses = {own.address};
  settings.messages_per_second = 0;
  return settings;
}

int serve(char** argv) {
  auto own = postern::parse_prefix(argv[2]);
  auto range = postern::parse_address_range(argv[3]);
  int raw = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (!own || !range || raw < 0) return 2;
  sockaddr_ll at = {};
  at.sll_family = AF_PACKET;
  at.sll_ifindex = static_cast<int>(if_nametoindex(argv[1]));
  postern::dhcp::ServerHooks hooks;
  hooks.now = now;
  hooks.send_frame = [&](LinkId, std::span<const uint8_t> frame) {
    return sendto(raw, frame.data(), frame.size(), 0, reinterpret_cast<sockaddr*>(&at), sizeof at) >
           0;
  };
  hooks.remark = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
  auto server = postern::dhcp::Server::open(argv[4], std::move(hooks));
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().text.c_str());
    return 1;
  }
  postern::dhcp::ServerLink link{kLink, argv[1], argv[1], mac_of(raw, argv[1]), own->address};
  auto done = (*server)->configure(settings_for(*own, *range), {link});
  if (!done) {
    std::fprintf(stderr, "%s\n", done.error().text.c_str());
    return 1;
  }
  while (is_over == 0) {
    pollfd ready{(*server)->fd(), POLLIN, 0};
    if (poll(&ready, 1, 50) > 0) (*server)->work();
    (*server)->tick();
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  std::signal(SIGTERM, [](int) { is_over = 1; });
  return serve(argv);
}
