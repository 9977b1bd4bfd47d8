// SPDX-License-Identifier: BSD-3-Clause
// Who is logged in, as JSON, and how an administrator ends it.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "control/admin/show.h"
#include "control/gateway.h"

namespace postern::admin {
namespace {

constexpr int64_t kSecond = seconds(1).ns;

Json login_json(Gateway& gateway, const LogIn& login) {
  const Instant now = gateway.dataplane().now();
  const LogIns& log_ins = gateway.log_ins();
  const Instant seen = std::max(login.since, log_ins.last_seen(login.address));
  const Instant ends = log_ins.ends(login);
  return {
      {"user", login.user},
      {"address", to_text(login.address)},
      {"groups", login.groups},
      {"since", utc_text(static_cast<std::time_t>(login.since_s))},
      {"age_s", (now - login.since).ns / kSecond},
      {"idle_s", std::max<int64_t>(0, (now - seen).ns / kSecond)},
      {"left_s", ends.ns == 0 ? Json() : Json(std::max<int64_t>(0, (ends - now).ns / kSecond))}};
}

Json counters_json(const portal::Portal& engine, const portal::Server& server) {
  const portal::Counters& counters = engine.counters();
  return {{"requests", counters.requests},
          {"logged_in", counters.logged_in},
          {"logged_out", counters.logged_out},
          {"refused", counters.refused},
          {"forged", counters.forged},
          {"overloaded", counters.overloaded},
          {"connections", server.counters().connections},
          {"turned_away", server.counters().turned_away},
          {"too_often", server.counters().too_often},
          {"too_slow", server.counters().too_slow},
          {"malformed", server.counters().malformed}};
}

}  // namespace

Json show_logins(Gateway& gateway) {
  const PortalControl& portal = gateway.portal();
  Json logins = Json::array();
  for (const auto& [address, login] : gateway.log_ins().all())
    logins.push_back(login_json(gateway, login));
  Json result = {{"enabled", portal.server() != nullptr},
                 {"since", utc_text(gateway.status().started)},
                 {"logins", std::move(logins)}};
  if (portal.server() == nullptr) return result;
  Json listening = Json::array();
  for (const io::ListenAddress& at : portal.server()->listening())
    listening.push_back(fmt::format("https://{}:{}/", to_text(at.address), at.port));
  result["listening"] = std::move(listening);
  result["fingerprint_sha256"] = portal.fingerprint();
  result["counters"] = counters_json(portal.engine(), *portal.server());
  return result;
}

Result<Json> log_out(Gateway& gateway, const Json& request, const std::string& who) {
  const std::string subject = request.at("subject").get<std::string>();
  const size_t count = gateway.log_ins().log_out(subject);
  if (count == 0) {
    return Error{ErrorCode::not_found, "`" + printable(subject) + "` is not logged in"};
  }
  gateway.log().info(fmt::format("portal: {} logged out by {}", printable(subject), who));
  return Json{{"count", count}, {"text", fmt::format("logged out {}", subject)}};
}

Json with_user(Gateway& gateway, Json request) {
  auto text_at = [&request](const char* key) {
    auto found = request.find(key);
    return found != request.end() && found->is_string() ? found->get<std::string>() : "";
  };
  std::string user = text_at("user");
  if (user.empty()) {
    const std::string source = text_at("src");
    const auto address = parse_ipv4(source.substr(0, source.find(':')));
    const LogIn* login = address ? gateway.log_ins().find(*address) : nullptr;
    if (login == nullptr) return request;
    request["user"] = user = login->user;
  }
  const config::User* account = gateway.accounts().find(user);
  if (request.contains("groups") || account == nullptr) return request;
  std::string groups;
  for (const std::string& group : gateway.accounts().book().groups_of(*account))
    groups += (groups.empty() ? "" : ",") + group;
  request["groups"] = groups;
  return request;
}

}  // namespace postern::admin
