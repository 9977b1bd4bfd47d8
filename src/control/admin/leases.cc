// SPDX-License-Identifier: BSD-3-Clause
// Leases as JSON, and what an administrator does with them.
#include <algorithm>

#include "control/admin/show.h"
#include "control/gateway.h"
#include "control/services/reserve.h"
#include "services/dhcp/import.h"

namespace postern::admin {
namespace {

Json lease_json(const dhcp::Server& server, const dhcp::Lease& lease) {
  const dhcp::Engine& engine = server.engine();
  auto scope = engine.leases().scope_of(lease.address);
  bool is_known = scope != dhcp::LeaseTable::kNoScope;
  bool is_declined = lease.state == dhcp::LeaseState::declined;
  int64_t ends_s = lease.state == dhcp::LeaseState::offered ? lease.offered_until_s : lease.ends_s;
  return {
      {"address", to_text(lease.address)},
      {"state", dhcp::to_word(lease.state)},
      {"client", is_declined ? Json() : Json(dhcp::client_text(lease))},
      {"host_name", lease.host_name.empty() ? Json() : Json(lease.host_name)},
      {"scope", is_known ? Json(engine.settings().scopes[scope].name) : Json()},
      {"started", utc_text(static_cast<std::time_t>(lease.started_s))},
      {"ends", ends_s == dhcp::kNever ? Json() : Json(utc_text(static_cast<std::time_t>(ends_s)))}};
}

Json scopes_json(const dhcp::Engine& engine) {
  Json list = Json::array();
  for (size_t i = 0; i < engine.settings().scopes.size(); ++i) {
    const dhcp::Pool& pool = engine.leases().pool(static_cast<dhcp::LeaseTable::ScopeId>(i));
    list.push_back({{"name", engine.settings().scopes[i].name},
                    {"subnet", to_text(engine.settings().scopes[i].subnet)},
                    {"addresses", pool.size()},
                    {"used", pool.used()}});
  }
  return list;
}

Json counters_json(const dhcp::Server& server) {
  Json counters = Json::object();
#define POSTERN_DHCP_COUNTER(name) counters[#name] = server.engine().counters().name;
  POSTERN_DHCP_COUNTERS(POSTERN_DHCP_COUNTER)
#undef POSTERN_DHCP_COUNTER
  counters["frames_refused"] = server.traffic().frames_refused;
  counters["unsent"] = server.traffic().unsent;
  counters["undurable"] = server.traffic().undurable;
  counters["commits"] = server.traffic().commits;
  return counters;
}

// The lease that a request names.
Result<dhcp::Lease> named_lease(Gateway& gateway, const Json& request) {
  std::string text = request.at("address").get<std::string>();
  auto address = parse_ipv4(text);
  if (!address) return Error{ErrorCode::failed, "'" + text + "' is not an address"};
  dhcp::Server* server = gateway.dhcp().server();
  const dhcp::Lease* lease = server == nullptr ? nullptr : server->engine().leases().find(*address);
  if (lease == nullptr) return Error{ErrorCode::not_found, "there is no lease of " + text};
  return *lease;
}

Result<Change> reservation_of(Gateway& gateway, const Json& request, const std::string& who) {
  auto lease = named_lease(gateway, request);
  if (!lease) return std::move(lease).error();
  if (lease->client.empty()) {
    return Error{ErrorCode::failed, to_text(lease->address) + " has no client to reserve it for"};
  }
  auto text =
      with_reservation(gateway.configuration().text(), gateway.configuration().model(), *lease);
  if (!text) return std::move(text).error();
  Change change;
  change.text = std::move(*text);
  change.who = who;
  change.comment = "reserved " + to_text(lease->address) + " for " + dhcp::client_text(*lease);
  change.save = request.value("save", true);
  return change;
}

Result<Json> reserve(Gateway& gateway, Change change) {
  const std::string reserved = change.comment;
  ReloadReport report = gateway.changes().apply(std::move(change));
  if (!report.done) return Error{report.code, report.text};
  Json result = {{"text", reserved + "; " + report.text}};
  if (report.saved) result["saved"] = *report.saved;
  return result;
}

}  // namespace

Json show_leases(Gateway& gateway) {
  Json list = Json::array();
  Json result = {{"since", utc_text(gateway.status().started)}};
  const dhcp::Server* server = gateway.dhcp().server();
  if (server != nullptr) {
    std::vector<const dhcp::Lease*> leases;
    server->engine().leases().for_each([&](const dhcp::Lease& lease) { leases.push_back(&lease); });
    std::sort(leases.begin(), leases.end(),
              [](const auto* a, const auto* b) { return a->address < b->address; });
    for (const dhcp::Lease* lease : leases)
      list.push_back(lease_json(*server, *lease));
    result["scopes"] = scopes_json(server->engine());
    result["counters"] = counters_json(*server);
  }
  result["leases"] = std::move(list);
  return result;
}

Result<Json> release_lease(Gateway& gateway, const Json& request) {
  auto lease = named_lease(gateway, request);
  if (!lease) return std::move(lease).error();
  std::string address = to_text(lease->address);
  if (!gateway.dhcp().server()->release(lease->address)) {
    return Error{ErrorCode::not_found,
                 address + " is not leased; it is " + dhcp::to_word(lease->state)};
  }
  return Json{{"text", "released " + address}};
}

void reserve_lease(Gateway& gateway, const Json& request, const std::string& who, Reply reply) {
  auto change = reservation_of(gateway, request, who);
  if (!change) return reply.refuse(change.error());
  const std::string text = change->text, base = gateway.configuration().text();
  gateway.judge(
      text, Effect::changes,
      [&gateway, reply, base, change = std::move(*change)](const Result<void>& judged) mutable {
        if (!judged) return reply.refuse(judged.error());
        if (gateway.configuration().text() != base) {
          return reply.refuse(
              {ErrorCode::failed, "the configuration was changed meanwhile; try again"});
        }
        auto result = reserve(gateway, std::move(change));
        if (!result) return reply.refuse(result.error());
        reply.done(*result);
      });
}

Result<Json> import_leases(Gateway& gateway, const Json& request) {
  dhcp::Server* server = gateway.dhcp().server();
  if (server == nullptr) {
    return Error{ErrorCode::not_found, "services.dhcp is not configured"};
  }
  auto leases = dhcp::read_lease_file(request.at("text").get<std::string>(), std::time(nullptr));
  if (!leases) return std::move(leases).error();
  size_t found = leases->size();
  size_t taken = server->import(std::move(*leases));
  return Json{{"found", found},
              {"taken", taken},
              {"text", std::to_string(taken) + " of " + std::to_string(found) +
                           " leases taken over; the others are in no scope or known already"}};
}

}  // namespace postern::admin
