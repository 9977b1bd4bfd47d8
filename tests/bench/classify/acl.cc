// SPDX-License-Identifier: BSD-3-Clause
#include "bench/classify/acl.h"

#include <rte_acl.h>
#include <rte_errno.h>
#include <rte_memory.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace postern::bench {
namespace {

// What the library matches on: a first byte, then groups of four.
struct Frame {
  uint8_t protocol;
  uint8_t unused[3];
  uint32_t source, destination;            // big endian
  uint16_t source_port, destination_port;  // big endian
  uint8_t in, out, tcp_state, unused_too;
};
static_assert(sizeof(Frame) == 20);

enum Field {
  kProtocol,
  kSource,
  kDestination,
  kSourcePort,
  kDestinationPort,
  kIn,
  kOut,
  kState,
  kUnused,
  kFields
};

RTE_ACL_RULE_DEF(AclRule, kFields);

constexpr rte_acl_field_def kDefs[kFields] = {
    {RTE_ACL_FIELD_TYPE_BITMASK, 1, kProtocol, 0, offsetof(Frame, protocol)},
    {RTE_ACL_FIELD_TYPE_MASK, 4, kSource, 1, offsetof(Frame, source)},
    {RTE_ACL_FIELD_TYPE_MASK, 4, kDestination, 2, offsetof(Frame, destination)},
    {RTE_ACL_FIELD_TYPE_RANGE, 2, kSourcePort, 3, offsetof(Frame, source_port)},
    {RTE_ACL_FIELD_TYPE_RANGE, 2, kDestinationPort, 3, offsetof(Frame, destination_port)},
    {RTE_ACL_FIELD_TYPE_BITMASK, 1, kIn, 4, offsetof(Frame, in)},
    {RTE_ACL_FIELD_TYPE_BITMASK, 1, kOut, 4, offsetof(Frame, out)},
    {RTE_ACL_FIELD_TYPE_BITMASK, 1, kState, 4, offsetof(Frame, tcp_state)},
    {RTE_ACL_FIELD_TYPE_BITMASK, 1, kUnused, 4, offsetof(Frame, unused_too)},  // fills its group
};

// Prefixes, which all sets of the bench have.
void set_address(rte_acl_field& field, const AddressSet& set) {
  field.value.u32 = field.mask_range.u32 = 0;
  if (set.any) return;
  uint32_t first = set.ranges[0].first.number, last = set.ranges[0].last.number;
  field.value.u32 = first;
  field.mask_range.u32 = static_cast<uint32_t>(std::countl_zero(first ^ last));  // prefix length
}

void set_interface(rte_acl_field& field, InterfaceSet set) {
  field.value.u8 = set == kAnyInterface ? 0 : static_cast<uint8_t>(std::countr_zero(set));
  field.mask_range.u8 = set == kAnyInterface ? 0 : 0xFF;
}

AclRule lowered(const Rule& rule, const ServiceSpec& spec, size_t index, size_t rules) {
  AclRule acl = {};
  acl.data.category_mask = 1;
  acl.data.priority = static_cast<int32_t>(rules - index);
  acl.data.userdata = static_cast<uint32_t>(index + 1);
  bool any = spec.any_protocol;
  acl.field[kProtocol].value.u8 = any ? 0 : spec.protocol;
  acl.field[kProtocol].mask_range.u8 = any ? 0 : 0xFF;
  set_address(acl.field[kSource], rule.from);
  set_address(acl.field[kDestination], rule.to);
  acl.field[kSourcePort].value.u16 = spec.first_source;
  acl.field[kSourcePort].mask_range.u16 = spec.last_source;
  acl.field[kDestinationPort].value.u16 = spec.first_destination;
  acl.field[kDestinationPort].mask_range.u16 = spec.last_destination;
  set_interface(acl.field[kIn], rule.in);
  set_interface(acl.field[kOut], rule.out);
  acl.field[kState].value.u8 = rule.tcp == TcpQualifier::opening ? 1 : 2;
  acl.field[kState].mask_range.u8 = rule.tcp == TcpQualifier::any ? 0 : 0xFF;
  return acl;
}

}  // namespace

std::unique_ptr<Acl> Acl::build(std::span<const Rule> rules) {
  std::vector<AclRule> lowered_rules;
  for (size_t i = 0; i < rules.size(); ++i) {
    ServiceSpec any;
    any.any_protocol = true;
    auto services = rules[i].services;
    if (services.empty()) services.push_back(any);
    for (const ServiceSpec& spec : services)
      lowered_rules.push_back(lowered(rules[i], spec, i, rules.size()));
  }
  static int number = 0;
  std::string name = "acl" + std::to_string(++number);
  rte_acl_param param = {name.c_str(), SOCKET_ID_ANY, sizeof(AclRule),
                         static_cast<uint32_t>(lowered_rules.size())};
  std::unique_ptr<Acl> result(new Acl);
  result->context_ = rte_acl_create(&param);
  if (result->context_ == nullptr) return nullptr;
  const auto* first = static_cast<const rte_acl_rule*>(static_cast<void*>(lowered_rules.data()));
  rte_acl_config config = {};
  config.num_categories = 1;
  config.num_fields = kFields;
  std::copy(std::begin(kDefs), std::end(kDefs), config.defs);
  config.max_size = size_t{256} << 20;
  bool built = rte_acl_add_rules(result->context_, first,
                                 static_cast<uint32_t>(lowered_rules.size())) == 0 &&
               rte_acl_build(result->context_, &config) == 0;
  if (!built) return nullptr;
  if (rte_acl_set_ctx_classify(result->context_, RTE_ACL_CLASSIFY_AVX512X32) != 0 &&
      rte_acl_set_ctx_classify(result->context_, RTE_ACL_CLASSIFY_AVX2) != 0) {
    rte_acl_set_ctx_classify(result->context_, RTE_ACL_CLASSIFY_DEFAULT);
  }
  return result;
}

Acl::~Acl() {
  rte_acl_free(context_);
}

void Acl::lay_out(std::span<const FlowQuery> queries) {
  frames_.assign(queries.size() * sizeof(Frame), 0);
  pointers_.clear();
  results_.assign(queries.size(), 0);
  for (size_t i = 0; i < queries.size(); ++i) {
    const FlowQuery& query = queries[i];
    Frame frame = {};
    frame.protocol = query.protocol;
    frame.source = __builtin_bswap32(query.source.number);
    frame.destination = __builtin_bswap32(query.destination.number);
    frame.source_port = __builtin_bswap16(query.source_port);
    frame.destination_port = __builtin_bswap16(query.destination_port);
    frame.in = query.in;
    frame.out = query.out;
    if (query.protocol == protocol::tcp) frame.tcp_state = query.established ? 2 : 1;
    std::memcpy(&frames_[i * sizeof frame], &frame, sizeof frame);
    pointers_.push_back(&frames_[i * sizeof frame]);
  }
}

void Acl::classify(uint16_t* found, size_t bulk) {
  for (size_t begin = 0; begin < pointers_.size(); begin += bulk) {
    auto n = static_cast<uint32_t>(std::min(bulk, pointers_.size() - begin));
    rte_acl_classify(context_, &pointers_[begin], &results_[begin], n, 1);
  }
  for (size_t i = 0; i < results_.size(); ++i)
    found[i] = static_cast<uint16_t>(results_[i] - 1);
}

}  // namespace postern::bench
