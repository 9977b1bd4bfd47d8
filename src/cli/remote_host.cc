// SPDX-License-Identifier: BSD-3-Clause
#include "cli/remote_host.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <sstream>

#include "control/remote/channel/handshake.h"
#include "control/text_file.h"

namespace postern::cli {

Result<HostName> parse_host(const std::string& text) {
  HostName host{text, remote::kDefaultPort};
  const size_t colon = text.find(':');
  if (colon != std::string::npos) {
    host.name = text.substr(0, colon);
    const char* end = text.data() + text.size();
    auto [at, wrong] = std::from_chars(text.data() + colon + 1, end, host.port);
    if (wrong != std::errc() || at != end || host.port == 0) host.name.clear();
  }
  const bool is_sound = !host.name.empty() && host.name.size() <= 253 &&
                        host.name.find_first_not_of(
                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                            "0123456789.-_") == std::string::npos;
  if (is_sound) return host;
  return Error{ErrorCode::invalid, "--host takes NAME or NAME:PORT, not `" + text + "`"};
}

Result<std::optional<KnownLine>> find_known_line(const std::string& path, const std::string& host) {
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) return std::optional<KnownLine>();
  auto text = read_text_file(path);
  if (!text) return std::move(text).error();
  std::istringstream lines(*text);
  unsigned number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    const size_t space = line.find(' ');
    if (line.substr(0, space) != host) continue;
    return std::optional<KnownLine>(
        {space == std::string::npos ? std::string() : line.substr(space + 1), number});
  }
  return std::optional<KnownLine>();
}

Result<std::optional<KnownHost>> find_known_host(const std::string& path, const std::string& host) {
  auto found = find_known_line(path, host);
  if (!found) return std::move(found).error();
  if (!*found) return std::optional<KnownHost>();
  const unsigned number = (*found)->line;
  auto key = remote::parse_public_key((*found)->value);
  if (key) return std::optional<KnownHost>({*key, number});
  return Error{ErrorCode::invalid, fmt::format("{}:{}: is not HOST:PORT and a key", path, number)};
}

Result<void> add_known_host(const std::string& path, const std::string& host,
                            const remote::PublicKey& key) {
  return add_known_line(path, host, remote::to_text(key));
}

Result<void> add_known_line(const std::string& path, const std::string& host,
                            const std::string& value) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  // The last line may have been written by hand, without its end.
  char last = '\n';
  const off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
  const bool has_rest = size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
  const std::string line = fmt::format("{}{} {}\n", has_rest ? "\n" : "", host, value);
  const bool is_done = fd >= 0 &&
                       write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
                       fsync(fd) == 0;
  Error error{ErrorCode::failed, path + ": " + std::strerror(errno)};
  if (fd >= 0) close(fd);
  if (!is_done) return error;
  return {};
}

Result<KeyOpinion> judge_key(const std::string& path, const std::string& host,
                             const remote::PublicKey& key, const std::string& wanted) {
  using Word = KeyOpinion::Word;
  const std::string is = remote::to_text(key);
  if (!wanted.empty()) {
    if (!remote::parse_public_key(wanted)) {
      return Error{ErrorCode::invalid,
                   "--fingerprint takes ed25519: and a key, not `" + wanted + "`"};
    }
    if (wanted == is) return KeyOpinion{Word::known, ""};
    return KeyOpinion{
        Word::refused,
        fmt::format("{} has the key {}, not that of --fingerprint: somebody may be in "
                    "between; nothing was told to it",
                    host, is)};
  }
  auto known = find_known_host(path, host);
  if (!known) return std::move(known).error();
  if (!*known) return KeyOpinion{Word::unknown, ""};
  if ((*known)->key == key) return KeyOpinion{Word::known, ""};
  return KeyOpinion{
      Word::refused,
      fmt::format("the key of {} has changed: somebody may be in between; nothing was told to it. "
                  "It was {} and is {}. If the gateway has got a new key (`postern show remote` on "
                  "the gateway itself tells it), remove line {} of {}",
                  host, remote::to_text((*known)->key), is, (*known)->line, path)};
}

}  // namespace postern::cli
