// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/commands.h"

#include <utility>

#include "control/admin/capture.h"
#include "control/admin/changes.h"
#include "control/admin/logs.h"
#include "control/admin/show.h"
#include "control/admin/talkers.h"
#include "control/admin/top.h"
#include "control/admin/users.h"
#include "control/admin/who.h"
#include "control/explain/explain.h"
#include "control/gateway.h"

namespace postern::admin {
namespace {

Result<DumpFilter> filter_of(const Json& request) {
  DumpFilter filter;
  auto limit = number_of(request, {"limit", "--limit", 0, UINT32_MAX, filter.limit});
  if (!limit) return std::move(limit).error();
  filter.host = request.value("host", filter.host);
  filter.protocol = request.value("protocol", filter.protocol);
  filter.limit = std::min(static_cast<decltype(filter.limit)>(*limit), kDumpRowsMax);
  return filter;
}

void add_show(Dispatcher& dispatcher, const std::string& what, Gateway& gateway,
              Json (*show)(Gateway&)) {
  dispatcher.add(
      what, [&gateway, show](const Json&, const Peer&, Reply reply) { reply.done(show(gateway)); });
}

void settle(const Result<Json>& outcome, Reply& reply) {
  outcome ? reply.done(*outcome) : reply.refuse(outcome.error());
}

void add_lease_commands(Dispatcher& dispatcher, Gateway& gateway) {
  dispatcher.add(
      "lease release",
      [&gateway](const Json& request, const Peer&, Reply reply) {
        settle(release_lease(gateway, request), reply);
      },
      Effect::changes);
  dispatcher.add(
      "lease reserve",
      [&gateway](const Json& request, const Peer& peer, Reply reply) {
        reserve_lease(gateway, request, who_is(peer), std::move(reply));
      },
      Effect::changes);
  dispatcher.add(
      "lease import",
      [&gateway](const Json& request, const Peer&, Reply reply) {
        settle(import_leases(gateway, request), reply);
      },
      Effect::changes);
}

void add_capture_commands(Dispatcher& dispatcher, Gateway& gateway) {
  add_show(dispatcher, "show captures", gateway, show_captures);
  dispatcher.add(
      "capture start",
      [&gateway](const Json& request, const Peer& peer, Reply reply) {
        settle(start_capture(gateway, request, peer), reply);
      },
      Effect::changes);
  dispatcher.add("capture read", [&gateway](const Json& request, const Peer& peer, Reply reply) {
    read_capture(gateway, request, peer, std::move(reply));
  });
  dispatcher.add("capture stop", [&gateway](const Json& request, const Peer& peer, Reply reply) {
    settle(stop_capture(gateway, request, peer), reply);
  });
}

// The gateway's own lease on an interface.
void add_dhcp_commands(Dispatcher& dispatcher, Gateway& gateway) {
  using Command = Result<void> (DhcpClients::*)(const std::string& interface);
  auto add = [&](const std::string& name, Command command, const std::string& text) {
    dispatcher.add(
        name,
        [&gateway, command, text](const Json& request, const Peer&, Reply reply) {
          std::string interface = request.at("interface").get<std::string>();
          auto done = (gateway.dhcp_clients().*command)(interface);
          done ? reply.done({{"text", interface + ": " + text}}) : reply.refuse(done.error());
        },
        Effect::changes);
  };
  add("dhcp release", &DhcpClients::release, "the address is given back");
  add("dhcp renew", &DhcpClients::renew, "the server is asked");
}

}  // namespace

void add_commands(Dispatcher& dispatcher, Gateway& gateway) {
  add_show(dispatcher, "status", gateway, show_status);
  add_show(dispatcher, "show interfaces", gateway, show_interfaces);
  add_show(dispatcher, "show neighbors", gateway, show_neighbors);
  add_show(dispatcher, "show routes", gateway, show_routes);
  add_show(dispatcher, "show rules", gateway, show_rules);
  add_show(dispatcher, "top", gateway, show_top);
  dispatcher.add("show talkers", [&gateway, talkers = std::make_shared<Talkers>()](
                                     const Json&, const Peer&, Reply reply) {
    show_talkers(gateway, talkers, std::move(reply));
  });
  add_show(dispatcher, "show dns", gateway, show_dns);
  dispatcher.add(
      "dns flush",
      [&gateway](const Json& request, const Peer&, Reply reply) {
        settle(flush_dns(gateway, request.value("below", std::string())), reply);
      },
      Effect::changes);
  add_cache_commands(dispatcher, gateway);
  add_mail_commands(dispatcher, gateway);
  add_show(dispatcher, "show remote", gateway, show_remote);
  add_show(dispatcher, "show leases", gateway, show_leases);
  add_lease_commands(dispatcher, gateway);
  add_dhcp_commands(dispatcher, gateway);
  add_capture_commands(dispatcher, gateway);
  dispatcher.add("show drops", [&gateway](const Json& request, const Peer&, Reply reply) {
    reply.done(show_drops(gateway, request.value("all", false)));
  });
  dispatcher.add("show sessions", [&gateway](const Json& request, const Peer&, Reply reply) {
    auto filter = filter_of(request);
    filter ? show_sessions(gateway, *filter, std::move(reply)) : reply.refuse(filter.error());
  });
  dispatcher.add("show mappings", [&gateway](const Json& request, const Peer&, Reply reply) {
    auto filter = filter_of(request);
    filter ? show_mappings(gateway, *filter, std::move(reply)) : reply.refuse(filter.error());
  });
  dispatcher.add("explain", [&gateway](const Json& request, const Peer&, Reply reply) {
    auto answer = answer_explain(*gateway.publisher().current(), with_user(gateway, request));
    answer ? reply.done(*answer) : reply.refuse(answer.error());
  });
  add_show(dispatcher, "show logins", gateway, show_logins);
  dispatcher.add(
      "logout",
      [&gateway](const Json& request, const Peer& peer, Reply reply) {
        settle(log_out(gateway, request, who_is(peer)), reply);
      },
      Effect::changes);
  add_change_commands(dispatcher, gateway);
  add_user_commands(dispatcher, gateway.accounts(),
                    [&gateway](const std::string& line) { gateway.log().info(line); });
  add_log_commands(dispatcher, gateway);
}

}  // namespace postern::admin
