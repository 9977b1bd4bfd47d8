// SPDX-License-Identifier: BSD-3-Clause
#include "control/apply/attempt.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "control/text_file.h"

namespace postern {

using Json = nlohmann::ordered_json;

std::string attempt_path(const std::string& state_dir) {
  return state_dir + "/start.json";
}

Result<void> write_attempt(const std::string& state_dir, const Attempt& attempt) {
  const Json json = {{"digest", attempt.digest}, {"fault", attempt.fault}};
  const std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  return write_text_file(attempt_path(state_dir), text);
}

std::optional<Attempt> read_attempt(const std::string& state_dir) {
  auto text = read_text_file(attempt_path(state_dir));
  if (!text) return std::nullopt;
  const Json json = Json::parse(*text, nullptr, false);
  auto is_text = [&json](const char* key) { return json.contains(key) && json[key].is_string(); };
  if (!json.is_object() || !is_text("digest") || !is_text("fault")) return std::nullopt;
  return Attempt{json["digest"], json["fault"]};
}

Result<void> remove_attempt(const std::string& state_dir) {
  const std::string path = attempt_path(state_dir);
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return Error{ErrorCode::failed, path + ": " + std::strerror(errno)};
}

}  // namespace postern
