// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/changes.h"

#include <charconv>
#include <optional>
#include <utility>

#include "control/admin/roles.h"
#include "control/admin/show.h"
#include "control/admin/who.h"
#include "control/check.h"
#include "control/config/load.h"
#include "control/explain/lock_out.h"
#include "control/gateway.h"
#include "control/remote/shut_out.h"

namespace postern::admin {
namespace {

constexpr int64_t kSecond = 1'000'000'000;  // ns
constexpr uint64_t kTrialMaxSeconds = Changes::kTrialMax.ns / kSecond;
// Of a change that would cut off who makes it, unless they say otherwise.
constexpr Duration kCautiousTrial = seconds(300);

struct Asked {
  Json request;
  Peer peer;
};

// The connection that the request comes by: its own, or the SSH session that it tells of; what is
// not understood is not there.
std::optional<AdminConnection> connection_of(const Asked& asked) {
  if (asked.peer.connection) return asked.peer.connection;
  const Json ssh = asked.request.value("ssh", Json());
  if (!ssh.is_object()) return std::nullopt;
  auto endpoint = [&ssh](const char* address, const char* port) -> std::optional<Endpoint> {
    auto parsed = parse_ipv4(ssh.value(address, std::string()));
    std::string digits = ssh.value(port, std::string());
    uint16_t number = 0;
    auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (!parsed || wrong != std::errc() || *end != 0) return std::nullopt;
    return Endpoint{*parsed, number};
  };
  auto client = endpoint("client", "client_port");
  auto server = endpoint("server", "server_port");
  if (!client || !server) return std::nullopt;
  return AdminConnection{*client, *server};
}

void answer(const ReloadReport& report, Gateway& gateway, Reply& reply) {
  Json findings = {{"findings", findings_json(report.findings)}};
  if (!report.done) return reply.refuse({report.code, report.text}, findings);
  Json result = {{"changed", report.changed},
                 {"generation", gateway.publisher().current()->generation},
                 {"text", report.text}};
  if (report.saved) result["saved"] = *report.saved;
  if (!report.sections.empty()) result["sections"] = report.sections;
  if (report.changed && !gateway.changes().history().revisions().empty() &&
      !gateway.changes().trial()) {
    result["revision"] = gateway.changes().history().revisions().back().number;
  }
  Json trial = trial_json(gateway);
  if (!trial.is_null()) result["trial"] = std::move(trial);
  result.update(findings);
  reply.done(result);
}

Result<Change> change_of(const Json& request, const Peer& peer) {
  auto trial_s = number_of(request, {"trial_s", "--confirm", 0, kTrialMaxSeconds, 0});
  if (!trial_s) return std::move(trial_s).error();
  Change change;
  change.who = who_is(peer);
  change.save = request.value("save", false);
  change.base = request.value("base", std::string());
  change.comment = printable(request.value("comment", std::string()));
  change.trial = seconds(static_cast<int64_t>(*trial_s));
  return change;
}

// Why the session of the request would be cut off by what is previewed.
std::optional<std::string> lock_out_of(Gateway& gateway, const Asked& asked,
                                       const Reload::Preview& preview) {
  auto connection = connection_of(asked);
  if (!connection || !preview.policy) return std::nullopt;
  auto why = locks_out(*gateway.publisher().current(), *preview.policy, *connection);
  if (why || !asked.peer.connection) return why;
  const config::User* user = gateway.accounts().find(asked.peer.account);
  if (user != nullptr && !gateway.accounts().book().is_local(*user)) user = nullptr;
  return remote::shuts_out(preview.model, *preview.policy, {*connection, asked.peer.account, user});
}

// C01: whoever would lock themselves out gets a trial, asked for or not.
std::optional<std::string> why_cautious(Gateway& gateway, const Asked& asked,
                                        const std::string& text) {
  if (!connection_of(asked) || asked.request.contains("trial_s")) return std::nullopt;
  return lock_out_of(gateway, asked, gateway.configuration().preview(text));
}

void apply_judged(Gateway& gateway, const Asked& asked, Change change, Reply& reply) {
  auto why = why_cautious(gateway, asked, change.text);
  if (why) change.trial = kCautiousTrial;
  ReloadReport report = gateway.changes().apply(std::move(change));
  if (why && report.done) report.text = *why + "; " + report.text;
  answer(report, gateway, reply);
}

void apply(Gateway& gateway, Asked asked, Change change, Reply reply) {
  const std::string text = change.text;
  gateway.judge(text, Effect::changes,
                [&gateway, asked = std::move(asked), change = std::move(change),
                 reply](const Result<void>& judged) mutable {
                  if (!judged) return reply.refuse(judged.error());
                  apply_judged(gateway, asked, std::move(change), reply);
                });
}

Result<uint32_t> revision_of(const Json& request) {
  auto number = number_of(request, {"revision", "REVISION", 0, UINT32_MAX, std::nullopt});
  if (!number) return std::move(number).error();
  return static_cast<uint32_t>(*number);
}

void rollback(Gateway& gateway, Asked asked, Change change, Reply reply) {
  auto number = revision_of(asked.request);
  if (!number) return reply.refuse(number.error());
  auto text = gateway.changes().history().text(*number);
  if (!text) return reply.refuse(text.error());
  change.text = std::move(*text);
  change.source = "rollback to " + std::to_string(*number);
  apply(gateway, std::move(asked), std::move(change), std::move(reply));
}

void plan_judged(Gateway& gateway, const Asked& asked, Reply& reply) {
  Reload::Preview preview =
      gateway.configuration().preview(asked.request.at("text").get<std::string>());
  Json findings = {{"findings", findings_json(preview.report.findings)}};
  if (!preview.report.done) {
    return reply.refuse({preview.report.code, preview.report.text}, findings);
  }
  Json result = {{"changed", preview.report.changed},
                 {"base", digest_of(gateway.configuration().text())},
                 {"restart", preview.restart},
                 {"outage_s", preview.restart.empty() ? 0.0 : gateway.status().start_s},
                 {"locks_out", Json()}};
  if (auto why = lock_out_of(gateway, asked, preview)) {
    result["locks_out"] = *why;
  }
  result.update(findings);
  if (!preview.policy || !preview.restart.empty()) return reply.done(result);
  count_ending_sessions(gateway, std::move(preview.policy), std::move(result), std::move(reply));
}

void plan(Gateway& gateway, Asked asked, Reply reply) {
  const auto text = asked.request.at("text").get<std::string>();
  gateway.judge(text, Effect::asks,
                [&gateway, asked = std::move(asked), reply](const Result<void>& judged) mutable {
                  if (!judged) return reply.refuse(judged.error());
                  plan_judged(gateway, asked, reply);
                });
}

Json revision_json(const Revision& revision) {
  return {{"revision", revision.number}, {"time", utc_text(revision.time)},
          {"who", revision.who},         {"source", revision.source},
          {"comment", revision.comment}, {"bytes", revision.bytes},
          {"digest", revision.digest}};
}

Json history_json(Gateway& gateway) {
  Json list = Json::array();
  Json in_force;
  const std::string digest = digest_of(gateway.configuration().text());
  for (const Revision& revision : gateway.changes().history().revisions()) {
    list.push_back(revision_json(revision));
    if (revision.digest == digest) in_force = revision.number;
  }
  Json result = {{"revisions", std::move(list)}, {"in_force", in_force}, {"digest", digest}};
  Json trial = trial_json(gateway);
  if (!trial.is_null()) result["trial"] = std::move(trial);
  return result;
}

// Whoever watches a trial may end that one only.
bool is_another_trial(Gateway& gateway, const Json& request) {
  const auto& trial = gateway.changes().trial();
  return trial && request.contains("trial") && request["trial"] != trial->digest;
}

using EndTrial = ReloadReport (Changes::*)(const std::string& who);

Handler ends_trial(Gateway& gateway, EndTrial end) {
  return [&gateway, end](const Json& request, const Peer& peer, Reply reply) {
    if (is_another_trial(gateway, request)) {
      return reply.refuse({ErrorCode::failed, "another change is on trial by now"});
    }
    answer((gateway.changes().*end)(who_is(peer)), gateway, reply);
  };
}

void show_config(Gateway& gateway, const Json& request, const Peer& peer, Reply& reply) {
  Json result = Json::object();
  std::string text = gateway.configuration().text();
  if (request.contains("revision")) {
    auto number = revision_of(request);
    if (!number) return reply.refuse(number.error());
    auto kept = gateway.changes().history().text(*number);
    if (!kept) return reply.refuse(kept.error());
    text = std::move(*kept);
    result["revision"] = *number;
  }
  if (peer.role < config::Role::admin) {
    auto shown = without_hashes(text, config::load(text).model.users);
    if (!shown) return reply.refuse(shown.error());
    text = std::move(*shown);
  }
  result["text"] = std::move(text);
  reply.done(result);
}

}  // namespace

Json trial_json(Gateway& gateway) {
  const auto& trial = gateway.changes().trial();
  if (!trial) return {};
  return {{"who", trial->change.who},
          {"comment", trial->change.comment},
          {"digest", trial->digest},
          {"until", utc_text(trial->until)},
          {"seconds_left", (gateway.changes().time_left().ns + kSecond - 1) / kSecond},
          {"is_late", trial->is_late}};
}

void add_change_commands(Dispatcher& dispatcher, Gateway& gateway) {
  dispatcher.add("plan", [&gateway](const Json& request, const Peer& peer, Reply reply) {
    plan(gateway, {request, peer}, std::move(reply));
  });
  dispatcher.add(
      "apply",
      [&gateway](const Json& request, const Peer& peer, Reply reply) {
        auto change = change_of(request, peer);
        if (!change) return reply.refuse(change.error());
        change->text = request.at("text").get<std::string>();
        apply(gateway, {request, peer}, std::move(*change), std::move(reply));
      },
      Effect::changes);
  dispatcher.add("confirm", ends_trial(gateway, &Changes::confirm), Effect::changes);
  dispatcher.add("revert", ends_trial(gateway, &Changes::take_back), Effect::changes);
  dispatcher.add(
      "rollback",
      [&gateway](const Json& request, const Peer& peer, Reply reply) {
        auto change = change_of(request, peer);
        if (!change) return reply.refuse(change.error());
        rollback(gateway, {request, peer}, std::move(*change), std::move(reply));
      },
      Effect::changes);
  dispatcher.add("history", [&gateway](const Json&, const Peer&, Reply reply) {
    reply.done(history_json(gateway));
  });
  dispatcher.add("show config", [&gateway](const Json& request, const Peer& peer, Reply reply) {
    show_config(gateway, request, peer, reply);
  });
}

}  // namespace postern::admin
