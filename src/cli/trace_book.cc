// SPDX-License-Identifier: BSD-3-Clause
#include "cli/trace_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/capture_sink.h"

namespace postern::cli {
namespace {

bool is_stage(const Json& row, const char* stage) {
  return row.value("stage", "") == stage;
}

// The rows of each worker are in order; from one worker to the next leads a hand-over.
std::vector<Json> in_order(std::vector<Json> rows) {
  std::vector<Json> ordered;
  ordered.reserve(rows.size());
  auto begin = std::find_if(rows.begin(), rows.end(),
                            [](const Json& row) { return is_stage(row, "received"); });
  int64_t worker = begin != rows.end() ? begin->value("worker", int64_t{0}) : 0;
  while (!rows.empty()) {
    auto next = std::find_if(rows.begin(), rows.end(), [worker](const Json& row) {
      return row.value("worker", int64_t{0}) == worker;
    });
    if (next == rows.end()) next = rows.begin();
    worker = next->value(is_stage(*next, "handed-over") ? "to_worker" : "worker", int64_t{0});
    ordered.push_back(std::move(*next));
    rows.erase(next);
  }
  return ordered;
}

const Json* last_of(const std::vector<Json>& rows, const char* stage) {
  auto found = std::find_if(rows.rbegin(), rows.rend(),
                            [stage](const Json& row) { return is_stage(row, stage); });
  return found != rows.rend() ? &*found : nullptr;
}

const char* verdict_of(const std::vector<Json>& rows) {
  const Json* dropped = last_of(rows, "dropped");
  const Json* sent = last_of(rows, "sent");
  if (dropped != nullptr) {
    const bool is_answered = sent != nullptr && sent > dropped;
    return is_answered ? "answered" : "dropped";
  }
  if (sent == nullptr) return "waiting";
  return sent->value("interface", "") == "gateway" ? "delivered" : "forwarded";
}

Json packet_of(uint64_t number, std::vector<Json> rows) {
  rows = in_order(std::move(rows));
  const Json& first = rows.front();
  Json packet = {{"packet", number},
                 {"time", first.value("time", "")},
                 {"time_ns", first.value("time_ns", int64_t{0})},
                 {"verdict", verdict_of(rows)}};
  const Json* dropped = last_of(rows, "dropped");
  const Json* session = last_of(rows, "session");
  // Who drops names his own rule; what a session's packet was dropped for may have none.
  const Json* told =
      dropped != nullptr && (dropped->contains("rule") || session == nullptr) ? dropped : session;
  if (dropped != nullptr) packet["reason"] = dropped->value("reason", "");
  for (const char* key : {"rule", "line"}) {
    if (told != nullptr && told->contains(key)) packet[key] = (*told)[key];
  }
  packet["generation"] = rows.back().value("generation", int64_t{0});
  Json stages = Json::array();
  for (Json& row : rows) {
    row.erase("packet");
    stages.push_back(std::move(row));
  }
  packet["stages"] = std::move(stages);
  return packet;
}

std::string rule_text(const Json& row) {
  std::string text = "rule " + row.value("rule", "");
  if (row.contains("line")) text += fmt::format(" (line {})", row.value("line", 0));
  return text;
}

std::string stage_text(const Json& row) {
  const std::string stage = row.value("stage", "");
  if (stage == "session") {
    const std::string use = row.value("session", "");
    const std::string what = use == "opened"    ? "opened by "
                             : use == "reply"   ? "answer in one of "
                             : use == "related" ? "error about one of "
                                                : "packet of one of ";
    return what + rule_text(row);
  }
  if (stage == "handed-over") return fmt::format("to worker {}", row.value("to_worker", 0));
  std::string text = row.value("interface", "") + "  " + facts_of(row);
  if (row.contains("reason")) text += "  " + row.value("reason", "");
  if (row.contains("rule")) text += ", " + rule_text(row);
  return text;
}

std::string head_of(const Json& packet) {
  std::string head =
      fmt::format("{} {}  {}", packet.value("packet", 0),
                  clock_text(packet.value("time_ns", int64_t{0})), packet.value("verdict", ""));
  if (packet.contains("reason")) head += " " + packet.value("reason", "");
  if (packet.contains("rule")) head += ", " + rule_text(packet);
  return head + fmt::format(", policy {}\n", packet.value("generation", 0));
}

}  // namespace

TraceBook::Followed& TraceBook::find(int64_t number, bool is_begin, Instant now) {
  auto found = std::find_if(followed_.rbegin(), followed_.rend(), [&](const Followed& followed) {
    return followed.number == number && !(is_begin && followed.has_begin);
  });
  if (found != followed_.rend()) return *found;
  followed_.push_back({number, {}, now, now, false, false});
  return followed_.back();
}

void TraceBook::add(const Json& row, Instant now) {
  const int64_t number = row.value("packet", int64_t{0});
  if (number == 0) return;
  const bool is_begin = is_stage(row, "received");
  Followed& followed = find(number, is_begin, now);
  followed.touched = now;
  followed.has_begin = followed.has_begin || is_begin;
  followed.has_end = followed.has_end || is_stage(row, "sent") || is_stage(row, "dropped");
  followed.rows.push_back(row);
}

std::vector<Json> TraceBook::take(Instant now, bool is_last) {
  std::vector<Json> whole;
  std::deque<Followed> rest;
  const size_t excess = followed_.size() > kPacketsMax ? followed_.size() - kPacketsMax : 0;
  for (size_t i = 0; i < followed_.size(); ++i) {
    Followed& followed = followed_[i];
    const bool is_whole = followed.has_begin && followed.has_end && followed.touched < now;
    if (!is_whole && !is_last && i >= excess && now - followed.since < kPatience) {
      rest.push_back(std::move(followed));
    } else if (followed.has_begin) {
      whole.push_back(packet_of(++told_, std::move(followed.rows)));
    }
  }
  followed_ = std::move(rest);
  return whole;
}

std::string text_of_trace(const Json& packet) {
  std::string text = head_of(packet);
  for (const Json& row : packet.value("stages", Json::array()))
    text += fmt::format("    {:<12} {}\n", row.value("stage", ""), stage_text(row));
  for (const Json& stage : packet.value("decision", Json::array())) {
    std::string line =
        fmt::format("    decided: {:<15} {}", stage.value("stage", ""), stage.value("result", ""));
    if (stage.contains("item")) line += "  " + stage.value("item", "");
    if (stage.contains("line")) line += fmt::format(" (line {})", stage.value("line", 0));
    if (stage.contains("text")) line += "  " + stage.value("text", "");
    text += line + "\n";
  }
  return text;
}

}  // namespace postern::cli
