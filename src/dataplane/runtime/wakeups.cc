// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/wakeups.h"

#include <dirent.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/assert.h"
#include "dataplane/runtime/eth_port.h"

namespace postern {
namespace {

constexpr int kEventsMax = 8;  // of one wait; more of them wake the worker once more

// The sockets of PMD AF_PACKET have a ring of this version; a plain socket has none.
bool is_ring_of(int fd, unsigned index) {
  sockaddr_ll bound = {};
  socklen_t length = sizeof bound;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length) != 0) return false;
  if (bound.sll_family != AF_PACKET || bound.sll_ifindex != static_cast<int>(index)) return false;
  int version = 0;
  length = sizeof version;
  return getsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, &length) == 0 &&
         version == TPACKET_V2;
}

// A queue that is detached, as the driver's spare one is, tells no name.
bool is_tap_of(int fd, const char* name) {
  ifreq request = {};
  return ioctl(fd, TUNGETIFF, &request) == 0 && std::strcmp(request.ifr_name, name) == 0;
}

// Of any interface: these sockets do not tell theirs.
bool is_xdp(int fd) {
  int domain = 0;
  socklen_t length = sizeof domain;
  return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_XDP;
}

bool is_tap(int fd) {
  char target[64] = {};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  return readlink(link.c_str(), target, sizeof target - 1) > 0 &&
         std::strcmp(target, "/dev/net/tun") == 0;
}

}  // namespace

std::vector<int> descriptors_of(unsigned index) {
  std::vector<int> found;
  char name[IF_NAMESIZE] = {};
  if (if_indextoname(index, name) == nullptr) return found;
  DIR* directory = opendir("/proc/self/fd");
  if (directory == nullptr) return found;
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] == '.') continue;
    const int fd = std::atoi(entry->d_name);
    const bool is_meant = is_tap(fd) ? is_tap_of(fd, name) : is_ring_of(fd, index) || is_xdp(fd);
    if (is_meant) found.push_back(fd);
  }
  closedir(directory);
  return found;
}

Wakeups::Wakeups(Doorbell& bell) : bell_(bell), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  POSTERN_ASSERT(epoll_ >= 0);
  epoll_event event = {EPOLLIN, {}};
  event.data.fd = bell_.fd();
  POSTERN_ASSERT(epoll_ctl(epoll_, EPOLL_CTL_ADD, bell_.fd(), &event) == 0);
}

Wakeups::~Wakeups() {
  close(epoll_);
}

bool Wakeups::watch(const EthPort& port) {
  if (port.kernel_index() == 0) return false;
  // With several queues, or AF_XDP, nobody can say which descriptor is whose: each worker that has
  // one of them hears of all. Woken for nothing it naps once (worker.cc).
  const std::vector<int> descriptors = descriptors_of(port.kernel_index());
  for (const int fd : descriptors) {
    epoll_event event = {EPOLLIN, {}};
    event.data.fd = fd;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0 && errno != EEXIST) return false;
  }
  return !descriptors.empty();
}

bool Wakeups::wait(Duration at_most) {
  epoll_event events[kEventsMax];
  const int milliseconds_at_most = static_cast<int>(at_most.ns / milliseconds(1).ns);
  const int count = epoll_wait(epoll_, events, kEventsMax, milliseconds_at_most);
  for (int i = 0; i < count; ++i) {
    int error = 0;
    socklen_t length = sizeof error;
    // That an interface went down is told until somebody asks.
    if ((events[i].events & EPOLLERR) != 0) {
      getsockopt(events[i].data.fd, SOL_SOCKET, SO_ERROR, &error, &length);
    }
  }
  return count > 0;
}

}  // namespace postern
