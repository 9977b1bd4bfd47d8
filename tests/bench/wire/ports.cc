// SPDX-License-Identifier: BSD-3-Clause
#include "bench/wire/ports.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace postern::bench {
namespace {

constexpr uint16_t kDescriptors = 1024;
// Few buffers stay in the cache.
constexpr unsigned kSendingBuffers = 4095, kReceivingBuffers = 8191, kCached = 256;
constexpr unsigned kMemoryMib = 64;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "generator: %s: %s\n", what.c_str(), rte_strerror(rte_errno));
  std::exit(1);
}

std::string memif(unsigned number, const std::string& socket) {
  return "--vdev=net_memif" + std::to_string(number) +
         ",role=server,id=0,rsize=10,socket-abstract=no,socket=" + socket;
}

void start_eal(const std::string& directory, unsigned core) {
  std::vector<std::string> words = {"generator",
                                    "--lcores=0@" + std::to_string(core),
                                    "--no-pci",
                                    "--in-memory",
                                    "--no-telemetry",
                                    "--single-file-segments",
                                    "--log-level=warning",
                                    "--log-level=pmd.net.memif:error",
                                    "-m",
                                    std::to_string(kMemoryMib),
                                    memif(0, directory + "/lan.sock"),
                                    memif(1, directory + "/wan.sock")};
  std::vector<char*> pointers;
  for (std::string& word : words)
    pointers.push_back(word.data());
  if (rte_eal_init(static_cast<int>(pointers.size()), pointers.data()) < 0) fail("DPDK");
  if (rte_eth_dev_count_avail() != 2) fail("two ports are needed");
}

void start_port(uint16_t port, rte_mempool* receiving) {
  rte_eth_conf conf = {};
  int error = rte_eth_dev_configure(port, 1, 1, &conf);
  if (error == 0) error = rte_eth_rx_queue_setup(port, 0, kDescriptors, 0, nullptr, receiving);
  if (error == 0) error = rte_eth_tx_queue_setup(port, 0, kDescriptors, 0, nullptr);
  if (error == 0) error = rte_eth_dev_start(port);
  if (error == 0) return;
  rte_errno = -error;
  fail("port " + std::to_string(port));
}

}  // namespace

Ports::Ports(const std::string& directory, unsigned core) {
  start_eal(directory, core);
  sending_ = rte_pktmbuf_pool_create("sending", kSendingBuffers, kCached, 0,
                                     RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  receiving_ = rte_pktmbuf_pool_create("receiving", kReceivingBuffers, kCached, 0,
                                       RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  if (sending_ == nullptr || receiving_ == nullptr) fail("packet buffers");
  start_port(kInside, receiving_);
  start_port(kOutside, receiving_);
}

bool Ports::wait_for_links(double seconds) const {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end) {
    rte_eth_link inside = {}, outside = {};
    rte_eth_link_get_nowait(kInside, &inside);
    rte_eth_link_get_nowait(kOutside, &outside);
    if (inside.link_status != 0 && outside.link_status != 0) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

void Ports::prepare(const FrameWriter& writer) {
  rte_mempool_obj_iter(
      sending_,
      [](rte_mempool*, void* context, void* object, unsigned) {
        const auto& frames = *static_cast<const FrameWriter*>(context);
        auto* buffer = static_cast<rte_mbuf*>(object);
        rte_pktmbuf_reset(buffer);
        buffer->data_len = frames.length();
        buffer->pkt_len = frames.length();
        frames.write_payload(frame_of(buffer));
        frames.write_headers(frame_of(buffer), Tuple{});
      },
      const_cast<FrameWriter*>(&writer));
}

unsigned Ports::take(rte_mbuf** buffers, unsigned count) {
  if (rte_mempool_get_bulk(sending_, reinterpret_cast<void**>(buffers), count) != 0) return 0;
  return count;
}

}  // namespace postern::bench
