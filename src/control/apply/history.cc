// SPDX-License-Identifier: BSD-3-Clause
#include "control/apply/history.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "control/apply/trial.h"
#include "control/text_file.h"

namespace postern {
namespace {

using Json = nlohmann::ordered_json;

bool is_revision(const Json& json) {
  if (!json.is_object()) return false;
  for (const char* key : {"who", "source", "comment", "digest"}) {
    if (!json.contains(key) || !json[key].is_string()) return false;
  }
  for (const char* key : {"time", "bytes"}) {
    if (!json.contains(key) || !json[key].is_number_unsigned()) return false;
  }
  return true;
}

// Of "000012.json"; 0: another name.
uint32_t number_of(const std::filesystem::path& file) {
  std::string stem = file.stem().string();
  bool is_number =
      !stem.empty() && stem.size() <= 9 &&
      std::all_of(stem.begin(), stem.end(), [](char c) { return c >= '0' && c <= '9'; });
  return is_number && file.extension() == ".json" ? static_cast<uint32_t>(std::stoul(stem)) : 0;
}

}  // namespace

std::string History::path(uint32_t number, const char* suffix) const {
  return fmt::format("{}/{:06}{}", directory_, number, suffix);
}

Result<void> History::open() {
  revisions_.clear();
  if (mkdir(directory_.c_str(), 0750) != 0 && errno != EEXIST) {
    return Error{ErrorCode::failed, directory_ + ": " + std::strerror(errno)};
  }
  std::error_code wrong;
  std::string not_understood;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, wrong)) {
    uint32_t number = number_of(entry.path());
    if (number == 0) continue;
    last_number_ = std::max(last_number_, number);
    auto text = read_text_file(entry.path());
    Json json = text ? Json::parse(*text, nullptr, false) : Json();
    if (!is_revision(json)) {
      not_understood = entry.path();
      continue;
    }
    revisions_.push_back({number, json["time"], json["who"], json["source"], json["comment"],
                          json["digest"], json["bytes"]});
  }
  if (wrong) return Error{ErrorCode::failed, directory_ + ": " + wrong.message()};
  std::sort(revisions_.begin(), revisions_.end(),
            [](const Revision& a, const Revision& b) { return a.number < b.number; });
  if (not_understood.empty()) return {};
  return Error{ErrorCode::invalid, not_understood + " is not understood"};
}

Result<void> History::add(Revision revision, std::string_view text) {
  revision.digest = digest_of(text);
  revision.bytes = text.size();
  if (!revisions_.empty() && revisions_.back().digest == revision.digest) return {};
  revision.number = last_number_ + 1;
  if (auto done = write_text_file(path(revision.number, ".yaml"), text); !done) return done;
  Json json = {{"time", revision.time},     {"who", revision.who},
               {"source", revision.source}, {"comment", revision.comment},
               {"digest", revision.digest}, {"bytes", revision.bytes}};
  std::string about = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  if (auto done = write_text_file(path(revision.number, ".json"), about); !done) return done;
  last_number_ = revision.number;
  revisions_.push_back(std::move(revision));
  forget_oldest();
  return {};
}

void History::forget_oldest() {
  uint64_t bytes = 0;
  for (const Revision& revision : revisions_)
    bytes += revision.bytes;
  size_t gone = 0;
  while (revisions_.size() - gone > kRevisionsMax ||
         (bytes > kBytesMax && revisions_.size() - gone > 1)) {
    const Revision& oldest = revisions_[gone++];
    bytes -= oldest.bytes;
    unlink(path(oldest.number, ".json").c_str());
    unlink(path(oldest.number, ".yaml").c_str());
  }
  revisions_.erase(revisions_.begin(), revisions_.begin() + static_cast<std::ptrdiff_t>(gone));
}

Result<std::string> History::text(uint32_t number) const {
  bool is_known = std::any_of(revisions_.begin(), revisions_.end(),
                              [&](const Revision& r) { return r.number == number; });
  if (!is_known) {
    return Error{ErrorCode::not_found,
                 fmt::format("there is no revision {}; `postern history` lists them", number)};
  }
  return read_text_file(path(number, ".yaml"));
}

}  // namespace postern
