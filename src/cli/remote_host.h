// SPDX-License-Identifier: BSD-3-Clause
// Gateways that this user knows: their names and their keys, one on a line of a file,
// "gateway.example:44333 ed25519:KEY". Lines that begin with # are remarks. Log-in pages and their
// certificates are in a file of the same form. Bounded: a file of 4 MiB. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "control/remote/channel/keys.h"

namespace postern::cli {

struct HostName {
  std::string name;
  uint16_t port = 0;
  std::string text() const { return name + ":" + std::to_string(port); }
};
// "gateway.example", "192.0.2.1:4000"; the port is that of the protocol where none is said.
Result<HostName> parse_host(const std::string& text);

struct KnownLine {
  std::string value;  // behind the host
  unsigned line = 0;
};
// The first line of a host; nothing: there is none, or no file.
Result<std::optional<KnownLine>> find_known_line(const std::string& path, const std::string& host);
Result<void> add_known_line(const std::string& path, const std::string& host,
                            const std::string& value);

struct KnownHost {
  remote::PublicKey key = {};
  unsigned line = 0;
};
// Nothing: not in the file, or there is no file. A line that is not understood is an error.
Result<std::optional<KnownHost>> find_known_host(const std::string& path, const std::string& host);
Result<void> add_known_host(const std::string& path, const std::string& host,
                            const remote::PublicKey& key);

// What to think of a key that a gateway has proved to be its own.
struct KeyOpinion {
  enum class Word { known, unknown, refused } word = Word::refused;
  std::string why;  // with refused: what it means and what to do
};
// `wanted`: the one key that is right, whatever the file says; empty: the file decides.
Result<KeyOpinion> judge_key(const std::string& path, const std::string& host,
                             const remote::PublicKey& key, const std::string& wanted);

}  // namespace postern::cli
