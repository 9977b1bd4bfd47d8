// SPDX-License-Identifier: BSD-3-Clause
// The same rules in librte_acl, the DPDK access control library, to be measured beside ours. Of a
// rule it takes the addresses, the services, the interfaces as single numbers, and the TCP state.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/filter/rule.h"

struct rte_acl_ctx;

namespace postern::bench {

class Acl {
 public:
  // Empty where the library cannot build them within its limits. EAL has been started.
  static std::unique_ptr<Acl> build(std::span<const Rule> rules);
  ~Acl();
  Acl(const Acl&) = delete;
  Acl& operator=(const Acl&) = delete;

  // Lays the queries out as the library wants them, outside of what is measured.
  void lay_out(std::span<const FlowQuery> queries);
  // `found` are indices of rules or kNoRule; `bulk` queries a call.
  void classify(uint16_t* found, size_t bulk);

 private:
  Acl() = default;
  rte_acl_ctx* context_ = nullptr;
  std::vector<uint8_t> frames_;
  std::vector<const uint8_t*> pointers_;
  std::vector<uint32_t> results_;
};

}  // namespace postern::bench
