// SPDX-License-Identifier: BSD-3-Clause
// The explanation as JSON and, from that, as text; explain.cc is free of JSON, which is slow to
// compile.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "control/compile/policy_text.h"
#include "control/explain/explain.h"

namespace postern {
namespace {

const char* word_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::forward:
      return "forward";
    case Outcome::host:
    case Outcome::host_broadcast:
      return "host";
    case Outcome::deny:
      return "deny";
    case Outcome::drop:
    case Outcome::hairpin:
      break;
  }
  return "drop";
}

std::string sent_text(const Explanation& told, Endpoint endpoint) {
  std::string text = to_text(endpoint.address);
  if (!has_ports(told.packet.protocol)) return text;
  return text + ":" + (endpoint.port == 0 ? "*" : std::to_string(endpoint.port));
}

// What stands under `key`, or nothing: the JSON may come from another version of the program.
std::string text_at(const ExplainJson& json, const char* key) {
  auto member = json.find(key);
  return member != json.end() && member->is_string() ? member->get<std::string>() : "";
}

std::string number_at(const ExplainJson& json, const char* key) {
  auto member = json.find(key);
  return member != json.end() && member->is_number_unsigned() ? member->dump() : "";
}

std::string padded(std::string text, size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text + "  ";
}

std::string stage_text(const ExplainJson& stage, size_t name_width, size_t result_width) {
  std::string line =
      padded(text_at(stage, "stage"), name_width) + padded(text_at(stage, "result"), result_width);
  std::string item = text_at(stage, "item");
  std::string text = text_at(stage, "text");
  if (!item.empty()) {
    std::string place = number_at(stage, "line");
    line += item + (place.empty() ? "" : " (line " + place + ")") + (text.empty() ? "" : ": ");
  }
  line += text;
  line.erase(line.find_last_not_of(' ') + 1);
  return "  " + line + "\n";
}

std::string verdict_text(const ExplainJson& json) {
  std::string verdict = text_at(json, "verdict");
  std::string line = "verdict: " + verdict;
  std::string reason = text_at(json, "reason");
  if (!reason.empty()) return line + " (" + reason + ": " + text_at(json, "reason_help") + ")\n";
  if (verdict == "forward") {
    line += " by " + text_at(json, "out") + " to " + text_at(json, "next_hop");
  }
  auto sent = json.find("sent");
  if (sent == json.end() || !sent->is_object()) return line + "\n";
  return line + ", as " + text_at(*sent, "source") + " -> " + text_at(*sent, "destination") + "\n";
}

}  // namespace

ExplainJson to_json(const Explanation& told) {
  ExplainJson json;
  json["generation"] = told.generation;
  json["in"] = told.in;
  json["packet"] = to_text(told.packet);
  json["stages"] = ExplainJson::array();
  for (const Stage& stage : told.stages) {
    ExplainJson row = {{"stage", stage.name}, {"result", stage.result}};
    if (!stage.item.empty()) row["item"] = stage.item;
    if (stage.line != 0) row["line"] = stage.line;
    if (!stage.text.empty()) row["text"] = stage.text;
    json["stages"].push_back(std::move(row));
  }
  json["verdict"] = word_of(told.outcome);
  if (!told.rule.empty()) json["rule"] = told.rule;
  if (told.reason != DropReason::none) {
    json["reason"] = to_word(told.reason);
    json["reason_help"] = help_of(told.reason);
    return json;
  }
  json["out"] = told.out;
  if (told.outcome == Outcome::forward) json["next_hop"] = to_text(told.next_hop);
  json["sent"] = {{"source", sent_text(told, told.source)},
                  {"destination", sent_text(told, told.destination)}};
  return json;
}

std::string text_of(const ExplainJson& json) {
  std::string out = text_at(json, "packet") + " in by " + text_at(json, "in") +
                    ", policy generation " + number_at(json, "generation") + "\n";
  auto stages = json.find("stages");
  if (stages != json.end() && stages->is_array()) {
    size_t name_width = 0, result_width = 0;
    for (const ExplainJson& stage : *stages) {
      name_width = std::max(name_width, text_at(stage, "stage").size());
      result_width = std::max(result_width, text_at(stage, "result").size());
    }
    for (const ExplainJson& stage : *stages)
      out += stage_text(stage, name_width, result_width);
  }
  return out + verdict_text(json);
}

Result<ExplainJson> answer_explain(const Policy& policy, const ExplainJson& request) {
  auto words = words_of(request);
  if (!words) return words.error();
  auto packet = parse_packet(*words, policy);
  if (!packet) return packet.error();
  return to_json(explain(policy, *packet));
}

}  // namespace postern
