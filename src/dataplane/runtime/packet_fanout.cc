// SPDX-License-Identifier: BSD-3-Clause
// Keeps PMD AF_PACKET from having datagrams put together by the kernel.
//
// The driver makes every socket, even a lone one, a member of a fanout group with the flag DEFRAG,
// and DPDK 22.11 has no argument against it: pieces of a datagram would reach us as one frame
// larger than any buffer, cut off at its end. Without the group a lone socket gets the frames as
// they are. The linker sends the program's calls of setsockopt() here (--wrap, meson.build); all
// others pass through.
#include <linux/if_packet.h>
#include <sys/socket.h>

extern "C" {

// The names are the linker's:
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
int __real_setsockopt(int fd, int level, int option, const void* value, socklen_t length);

int __wrap_setsockopt(int fd, int level, int option, const void* value, socklen_t length) {
  if (level == SOL_PACKET && option == PACKET_FANOUT) return 0;
  return __real_setsockopt(fd, level, option, value, length);
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

}  // extern "C"
