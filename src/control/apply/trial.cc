// SPDX-License-Identifier: BSD-3-Clause
#include "control/apply/trial.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "control/text_file.h"

namespace postern {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kDigestBytes = 32;

bool has_members(const Json& json, std::initializer_list<const char*> texts,
                 std::initializer_list<const char*> times) {
  auto is_text = [&json](const char* key) { return json.contains(key) && json[key].is_string(); };
  auto is_time = [&json](const char* key) {
    return json.contains(key) && json[key].is_number_integer();
  };
  return json.is_object() && std::all_of(texts.begin(), texts.end(), is_text) &&
         std::all_of(times.begin(), times.end(), is_time);
}

std::optional<TrialRecord> record_of(const Json& json) {
  if (!json.is_object() || !json.contains("on_trial") || !json.contains("refused") ||
      !json["refused"].is_array()) {
    return std::nullopt;
  }
  TrialRecord record;
  if (const Json& on_trial = json["on_trial"]; !on_trial.is_null()) {
    if (!has_members(on_trial, {"digest", "who"}, {"since", "until"})) return std::nullopt;
    record.on_trial = {on_trial["digest"], on_trial["who"], on_trial["since"], on_trial["until"]};
  }
  for (const Json& text : json["refused"]) {
    if (!has_members(text, {"digest", "who"}, {"since"})) return std::nullopt;
    record.refuse({text["digest"], text["who"], text["since"]});
  }
  return record;
}

}  // namespace

bool TrialRecord::refuses(std::string_view digest) const {
  return std::any_of(refused.begin(), refused.end(),
                     [digest](const Refused& text) { return text.digest == digest; });
}

void TrialRecord::refuse(Refused text) {
  forgive(text.digest);
  refused.push_back(std::move(text));
  if (refused.size() > kRefusedMax) refused.erase(refused.begin());
}

bool TrialRecord::forgive(std::string_view digest) {
  auto is_it = [digest](const Refused& text) { return text.digest == digest; };
  auto end = std::remove_if(refused.begin(), refused.end(), is_it);
  const bool was_there = end != refused.end();
  refused.erase(end, refused.end());
  return was_there;
}

void TrialRecord::end_trial(std::time_t now) {
  if (!on_trial) return;
  refuse({on_trial->digest, on_trial->who, now});
  on_trial.reset();
}

std::string digest_of(std::string_view text) {
  std::array<unsigned char, kDigestBytes> digest = {};
  crypto_generichash(digest.data(), digest.size(),
                     reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr, 0);
  std::array<char, kDigestBytes* 2 + 1> words = {};
  return sodium_bin2hex(words.data(), words.size(), digest.data(), digest.size());
}

std::string trial_path(const std::string& state_dir) {
  return state_dir + "/trial.json";
}

Result<void> write_trial(const std::string& state_dir, const TrialRecord& record) {
  Json on_trial;
  if (record.on_trial) {
    on_trial = {{"digest", record.on_trial->digest},
                {"who", record.on_trial->who},
                {"since", record.on_trial->since},
                {"until", record.on_trial->until}};
  }
  Json refused = Json::array();
  for (const TrialRecord::Refused& text : record.refused)
    refused.push_back({{"digest", text.digest}, {"who", text.who}, {"since", text.since}});
  Json json = {{"on_trial", std::move(on_trial)}, {"refused", std::move(refused)}};
  std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  return write_text_file(trial_path(state_dir), text);
}

Result<TrialRecord> read_trial(const std::string& state_dir) {
  auto text = read_text_file(trial_path(state_dir));
  if (!text && text.error().code == ErrorCode::not_found) return TrialRecord();
  if (!text) return std::move(text).error();
  auto record = record_of(Json::parse(*text, nullptr, false));
  if (!record) return Error{ErrorCode::invalid, trial_path(state_dir) + " is not understood"};
  return std::move(*record);
}

}  // namespace postern
