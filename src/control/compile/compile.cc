// SPDX-License-Identifier: BSD-3-Clause
#include "control/compile/compile.h"

#include <string>

#include "base/limits.h"
#include "control/compile/lower.h"

namespace postern {
namespace {

Timeouts lowered(const config::Timeouts& timeouts) {
  Timeouts lowered;
  auto set = [&](TimeoutClass which, Duration value) {
    lowered.of[static_cast<unsigned>(which)] = value;
  };
  set(TimeoutClass::udp, timeouts.udp);
  set(TimeoutClass::tcp_transitory, timeouts.tcp_transitory);
  set(TimeoutClass::tcp_established, timeouts.tcp_established);
  set(TimeoutClass::icmp_query, timeouts.icmp_query);
  set(TimeoutClass::other, timeouts.other);
  return lowered;
}

}  // namespace

Result<std::unique_ptr<Policy>> compile(const config::Model& model, const CompileInputs& inputs) {
  if (model.interfaces.size() > kInterfacesMax) {
    return Error{ErrorCode::exhausted,
                 "interfaces: more than " + std::to_string(kInterfacesMax) + " are not supported"};
  }
  auto policy = std::make_unique<Policy>();
  policy->generation = inputs.generation;
  policy->shards = inputs.shards;
  policy->is_on_trial = inputs.is_on_trial;
  policy->timeouts = lowered(model.system.timeouts);
  if (const auto& ipfix = model.logging.ipfix) {
    policy->flow_export = {ipfix->exports(config::IpfixRecords::sessions),
                           ipfix->exports(config::IpfixRecords::mappings)};
  }

  compiler::Lowering lowering(model, inputs);
  if (auto done = compiler::compile_interfaces(lowering, *policy); !done) return done.error();
  compiler::compile_routes(lowering, *policy);
  if (auto done = compiler::compile_nat(lowering, *policy); !done) return done.error();
  if (auto done = compiler::compile_rules(lowering, *policy); !done) return done.error();
  if (auto done = compiler::compile_interception(lowering, *policy); !done) return done.error();
  policy->allocate_counters();
  return policy;
}

}  // namespace postern
