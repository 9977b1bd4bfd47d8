// SPDX-License-Identifier: BSD-3-Clause
#include "bench/kernel/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace postern::bench {
namespace {

constexpr unsigned kSlots = 1024, kSlotBytes = 2048, kSlotsInBlock = 64;
constexpr size_t kFrameAt = TPACKET2_HDRLEN - sizeof(sockaddr_ll);
constexpr int kReceiveBuffer = 64 << 20;

void must(bool done, const char* what) {
  if (done) return;
  std::fprintf(stderr, "sender: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

void set(int socket, int level, int option, int value, const char* what) {
  must(setsockopt(socket, level, option, &value, sizeof value) == 0, what);
}

void bind_to(int socket, const std::string& interface, uint16_t protocol) {
  sockaddr_ll address = {};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(protocol);
  address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  must(address.sll_ifindex != 0, interface.c_str());
  must(bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
}

}  // namespace

void enter_namespace(const std::string& name) {
  const int file = open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC);
  must(file >= 0 && setns(file, CLONE_NEWNET) == 0, name.c_str());
  close(file);
}

struct SendingRing::Slot {
  tpacket2_hdr header;
};

SendingRing::SendingRing(const std::string& interface, const FrameWriter& writer)
    : socket_(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)), length_(writer.length()) {
  must(socket_ >= 0, "packet socket");
  set(socket_, SOL_PACKET, PACKET_VERSION, TPACKET_V2, "packet version");
  set(socket_, SOL_PACKET, PACKET_QDISC_BYPASS, 1, "queueing discipline");
  tpacket_req ring = {};
  ring.tp_block_size = kSlotBytes * kSlotsInBlock;
  ring.tp_block_nr = kSlots / kSlotsInBlock;
  ring.tp_frame_size = kSlotBytes;
  ring.tp_frame_nr = kSlots;
  must(setsockopt(socket_, SOL_PACKET, PACKET_TX_RING, &ring, sizeof ring) == 0, "sending ring");
  void* memory =
      mmap(nullptr, size_t{kSlots} * kSlotBytes, PROT_READ | PROT_WRITE, MAP_SHARED, socket_, 0);
  must(memory != MAP_FAILED, "memory of the ring");
  memory_ = static_cast<uint8_t*>(memory);
  bind_to(socket_, interface, ETH_P_IP);
  prepare(writer);
}

void SendingRing::prepare(const FrameWriter& writer) {
  for (unsigned i = 0; i < kSlots; ++i) {
    uint8_t* frame = memory_ + size_t{i} * kSlotBytes + kFrameAt;
    writer.write_payload(frame);
    writer.write_headers(frame, Tuple{});
  }
}

SendingRing::~SendingRing() {
  munmap(memory_, size_t{kSlots} * kSlotBytes);
  close(socket_);
}

SendingRing::Slot* SendingRing::slot() const {
  return reinterpret_cast<Slot*>(memory_ + size_t{at_} * kSlotBytes);
}

uint8_t* SendingRing::next() {
  const std::atomic_ref<uint32_t> status(slot()->header.tp_status);
  if (status.load(std::memory_order_acquire) != TP_STATUS_AVAILABLE) return nullptr;
  return memory_ + size_t{at_} * kSlotBytes + kFrameAt;
}

void SendingRing::commit() {
  slot()->header.tp_len = length_;
  const std::atomic_ref<uint32_t> status(slot()->header.tp_status);
  status.store(TP_STATUS_SEND_REQUEST, std::memory_order_release);
  at_ = (at_ + 1) % kSlots;
}

void SendingRing::push() {
  // Without waiting for what is on its way: the ring itself tells when it has room again.
  const bool done = sendto(socket_, nullptr, 0, MSG_DONTWAIT, nullptr, 0) >= 0;
  must(done || errno == EAGAIN || errno == ENOBUFS, "sending");
}

// All protocols: only such a tap sees what the namespace drops at its door.
Tap::Tap(const std::string& interface)
    : socket_(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  must(socket_ >= 0, "packet socket");
  set(socket_, SOL_SOCKET, SO_RCVBUFFORCE, kReceiveBuffer, "receive buffer");
  set(socket_, SOL_PACKET, PACKET_QDISC_BYPASS, 1, "queueing discipline");
  bind_to(socket_, interface, ETH_P_ALL);
}

Tap::~Tap() {
  close(socket_);
}

unsigned Tap::receive(uint8_t* frame, unsigned room) {
  for (;;) {
    sockaddr_ll from = {};
    socklen_t size = sizeof from;
    const ssize_t length =
        recvfrom(socket_, frame, room, 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (length < 0) return 0;
    if (from.sll_pkttype != PACKET_OUTGOING) return static_cast<unsigned>(length);
  }
}

void Tap::send(const uint8_t* frame, unsigned length) {
  static_cast<void>(!::send(socket_, frame, length, 0));
}

ReceiveCounter::ReceiveCounter(std::string interface)
    : interface_(std::move(interface)),
      // Stays with the namespace in which it was opened.
      file_(open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC)) {
  must(file_ >= 0, "/proc/net/dev");
}

ReceiveCounter::~ReceiveCounter() {
  close(file_);
}

uint64_t ReceiveCounter::read() const {
  char text[4096];
  const ssize_t length = pread(file_, text, sizeof text - 1, 0);
  must(length > 0, "/proc/net/dev");
  text[length] = 0;
  const char* line = std::strstr(text, (interface_ + ":").c_str());
  must(line != nullptr, interface_.c_str());
  char* end = nullptr;
  std::strtoull(line + interface_.size() + 1, &end, 10);  // bytes
  return std::strtoull(end, nullptr, 10);
}

}  // namespace postern::bench
