// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/runtime/spread.h"

#include <rte_flow.h>

#include <algorithm>
#include <bit>

namespace postern {
namespace {

constexpr uint64_t kTransports = RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP;
constexpr uint64_t kIpv4 = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | kTransports |
                           RTE_ETH_RSS_NONFRAG_IPV4_SCTP | RTE_ETH_RSS_NONFRAG_IPV4_OTHER;

// What is hashed when one field alone is meant.
uint64_t kinds_of(bool is_outside, uint64_t offered) {
  return is_outside ? (kTransports & offered) | RTE_ETH_RSS_L4_DST_ONLY
                    : (kIpv4 & offered) | RTE_ETH_RSS_L3_SRC_ONLY;
}

bool holds_all(uint64_t kinds, uint64_t wanted) {
  return (kinds & wanted) == wanted;
}

std::string number(unsigned value) {
  return std::to_string(value);
}

const char* field_of(bool is_outside) {
  return is_outside ? "destination port" : "source address";
}

// One rule: hash the packets of `pattern` by `kinds`; key and table stay those of the port.
bool set_rule(uint16_t port, const std::vector<rte_flow_item>& pattern, uint64_t kinds) {
  rte_flow_attr ingress = {};
  ingress.ingress = 1;
  rte_flow_action_rss rss = {};
  rss.types = kinds;
  const rte_flow_action actions[] = {{RTE_FLOW_ACTION_TYPE_RSS, &rss},
                                     {RTE_FLOW_ACTION_TYPE_END, nullptr}};
  rte_flow_error error = {};
  return rte_flow_create(port, &ingress, pattern.data(), actions, &error) != nullptr;
}

}  // namespace

const char* to_word(Spread spread) {
  switch (spread) {
    case Spread::alone:
      return "alone";
    case Spread::hand_off:
      return "hand_off";
    case Spread::by_source_address:
      return "by_source_address";
    case Spread::by_destination_port:
      return "by_destination_port";
  }
  return "";
}

std::string Spreader::text() const {
  if (spread_ == Spread::alone) return "one worker";
  if (spread_ == Spread::hand_off) return "handed over between workers: " + reason_;
  return std::string("the device deals out by ") + field_of(settings_.is_outside);
}

void Spreader::plan(const rte_eth_dev_info& device, const Settings& settings) {
  settings_ = settings;
  offered_ = device.flow_type_rss_offloads;
  key_size_ = device.hash_key_size;
  table_size_ = device.reta_size;
  reason_.clear();
  by_rules_ = false;
  spread_ = Spread::alone;
  if (settings_.workers == 1) return;
  spread_ = settings_.is_outside ? Spread::by_destination_port : Spread::by_source_address;
  const uint64_t field = settings_.is_outside ? RTE_ETH_RSS_L4_DST_ONLY : RTE_ETH_RSS_L3_SRC_ONLY;
  by_rules_ = (offered_ & field) == 0;
  if (settings_.queues < settings_.workers) {
    give_up(number(settings_.queues) + " receive queue" + (settings_.queues == 1 ? "" : "s") +
            " for " + number(settings_.workers) + " workers");
  } else if (!holds_all(offered_, kTransports)) {
    give_up("the device does not hash TCP and UDP");
  } else if (key_size_ == 0 || key_size_ > kKeyMax) {
    give_up("the device takes no hash key");
  } else if (!std::has_single_bit(table_size_) || table_size_ < Shards::kCountMin) {
    give_up("the device's table has " + number(table_size_) + " entries");
  }
}

bool Spreader::give_up(const std::string& reason) {
  if (!is_by_hardware(spread_)) return false;
  spread_ = Spread::hand_off;
  reason_ = reason;
  return true;
}

// A key of this period makes any hash of both addresses and both ports symmetric.
uint16_t Spreader::hash_key() const {
  return spread_ == Spread::by_destination_port ? kPortHashKey : kHostHashKey;
}

void Spreader::enable(rte_eth_conf& conf) {
  const bool is_one_sided = is_by_hardware(spread_) && !by_rules_;
  const uint64_t kinds = is_one_sided ? kinds_of(settings_.is_outside, offered_) : kIpv4 & offered_;
  conf.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
  conf.rx_adv_conf.rss_conf = {};
  if (settings_.queues == 1 || kinds == 0) return;
  conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
  conf.rx_adv_conf.rss_conf.rss_hf = kinds;
  if (key_size_ == 0 || key_size_ > kKeyMax) return;
  const uint16_t key = hash_key();
  for (size_t i = 0; i < key_.size(); ++i)
    key_[i] = static_cast<uint8_t>(i % 2 == 0 ? key >> 8 : key & 0xFF);
  conf.rx_adv_conf.rss_conf.rss_key = key_.data();
  conf.rx_adv_conf.rss_conf.rss_key_len = key_size_;
}

void Spreader::finish(uint16_t port, const Shards& shards) {
  if (!is_by_hardware(spread_)) return;
  const std::string field = field_of(settings_.is_outside);
  if (by_rules_ && !set_rules(port)) {
    give_up("the device does not hash the " + field + " alone");
  } else if (!set_table(port, shards)) {
    give_up("the device refuses the table of queues");
  } else if (!holds_hash(port)) {
    give_up("the device did not keep the hash of the " + field);
  }
}

bool Spreader::set_rules(uint16_t port) const {
  const auto item = [](rte_flow_item_type type) {
    rte_flow_item made = {};
    made.type = type;
    return made;
  };
  const rte_flow_item ethernet = item(RTE_FLOW_ITEM_TYPE_ETH), ip = item(RTE_FLOW_ITEM_TYPE_IPV4),
                      end = item(RTE_FLOW_ITEM_TYPE_END);
  // Whatever else comes from a host inside: where that is refused it is handed off.
  if (!settings_.is_outside) {
    set_rule(port, {ethernet, ip, end}, RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_L3_SRC_ONLY);
  }
  const uint64_t field = settings_.is_outside ? RTE_ETH_RSS_L4_DST_ONLY : RTE_ETH_RSS_L3_SRC_ONLY;
  return set_rule(port, {ethernet, ip, item(RTE_FLOW_ITEM_TYPE_TCP), end},
                  RTE_ETH_RSS_NONFRAG_IPV4_TCP | field) &&
         set_rule(port, {ethernet, ip, item(RTE_FLOW_ITEM_TYPE_UDP), end},
                  RTE_ETH_RSS_NONFRAG_IPV4_UDP | field);
}

bool Spreader::set_table(uint16_t port, const Shards& shards) const {
  if (table_size_ < shards.count()) return false;
  std::vector<rte_eth_rss_reta_entry64> table(table_size_ / RTE_ETH_RETA_GROUP_SIZE);
  for (unsigned i = 0; i < table_size_; ++i) {
    rte_eth_rss_reta_entry64& group = table[i / RTE_ETH_RETA_GROUP_SIZE];
    group.mask = UINT64_MAX;
    group.reta[i % RTE_ETH_RETA_GROUP_SIZE] = shards.worker_of(i);
  }
  const auto size = static_cast<uint16_t>(table_size_);
  return rte_eth_dev_rss_reta_update(port, table.data(), size) == 0 && holds_table(port, table);
}

// A device that does not tell is believed.
bool Spreader::holds_table(uint16_t port,
                           const std::vector<rte_eth_rss_reta_entry64>& wanted) const {
  std::vector<rte_eth_rss_reta_entry64> table(wanted.size());
  for (rte_eth_rss_reta_entry64& group : table)
    group.mask = UINT64_MAX;
  const int error =
      rte_eth_dev_rss_reta_query(port, table.data(), static_cast<uint16_t>(table_size_));
  if (error == -ENOTSUP) return true;
  return error == 0 && std::ranges::equal(table, wanted, [](const auto& a, const auto& b) {
           return std::ranges::equal(a.reta, b.reta);
         });
}

bool Spreader::holds_hash(uint16_t port) const {
  std::array<uint8_t, kKeyMax> key = {};
  rte_eth_rss_conf conf = {};
  conf.rss_key = key.data();
  conf.rss_key_len = key_size_;
  const int error = rte_eth_dev_rss_hash_conf_get(port, &conf);
  if (error == -ENOTSUP) return true;
  const uint64_t kinds = by_rules_ ? 0 : kinds_of(settings_.is_outside, offered_);
  return error == 0 && holds_all(conf.rss_hf, kinds) &&
         std::equal(key.begin(), key.begin() + key_size_, key_.begin());
}

}  // namespace postern
