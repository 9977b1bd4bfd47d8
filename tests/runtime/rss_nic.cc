// SPDX-License-Identifier: BSD-3-Clause
#include "runtime/rss_nic.h"

#include <rte_ethdev.h>
#include <rte_flow.h>
#include <rte_thash.h>

#include <algorithm>

#include "base/assert.h"
#include "dataplane/packet/packet.h"

namespace postern::test {
namespace {

constexpr uint64_t kFields = RTE_ETH_RSS_L3_SRC_ONLY | RTE_ETH_RSS_L3_DST_ONLY |
                             RTE_ETH_RSS_L4_SRC_ONLY | RTE_ETH_RSS_L4_DST_ONLY;
constexpr uint64_t kKinds = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 |
                            RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP |
                            RTE_ETH_RSS_NONFRAG_IPV4_OTHER;

std::vector<RssNic*>& nics() {
  static std::vector<RssNic*> all;
  return all;
}

// The first kind of hash that fits a frame, with the fields of the last rule for it.
uint64_t fields_for(const RssNic& nic, uint64_t kind, uint64_t fallback) {
  for (auto rule = nic.rules.rbegin(); rule != nic.rules.rend(); ++rule) {
    if ((*rule & kind) != 0) return kind | (*rule & kFields);
  }
  if ((nic.kinds & kind) != 0) return kind | (nic.kinds & kFields);
  if (fallback == 0) return 0;
  return fields_for(nic, fallback, 0);
}

}  // namespace

RssNic::RssNic(std::string name) : device(std::move(name)) {
  nics().push_back(this);
}
RssNic::~RssNic() {
  std::erase(nics(), this);
}

RssNic* RssNic::find(uint16_t port) {
  char name[RTE_ETH_NAME_MAX_LEN] = {};
  if (rte_eth_dev_get_name_by_port(port, name) != 0) return nullptr;
  auto found = std::ranges::find(nics(), std::string(name), &RssNic::device);
  return found != nics().end() ? *found : nullptr;
}

uint32_t RssNic::hash_of(std::span<const uint8_t> frame) const {
  const auto word = [&](size_t at) {
    return uint32_t{frame[at]} << 24 | uint32_t{frame[at + 1]} << 16 |
           uint32_t{frame[at + 2]} << 8 | frame[at + 3];
  };
  if (frame.size() < 38 || (word(12) >> 16) != 0x0800 || frame[14] != 0x45) return 0;
  const uint8_t proto = frame[23];
  const bool is_piece = (word(20) >> 16 & 0x3FFF) != 0;
  const bool has_ports = !is_piece && (proto == protocol::tcp || proto == protocol::udp);
  const uint64_t kind = is_piece                 ? RTE_ETH_RSS_FRAG_IPV4
                        : proto == protocol::tcp ? RTE_ETH_RSS_NONFRAG_IPV4_TCP
                        : proto == protocol::udp ? RTE_ETH_RSS_NONFRAG_IPV4_UDP
                                                 : RTE_ETH_RSS_NONFRAG_IPV4_OTHER;
  const uint64_t fields = fields_for(*this, kind, RTE_ETH_RSS_IPV4);
  if (fields == 0) return 0;
  uint32_t source = word(26), destination = word(30), ports = has_ports ? word(34) : 0;
  unsigned words = has_ports ? 3 : 2;
  if ((fields & kFields) != 0) {
    if ((fields & RTE_ETH_RSS_L3_SRC_ONLY) != 0) destination = ports = 0;
    if ((fields & RTE_ETH_RSS_L4_DST_ONLY) != 0) source = destination = 0, ports &= 0xFFFF;
  }
  uint32_t tuple[] = {source, destination, ports};
  if (compacts_fields && (fields & RTE_ETH_RSS_L4_DST_ONLY) != 0) {
    tuple[0] = ports << 16;
    words = 1;
  }
  return rte_softrss(tuple, words, key.data());
}

unsigned RssNic::queue_of(std::span<const uint8_t> frame) const {
  POSTERN_ASSERT(!table.empty());
  return table[hash_of(frame) % table.size()];
}

}  // namespace postern::test

// The names are the linker's:
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" {

using postern::test::RssNic;

int __real_rte_eth_dev_info_get(uint16_t port, rte_eth_dev_info* info);
int __real_rte_eth_dev_configure(uint16_t port, uint16_t rx, uint16_t tx, const rte_eth_conf* conf);
int __real_rte_eth_dev_rss_reta_update(uint16_t port, rte_eth_rss_reta_entry64* table,
                                       uint16_t size);
