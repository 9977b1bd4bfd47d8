// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <istream>
#include <numeric>
#include <streambuf>
#include <utility>

#include "control/config/report.h"
#include "control/config/yaml_text.h"

namespace postern::config {
namespace {

constexpr std::string_view kMergeKey = "<<";

// Thrown through yaml-cpp to end its run; the finding is in the report already.
struct Stop {};

Mark to_mark(const YAML::Mark& mark) {
  if (mark.line < 0) return {};
  return {static_cast<uint32_t>(mark.line) + 1, static_cast<uint32_t>(mark.column) + 1};
}

// Reads the caller's text in place; std::istringstream would copy it.
class TextBuffer : public std::streambuf {
 public:
  explicit TextBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // streambuf's interface; it is only read
    setg(begin, begin, begin + text.size());
  }
};

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, Report& report) : text_(text), report_(report) {}

  Node take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) stop(mark, "a second document or stray text begins here; one is allowed");
  }
  void OnDocumentEnd() override {}

  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    refuse(mark, "anchor &" + name.substr(0, 40) + " is not allowed: write the value out");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "alias * is not allowed: write the value out");
    place(mark)->kind = NodeKind::refused;
  }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    if (expects_key()) stop(mark, "a key is missing here");
    Node* node = place(mark);
    // yaml-cpp marks a missing value with the token after it; the key is the better place.
    if (!open_.empty() && open_.back().node->kind == NodeKind::map) {
      node->mark = open_.back().node->entries.back().mark;
    }
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    bool lone_tag = at(mark) == '!';
    if (lone_tag || (tag != "?" && tag != "!")) refuse_tag(mark);
    if (expects_key()) return add_key(mark, value);
    Node* node = place(mark);
    node->kind = NodeKind::scalar;
    node->quoted = tag == "!";
    node->text = value;
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, NodeKind::list);
  }
  void OnSequenceEnd() override { open_.pop_back(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, NodeKind::map);
  }
  void OnMapEnd() override {
    Node& map = *open_.back().node;
    drop_duplicates(map);
    std::erase_if(map.entries, [](const Entry& entry) { return entry.key == kMergeKey; });
    open_.pop_back();
  }

 private:
  // A list or map whose end has not come. The node is stable: its parent grows only after it.
  struct Open {
    Node* node;
    bool has_key;  // maps: a key waits for its value
  };

  char at(const YAML::Mark& mark) const {
    auto i = static_cast<size_t>(mark.pos);
    return i < text_.size() ? text_[i] : '\0';
  }

  void refuse(const YAML::Mark& mark, std::string text) {
    report_.error(to_mark(mark), "", std::move(text));
  }
  void refuse_tag(const YAML::Mark& mark) {
    refuse(mark, "tags (!) are not allowed: values are typed by their key");
  }
  [[noreturn]] void stop(const YAML::Mark& mark, std::string text) {
    refuse(mark, std::move(text));
    throw Stop{};
  }

  bool expects_key() const {
    return !open_.empty() && open_.back().node->kind == NodeKind::map && !open_.back().has_key;
  }

  void add_key(const YAML::Mark& mark, const std::string& key) {
    if (key == kMergeKey) refuse(mark, "merge key << is not allowed: write the keys out");
    open_.back().node->entries.push_back({key, to_mark(mark), Node{}});
    open_.back().has_key = true;
  }

  // The node that the next value fills.
  Node* place(const YAML::Mark& mark) {
    if (++nodes_ > kNodesMax) stop(mark, "the file has more than 200,000 values");
    Node* node = &root_;
    if (!open_.empty()) {
      Open& parent = open_.back();
      // A '{' without its '}' comes from yaml-cpp as if it were a key itself.
      if (expects_key()) stop(mark, "a key must be a word; is a '}' or ']' missing?");
      if (parent.node->kind == NodeKind::list) parent.node->entries.push_back({"", {}, Node{}});
      parent.has_key = false;
      node = &parent.node->entries.back().value;
    }
    node->mark = to_mark(mark);
    return node;
  }

  void open(const YAML::Mark& mark, const std::string& tag, NodeKind kind) {
    if (open_.size() == kDepthMax) stop(mark, "nested deeper than 32 levels");
    if (tag != "?") refuse_tag(mark);
    Node* node = place(mark);
    node->kind = kind;
    open_.push_back({node, false});
  }

  void drop_duplicates(Node& map) {
    std::vector<Entry>& entries = map.entries;
    std::vector<size_t> order(entries.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return entries[a].key < entries[b].key; });
    std::vector<bool> extra(entries.size(), false);
    size_t first = 0;
    for (size_t i = 1; i < order.size(); ++i) {
      if (entries[order[i]].key != entries[order[first]].key) {
        first = i;
        continue;
      }
      extra[order[i]] = true;
      report_.error(entries[order[i]].mark, "",
                    "duplicate key " + quote(entries[order[i]].key) + ", first in line " +
                        std::to_string(entries[order[first]].mark.line));
    }
    size_t kept = 0;
    for (size_t i = 0; i < entries.size(); ++i) {
      if (extra[i]) continue;
      if (kept != i) entries[kept] = std::move(entries[i]);
      ++kept;
    }
    entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(kept), entries.end());
  }

  std::string_view text_;
  Report& report_;
  Node root_;
  std::vector<Open> open_;
  size_t nodes_ = 0;
  int documents_ = 0;
};

