// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <utility>

#include "control/compile/lower.h"

namespace postern::compiler {
namespace {

constexpr uint16_t kTcpIpHeaderBytes = 40;  // without options (RFC 6691)

Zone lowered(config::Zone zone) {
  switch (zone) {
    case config::Zone::external:
      return Zone::external;
    case config::Zone::internal:
      return Zone::internal;
    case config::Zone::dmz:
      return Zone::dmz;
  }
  return Zone::external;
}

uint16_t mss_max_of(uint32_t mss_clamp, uint16_t mtu) {
  if (mss_clamp == config::kMssClampOff) return 0;
  if (mss_clamp != config::kMssClampAuto) return static_cast<uint16_t>(mss_clamp);
  return static_cast<uint16_t>(mtu - kTcpIpHeaderBytes);
}

}  // namespace

Result<void> compile_interfaces(Lowering& lowering, Policy& policy) {
  const config::Model& model = lowering.model();
  policy.interfaces.resize(model.interfaces.size());
  for (size_t i = 0; i < model.interfaces.size(); ++i) {
    const config::Interface& source = model.interfaces[i];
    PolicyInterface& target = policy.interfaces[i];
    target.name = source.name;
    target.zone = lowered(source.zone);
    target.exists = source.enabled;
    if (!source.enabled) continue;

    PortInput port;
    if (i < lowering.inputs().ports.size()) port = lowering.inputs().ports[i];
    target.mac = source.mac.value_or(port.mac);
    target.mtu = static_cast<uint16_t>(source.mtu);
    if (port.mtu != 0) target.mtu = std::min(target.mtu, port.mtu);
    target.mss_max = mss_max_of(source.mss_clamp, target.mtu);
    target.addresses = source.addresses;
    target.asks_dhcp = source.dhcp;
    if (source.spoof_allow.empty()) continue;
    auto extra = lowering.addresses(source.spoof_allow);
    if (!extra) {
      return std::move(extra).error().within("interfaces." + source.name + ".spoof_allow");
    }
    target.spoof_allow = std::move(extra).value();
  }
  return {};
}

}  // namespace postern::compiler
