// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/dhcp_service.h"

#include <ctime>

namespace postern {
namespace {

constexpr Duration kTurn = milliseconds(50);

}  // namespace

void DhcpService::set_name_sink(std::function<void(const dhcp::NameChange&)> sink) {
  name_sink_ = std::move(sink);
  if (server_) server_->tell_names();
}

Result<void> DhcpService::follow(const config::Model& model, const Policy& policy,
                                 const ServedByGateway& served) {
  if (!server_ && !model.services.dhcp) return {};
  if (!server_) {
    if (auto begun = begin(); !begun) return begun;
  }
  return server_->configure(dhcp_settings(model, served),
                            dhcp_links(model, policy, world_.device_of));
}

Result<void> DhcpService::begin() {
  dhcp::ServerHooks hooks;
  hooks.now = [this] { return dhcp::Now{world_.now(), std::time(nullptr)}; };
  hooks.send_frame = [this](dhcp::LinkId link, std::span<const uint8_t> frame) {
    return world_.send_frame(static_cast<InterfaceId>(link), frame);
  };
  hooks.change_name = [this](const dhcp::NameChange& change) {
    if (name_sink_) name_sink_(change);
  };
  hooks.remark = world_.remark;
  auto server = dhcp::Server::open(world_.lease_file, std::move(hooks));
  if (!server) return std::move(server).error();
  server_ = std::move(*server);
  loop_.when_readable(server_->fd(), [this] { server_->work(); });
  loop_.every(kTurn, [this] { server_->tick(); });
  return {};
}

void DhcpService::address_seen(InterfaceId interface, Ipv4Address address, const MacAddress& mac) {
  if (server_) server_->address_seen(interface, address, mac);
}

}  // namespace postern
