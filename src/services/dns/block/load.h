// SPDX-License-Identifier: BSD-3-Clause
// Files of block lists -> BlockSet, with a report for the user. Slow (about a second for a million
// names), so it runs on a thread of its own; see block_lists.h.
//
// Bounds: names_max for each of the two sets, 4096 octets a line (longer ones are bad), 1 GiB a
// file, NameSet::kListsMax files of each kind.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "services/dns/block/name_set.h"

namespace postern::dns {

struct BlockListSettings {
  std::vector<std::string> files = {};        // names to block
  std::vector<std::string> allow_files = {};  // names never to block, in the same formats
  std::vector<std::string> allow_names = {};  // each with the names below it
  size_t names_max = 4'000'000;               // of each of the two sets

  friend bool operator==(const BlockListSettings&, const BlockListSettings&) = default;
};

// What is blocked, and what is not after all: an exception wins whatever blocks the name.
struct BlockSet {
  NameSet blocked;
  NameSet allowed;

  // The number of the file in BlockListSettings::files that blocks `wire` (see NameSet::find).
  std::optional<uint8_t> find(std::span<const uint8_t> wire) const {
    const auto list = blocked.find(wire);
    return list && !allowed.find(wire) ? list : std::nullopt;
  }
};

struct BlockFileReport {
  std::string path;
  uint64_t names = 0;      // taken from its lines, doubles included
  uint64_t bad_lines = 0;  // skipped
  uint64_t no_room = 0;    // names beyond names_max
  std::string first_bad;   // "PATH:LINE: what is wrong"; empty for none
  std::string error;       // why the file could not be read (to its end)
};

struct LoadedBlockSet {
  BlockSet set;
  std::vector<BlockFileReport> reports;  // files, then allow_files

  bool is_whole() const;  // every file was read
};

// Reads all files. `stop` becoming true ends it early, with a result that is to be thrown away.
LoadedBlockSet load_block_set(const BlockListSettings& settings, const NameSetKey& key,
                              const std::atomic<bool>& stop);

}  // namespace postern::dns
