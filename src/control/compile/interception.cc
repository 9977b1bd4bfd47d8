// SPDX-License-Identifier: BSD-3-Clause
// services.http.transparent -> Interception. A proxy that is switched off intercepts nothing.
#include "control/compile/lower.h"
#include "control/config/listening.h"

namespace postern::compiler {

Result<void> compile_interception(Lowering& lowering, Policy& policy) {
  const config::Model& model = lowering.model();
  const auto& http = model.services.http;
  if (!http || !http->enabled || !http->transparent) return {};
  const config::HttpTransparent& transparent = *http->transparent;
  Interception made;
  std::vector<AddressRange> networks;
  for (const config::Interface& interface : model.interfaces) {
    const InterfaceId id = lowering.find_interface(interface.name);
    if (id == kNoInterface) continue;
    if (interface.zone == config::Zone::external) made.out |= set_of(id);
    if (!config::listens_on(config::listening_of(*http), interface)) continue;
    made.in |= set_of(id);
    for (const Prefix& network : interface.addresses)
      networks.push_back({network.network(), network.last()});
  }
  // Whose connections: those of the clients of the proxy, where nothing else is said.
  const auto& named = transparent.from.empty() ? http->from : transparent.from;
  if (named.empty()) {
    made.from = set_of_ranges(std::move(networks));
  } else {
    auto from = lowering.addresses(named);
    if (!from) return std::move(from).error().within("services.http.transparent.from");
    made.from = std::move(from).value();
  }
  made.except.any = false;
  if (!transparent.except.empty()) {
    auto except = lowering.addresses(transparent.except);
    if (!except) return std::move(except).error().within("services.http.transparent.except");
    made.except = std::move(except).value();
  }
  made.ports = transparent.ports;
  made.is_served = lowering.inputs().http_is_served;
  policy.interception = std::move(made);
  return {};
}

}  // namespace postern::compiler
