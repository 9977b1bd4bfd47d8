// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/logs.h"

#include <algorithm>
#include <utility>

#include "control/gateway.h"
#include "control/log/log_line.h"

namespace postern::admin {
namespace {

constexpr uint64_t kLinesMax = LogWindow::kWindowLines * config::kLogs;
constexpr uint64_t kSinceMaxSeconds = uint64_t{10} * 365 * 24 * 3600;
constexpr int64_t kNsPerSecond = 1'000'000'000;

Result<std::vector<config::LogName>> logs_of(const Json& request) {
  std::vector<config::LogName> logs;
  for (const Json& word : request.value("logs", Json::array())) {
    const auto* known = std::find_if(config::kLogTable.begin(), config::kLogTable.end(),
                                     [&](const auto& log) { return word == log.word; });
    if (known == config::kLogTable.end()) {
      return Error{ErrorCode::not_found, "there is no log " + printable(word.dump()).substr(0, 40)};
    }
    logs.push_back(known->name);
  }
  return logs;
}

struct Wanted {
  LogFilter filter;
  size_t lines = 0;
};

Result<Wanted> wanted_of(const Json& request) {
  Wanted wanted;
  auto logs = logs_of(request);
  if (!logs) return std::move(logs).error();
  auto lines = number_of(request, {"lines", "-n", 0, kLinesMax, 20});
  if (!lines) return std::move(lines).error();
  auto since_s = number_of(request, {"since_s", "--since", 0, kSinceMaxSeconds, 0});
  if (!since_s) return std::move(since_s).error();
  wanted.filter.logs = std::move(*logs);
  wanted.filter.rule = request.value("rule", std::string());
  wanted.filter.action = request.value("action", std::string());
  wanted.filter.host = request.value("host", std::string());
  if (*since_s > 0) {
    wanted.filter.since_ns = wall_now_ns() - static_cast<int64_t>(*since_s) * kNsPerSecond;
  }
  wanted.lines = static_cast<size_t>(*lines);
  return wanted;
}

template <typename Lines>
Json lines_json(const Lines& lines, const Json& request) {
  const bool with_fields = request.value("fields", false);
  Json list = Json::array();
  for (const LogWindow::Line& line : lines) {
    Json row = {{"log", to_word(line.log)}};
    if (with_fields) {
      Json fields = Json::object();
      for (const LogField& field : read_log_line(line.text))
        fields[std::string(field.key)] = field.value;
      row["fields"] = std::move(fields);
    } else {
      row["text"] = line.text;
    }
    list.push_back(std::move(row));
  }
  return list;
}

void tail(Gateway& gateway, const Json& request, Reply& reply) {
  auto wanted = wanted_of(request);
  if (!wanted) return reply.refuse(wanted.error());
  const LogWindow::Tail tail = gateway.logs().window().tail(wanted->filter, wanted->lines);
  reply.done({{"lines", lines_json(tail.lines, request)}, {"cut", tail.is_cut}});
}

void follow(Gateway& gateway, const Json& request, const Peer& peer, Reply& reply) {
  auto wanted = wanted_of(request);
  if (!wanted) return reply.refuse(wanted.error());
  auto followed =
      gateway.logs().window().follow(std::move(wanted->filter), peer.uid, wanted->lines);
  if (!followed) return reply.refuse(followed.error());
  reply.done({{"follower", followed->id},
              {"lines", lines_json(followed->tail.lines, request)},
              {"cut", followed->tail.is_cut}});
}

void read(Gateway& gateway, const Json& request, const Peer& peer, Reply& reply) {
  auto id = number_of(request, {"follower", "follower", 1, UINT32_MAX, std::nullopt});
  if (!id) return reply.refuse(id.error());
  auto batch = gateway.logs().window().read(static_cast<uint32_t>(*id), peer.uid);
  if (!batch) return reply.refuse({ErrorCode::not_found, "the log is not followed any more"});
  reply.done({{"lines", lines_json(batch->lines, request)}, {"lost", batch->lost}});
}

}  // namespace

void add_log_commands(Dispatcher& dispatcher, Gateway& gateway) {
  dispatcher.add("log tail", [&gateway](const Json& request, const Peer&, Reply reply) {
    tail(gateway, request, reply);
  });
  dispatcher.add("log follow", [&gateway](const Json& request, const Peer& peer, Reply reply) {
    follow(gateway, request, peer, reply);
  });
  dispatcher.add("log read", [&gateway](const Json& request, const Peer& peer, Reply reply) {
    read(gateway, request, peer, reply);
  });
}

}  // namespace postern::admin
