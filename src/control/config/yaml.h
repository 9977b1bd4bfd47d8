// SPDX-License-Identifier: BSD-3-Clause
// Strict reader of the YAML subset that configuration files use. Text -> tree of nodes with marks.
//
// Theory of operation: yaml-cpp is used for its event stream alone (Parser and EventHandler); the
// tree is ours, so that nothing of YAML that surprises a user survives: no duplicate keys, anchors,
// aliases, merge keys, tags, directives or second documents, no tabs, no invalid UTF-8. Scalars
// stay text and remember whether they were quoted; what they mean is up to the field that reads
// them. This file is the only user of yaml-cpp, and its exceptions end here.
//
// Bounds: kFileBytesMax, kNodesMax, kDepthMax. Thread: control. Columns count bytes from 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/model.h"

namespace postern::config {

class Report;

constexpr size_t kFileBytesMax = 4u << 20;  // 65,535 rules of 60 bytes
constexpr size_t kNodesMax = 200'000;       // scalars, lists and maps; ends memory bombs
constexpr size_t kDepthMax = 32;            // the format itself needs 7

// refused: something that is not allowed stood here and was reported; readers pass over it.
enum class NodeKind : uint8_t { null, scalar, list, map, refused };

struct Entry;

struct Node {
  NodeKind kind = NodeKind::null;
  bool quoted = false;  // scalars: in quotes or a block, so never a boolean or a number
  Mark mark;
  std::string text;            // scalars
  std::vector<Entry> entries;  // lists: keys are empty; maps: in file order, keys unique
};

struct Entry {
  std::string key;
  Mark mark;  // of the key
  Node value;
};

// nullptr when `map` has no such key.
const Node* find_entry(const Node& map, std::string_view key);

// The single document of `text`. Anything refused goes into `report`; nullopt when reading could
// not go on to the end. An empty document is a null node.
std::optional<Node> read_yaml(std::string_view text, Report& report);

}  // namespace postern::config