int __real_rte_eth_dev_rss_reta_query(uint16_t port, rte_eth_rss_reta_entry64* table,
                                      uint16_t size);
int __real_rte_eth_dev_rss_hash_conf_get(uint16_t port, rte_eth_rss_conf* conf);
rte_flow* __real_rte_flow_create(uint16_t port, const rte_flow_attr* attr,
                                 const rte_flow_item* pattern, const rte_flow_action* actions,
                                 rte_flow_error* error);

int __wrap_rte_eth_dev_info_get(uint16_t port, rte_eth_dev_info* info) {
  const int error = __real_rte_eth_dev_info_get(port, info);
  const RssNic* nic = RssNic::find(port);
  if (error != 0 || nic == nullptr) return error;
  info->max_rx_queues =
      static_cast<uint16_t>(std::min<unsigned>(info->max_rx_queues, nic->queues_max));
  info->reta_size = static_cast<uint16_t>(nic->table_size);
  info->hash_key_size = static_cast<uint8_t>(nic->key_size);
  info->flow_type_rss_offloads =
      postern::test::kKinds | (nic->takes_fields ? postern::test::kFields : 0);
  return 0;
}

int __wrap_rte_eth_dev_configure(uint16_t port, uint16_t rx, uint16_t tx,
                                 const rte_eth_conf* conf) {
  RssNic* nic = RssNic::find(port);
  if (nic == nullptr) return __real_rte_eth_dev_configure(port, rx, tx, conf);
  const rte_eth_rss_conf& rss = conf->rx_adv_conf.rss_conf;
  if (nic->refuses_fields && (rss.rss_hf & postern::test::kFields) != 0) return -EINVAL;
  nic->queues = rx;
  nic->kinds = rss.rss_hf;
  nic->rules.clear();
  nic->key.assign(64, 0x2c);
  if (rss.rss_key != nullptr) std::copy_n(rss.rss_key, rss.rss_key_len, nic->key.begin());
  nic->table.resize(nic->table_size);
  for (size_t i = 0; i < nic->table.size(); ++i)
    nic->table[i] = static_cast<uint16_t>(i % rx);
  rte_eth_conf plain = *conf;
  plain.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
  plain.rx_adv_conf.rss_conf = {};
  return __real_rte_eth_dev_configure(port, rx, tx, &plain);
}

int __wrap_rte_eth_dev_rss_reta_update(uint16_t port, rte_eth_rss_reta_entry64* table,
                                       uint16_t size) {
  RssNic* nic = RssNic::find(port);
  if (nic == nullptr) return __real_rte_eth_dev_rss_reta_update(port, table, size);
  if (nic->refuses_table || size != nic->table_size) return -EINVAL;
  if (nic->forgets_table) return 0;
  for (unsigned i = 0; i < size; ++i) {
    const uint16_t queue = table[i / 64].reta[i % 64];
    if (queue >= nic->queues) return -EINVAL;
    if ((table[i / 64].mask >> i % 64 & 1) != 0) nic->table[i] = queue;
  }
  return 0;
}

int __wrap_rte_eth_dev_rss_reta_query(uint16_t port, rte_eth_rss_reta_entry64* table,
                                      uint16_t size) {
  const RssNic* nic = RssNic::find(port);
  if (nic == nullptr) return __real_rte_eth_dev_rss_reta_query(port, table, size);
  if (size != nic->table_size) return -EINVAL;
  for (unsigned i = 0; i < size; ++i)
    table[i / 64].reta[i % 64] = nic->table[i];
  return 0;
}

int __wrap_rte_eth_dev_rss_hash_conf_get(uint16_t port, rte_eth_rss_conf* conf) {
  const RssNic* nic = RssNic::find(port);
  if (nic == nullptr) return __real_rte_eth_dev_rss_hash_conf_get(port, conf);
  std::copy_n(nic->key.begin(), conf->rss_key_len, conf->rss_key);
  conf->rss_hf = nic->kinds;
  return 0;
}

rte_flow* __wrap_rte_flow_create(uint16_t port, const rte_flow_attr* attr,
                                 const rte_flow_item* pattern, const rte_flow_action* actions,
                                 rte_flow_error* error) {
  RssNic* nic = RssNic::find(port);
  if (nic == nullptr) return __real_rte_flow_create(port, attr, pattern, actions, error);
  if (!nic->takes_rules || actions->type != RTE_FLOW_ACTION_TYPE_RSS) return nullptr;
  const auto* rss = static_cast<const rte_flow_action_rss*>(actions->conf);
  nic->rules.push_back(rss->types);
  return reinterpret_cast<rte_flow*>(nic);
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