struct Advice {
  std::string_view message;  // of yaml-cpp
  std::string_view advice;
};

// yaml-cpp's own words, without its "yaml-cpp: error at line" in front; frequent cases explained.
std::string explain(const YAML::Exception& exception) {
  for (std::string_view about_alias :
       {YAML::ErrorMsg::ALIAS_NOT_FOUND, YAML::ErrorMsg::UNKNOWN_ANCHOR}) {
    if (std::string_view(exception.msg).substr(0, about_alias.size()) == about_alias) {
      return "alias * is not allowed; put the value in quotes if * is meant";
    }
  }
  // The slips of a hand that edits, and what they look like to yaml-cpp.
  const Advice advices[] = {
      {YAML::ErrorMsg::END_OF_MAP,
       "is this line indented unlike its neighbours, or a ':' missing?"},
      {YAML::ErrorMsg::END_OF_SEQ,
       "is this line indented unlike its neighbours, or a '-' missing?"},
      {YAML::ErrorMsg::END_OF_MAP_FLOW, "is a '}' or ',' missing?"},
      {YAML::ErrorMsg::END_OF_SEQ_FLOW, "is a ']' or ',' missing?"},
      {YAML::ErrorMsg::FLOW_END, "is a '}' or ']' too many?"},
      {YAML::ErrorMsg::MAP_VALUE,
       "is this line indented deeper than its neighbours, a ':' missing before it, or are quotes "
       "needed?"},
  };
  std::string text = "not valid YAML: " + quote(exception.msg);
  for (const Advice& advice : advices) {
    if (advice.message == exception.msg) text += "; " + std::string(advice.advice);
  }
  return text;
}

}  // namespace

const Node* find_entry(const Node& map, std::string_view key) {
  for (const Entry& entry : map.entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

std::optional<Node> read_yaml(std::string_view text, Report& report) {
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);  // byte order mark
  if (text.size() > kFileBytesMax) {
    report.error({}, "", "the file is larger than 4 MiB");
    return std::nullopt;
  }
  if (!check_text(text, report)) return std::nullopt;
  TextBuffer buffer(text);
  std::istream stream(&buffer);
  TreeBuilder builder(text, report);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop&) {
    return std::nullopt;
  } catch (const YAML::Exception& exception) {
    report.error(to_mark(exception.mark), "", explain(exception));
    return std::nullopt;
  } catch (const std::exception& exception) {
    report.error({}, "", std::string("not readable as YAML: ") + exception.what());
    return std::nullopt;
  }
  return builder.take_root();
}

}  // namespace postern::config
