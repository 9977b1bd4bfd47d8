// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/eth_port.h"

#include <net/if.h>
#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "dataplane/runtime/buffers.h"
#include "dataplane/runtime/eal.h"

namespace postern {
namespace {

bool is_peer_negotiated(const std::string& driver) {
  // A memif peer with fewer queues would leave some of ours without an other end.
  return driver == "net_memif";
}

// Drivers on the kernel's sockets share an interface with the kernel.
bool is_on_socket(const std::string& driver) {
  return driver == "net_af_packet" || driver == "net_af_xdp";
}

// They take their links to be up always.
bool kernel_device_runs(const std::string& driver, unsigned index) {
  if (!is_on_socket(driver)) return true;
  ifreq request = {};
  if (if_indextoname(index, request.ifr_name) == nullptr) return true;
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return true;
  const bool is_told = ioctl(fd, SIOCGIFFLAGS, &request) == 0;
  close(fd);
  return !is_told || (request.ifr_flags & IFF_RUNNING) != 0;
}

}  // namespace

EthPort::EthPort(uint16_t id, const Settings& settings) : id_(id), settings_(settings) {}

EthPort::~EthPort() {
  stop();
  rte_device* device = info_.device;
  rte_eth_dev_close(id_);
  // Ports made by the caller before (net_ring of tests) have a device of their own as well.
  if (device != nullptr) rte_dev_remove(device);
  if (egress_ring_ != nullptr) {
    void* frame = nullptr;
    while (rte_ring_dequeue(egress_ring_, &frame) == 0) {
      rte_pktmbuf_free(static_cast<rte_mbuf*>(frame));
    }
    rte_ring_free(egress_ring_);
  }
}

Error EthPort::failed(const std::string& what, int error) const {
  return Error{ErrorCode::failed, settings_.label + ": " + what + ": " + eal_reason(error)};
}

Result<void> EthPort::plan() {
  if (const int error = rte_eth_dev_info_get(id_, &info_); error != 0) {
    return failed("the device does not tell its properties", -error);
  }
  driver_ = info_.driver_name;
  const unsigned wanted = is_peer_negotiated(driver_) ? 1 : settings_.queues_max;
  rx_queues_ = std::clamp<unsigned>(wanted, 1, std::max<unsigned>(info_.max_rx_queues, 1));
  tx_queues_ = is_peer_negotiated(driver_) || settings_.is_host ? 1 : settings_.workers;
  // Drivers on the kernel's sockets pair the queues up.
  tx_queues_ = std::max(tx_queues_, rx_queues_);
  tx_queues_ = std::clamp<unsigned>(tx_queues_, 1, std::max<unsigned>(info_.max_tx_queues, 1));
  if (driver_ == "net_tap") rx_queues_ = tx_queues_ = std::min(rx_queues_, tx_queues_);
  spreader_.plan(info_, {rx_queues_, settings_.workers, settings_.is_outside});
  rx_descriptors_ = tx_descriptors_ = settings_.descriptors;
  const int error = rte_eth_dev_adjust_nb_rx_tx_desc(id_, &rx_descriptors_, &tx_descriptors_);
  return error == 0 ? Result<void>() : failed("no fitting ring size", -error);
}

unsigned EthPort::buffers_needed() const {
  const unsigned waiting = settings_.workers > tx_queues_ ? kEgressRing : 0;
  return rx_queues_ * rx_descriptors_ + tx_queues_ * tx_descriptors_ + waiting;
}

Result<void> EthPort::configure(const Buffers& buffers) {
  forget_eal_message();
  rte_eth_conf conf = {};
  const uint16_t mtu = device_mtu();
  if (settings_.sets_mtu && info_.max_mtu != 0 && mtu > info_.max_mtu) {
    return Error{ErrorCode::invalid, settings_.label + ": mtu " + std::to_string(mtu) +
                                         " exceeds what " + driver_ + " carries here (" +
                                         std::to_string(info_.max_mtu) + ")"};
  }
  conf.rxmode.mtu = settings_.sets_mtu ? mtu : uint32_t{RTE_ETHER_MTU};
  int error = 0;
  do {
    spreader_.enable(conf);
    error = rte_eth_dev_configure(id_, static_cast<uint16_t>(rx_queues_),
                                  static_cast<uint16_t>(tx_queues_), &conf);
  } while (error != 0 && spreader_.give_up("the device refuses to hash one field alone"));
  if (error != 0) return failed("the device refuses its configuration", -error);
  if (auto done = set_up_queues(buffers); !done) return done;
  if (auto done = set_mtu(); !done) return done;
  return set_mac();
}

Result<void> EthPort::set_up_queues(const Buffers& buffers) {
  rte_mempool* pool = buffers.pool_for(settings_.mtu);
  const int node = rte_eth_dev_socket_id(id_);
  const auto socket = static_cast<unsigned>(node);
  for (uint16_t queue = 0; queue < rx_queues_; ++queue) {
    const int error = rte_eth_rx_queue_setup(id_, queue, rx_descriptors_, socket, nullptr, pool);
    if (error != 0) return failed("receive queue " + std::to_string(queue), -error);
  }
  for (uint16_t queue = 0; queue < tx_queues_; ++queue) {
    const int error = rte_eth_tx_queue_setup(id_, queue, tx_descriptors_, socket, nullptr);
    if (error != 0) return failed("transmit queue " + std::to_string(queue), -error);
  }
  if (tx_queues_ >= settings_.workers) return {};
  const std::string name = "postern_egress_" + std::to_string(id_);
  egress_ring_ = rte_ring_create(name.c_str(), kEgressRing, SOCKET_ID_ANY, RING_F_SC_DEQ);
  return egress_ring_ != nullptr ? Result<void>() : failed("ring to its worker", rte_errno);
}

uint16_t EthPort::device_mtu() const {
  return std::max<uint16_t>(settings_.mtu, RTE_ETHER_MTU);
}

Result<void> EthPort::set_mtu() {
  if (!settings_.sets_mtu) return {};
  const int error = rte_eth_dev_set_mtu(id_, device_mtu());
  // Devices without an MTU of their own (rings, memif) carry what their buffers hold.
  if (error == 0 || error == -ENOTSUP) return {};
  return failed("mtu " + std::to_string(device_mtu()), -error);
}

Result<void> EthPort::set_mac() {
  rte_ether_addr address = {};
  if (const int error = rte_eth_macaddr_get(id_, &address); error != 0) {
    return failed("its MAC address", -error);
  }
  std::copy_n(address.addr_bytes, mac_.bytes.size(), mac_.bytes.begin());
  if (!settings_.mac || *settings_.mac == mac_) return {};
  mac_ = *settings_.mac;
  std::copy_n(mac_.bytes.begin(), mac_.bytes.size(), address.addr_bytes);
  // The kernel's interface keeps its own address: it must have it again when Postern is gone.
  if (!is_on_socket(driver_) && rte_eth_dev_default_mac_addr_set(id_, &address) == 0) return {};
  const int error = rte_eth_promiscuous_enable(id_);
  if (error == 0 || error == -ENOTSUP) return {};
  return failed("mac " + to_text(mac_), -error);
}

Result<void> EthPort::start(const Shards& shards) {
  forget_eal_message();
  if (is_started()) return {};
  if (const int error = rte_eth_dev_start(id_); error != 0) {
    return failed("the device does not start", -error);
  }
  spreader_.finish(id_, shards);
  started_.store(true, std::memory_order_release);
  return {};
}

void EthPort::stop() {
  if (!started_.exchange(false)) return;
  rte_eth_dev_stop(id_);
}

unsigned EthPort::kernel_index() const {
  return is_on_socket(driver_) || driver_ == "net_tap" ? info_.if_index : 0;
}

uint32_t EthPort::link_mbps(bool& is_up) const {
  rte_eth_link link = {};
  is_up = is_started() && rte_eth_link_get_nowait(id_, &link) == 0 && link.link_status != 0 &&
          kernel_device_runs(driver_, info_.if_index);
  return is_up && link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN ? link.link_speed : 0;
}

DriverStatistics EthPort::statistics() const {
  rte_eth_stats stats = {};
  if (rte_eth_stats_get(id_, &stats) != 0) return {};
  return DriverStatistics{stats.ipackets, stats.ibytes,    stats.opackets, stats.obytes,
                          stats.imissed,  stats.rx_nombuf, stats.ierrors,  stats.oerrors};
}

WorkerId EthPort::receiver_of(unsigned queue) const {
  if (rx_queues_ == 1) return settings_.owner;
  return static_cast<WorkerId>(queue % settings_.workers);
}

}  // namespace postern
