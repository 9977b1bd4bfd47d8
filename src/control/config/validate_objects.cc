// SPDX-License-Identifier: BSD-3-Clause
// objects: references, cycles, sizes; and which of them nothing uses.
#include <algorithm>

#include "control/config/validate.h"

namespace postern::config {
namespace {

std::string section_of(ItemKind kind) {
  switch (kind) {
    case ItemKind::address:
      return "objects.addresses";
    case ItemKind::service:
      return "objects.services";
    case ItemKind::time:
      return "objects.times";
  }
  return "";
}

// For each object the objects it names.
std::vector<std::vector<size_t>> references(Check& check, ItemKind kind) {
  std::vector<std::vector<size_t>> out;
  for (const Object& object : check.objects(kind)) {
    std::vector<size_t>& named = out.emplace_back();
    for (const std::string& item : object.items) {
      if (!is_object_name(kind, item)) continue;
      if (auto found = check.find_object(kind, item)) named.push_back(*found);
    }
  }
  return out;
}

// How many levels of objects are below each, 0 for one of literals alone; objects that contain
// themselves, or one that does, keep no number. Works up from the leaves, so no input makes it
// deep.
std::vector<std::optional<size_t>> depths(const std::vector<std::vector<size_t>>& references) {
  std::vector<std::optional<size_t>> depth(references.size());
  std::vector<std::vector<size_t>> users(references.size());
  std::vector<size_t> open(references.size());
  std::vector<size_t> ready;
  for (size_t i = 0; i < references.size(); ++i) {
    open[i] = references[i].size();
    if (open[i] == 0) ready.push_back(i);
    for (size_t below : references[i])
      users[below].push_back(i);
  }
  while (!ready.empty()) {
    size_t i = ready.back();
    ready.pop_back();
    size_t levels = 0;
    for (size_t below : references[i])
      levels = std::max(levels, *depth[below] + 1);
    depth[i] = levels;
    for (size_t user : users[i]) {
      if (--open[user] == 0) ready.push_back(user);
    }
  }
  return depth;
}

// The objects of one kind as a graph.
struct Graph {
  ItemKind kind;
  std::vector<std::vector<size_t>> below;    // references()
  std::vector<std::optional<size_t>> depth;  // depths()
  std::vector<bool> seen;                    // by report_cycle()
};

// Follows references without depth from `start` until an object comes again; names each circle
// once.
void report_cycle(Check& check, Graph& graph, size_t start) {
  const std::vector<Object>& objects = check.objects(graph.kind);
  std::vector<size_t> trail;
  size_t at = start;
  while (!graph.seen[at]) {
    graph.seen[at] = true;
    trail.push_back(at);
    at = *std::find_if(graph.below[at].begin(), graph.below[at].end(),
                       [&](size_t below) { return !graph.depth[below]; });
  }
  auto first = std::find(trail.begin(), trail.end(), at);
  if (first == trail.end()) return;  // leads into a circle that is reported already
  constexpr size_t kShown = 8;
  auto length = static_cast<size_t>(trail.end() - first);
  std::string circle;
  for (size_t i = 0; i < std::min(length, kShown); ++i) {
    circle += objects[first[static_cast<std::ptrdiff_t>(i)]].name + " -> ";
  }
  if (length > kShown) circle += "... -> ";
  check.report.error(objects[at].mark, join(section_of(graph.kind), objects[at].name),
                     "contains itself: " + circle + objects[at].name);
}

void validate_nesting(Check& check, ItemKind kind) {
  const std::vector<Object>& objects = check.objects(kind);
  Graph graph{kind, references(check, kind), {}, std::vector<bool>(objects.size(), false)};
  graph.depth = depths(graph.below);
  for (size_t i = 0; i < objects.size(); ++i) {
    if (!graph.depth[i]) {
      report_cycle(check, graph, i);
    } else if (*graph.depth[i] == kObjectDepthMax) {  // the first too deep; those above it follow
      check.report.error(objects[i].mark, join(section_of(kind), objects[i].name),
                         "objects are nested deeper than " + std::to_string(kObjectDepthMax));
    }
  }
}

void validate_kind(Check& check, ItemKind kind) {
  for (const Object& object : check.objects(kind)) {
    check.require_items(kind, object.items, join(section_of(kind), object.name));
  }
  size_t errors = check.report.errors();
  validate_nesting(check, kind);
  if (!check.parsed.objects_sound || check.report.errors() != errors) return;
  for (const Object& object : check.objects(kind)) {
    const std::vector<std::string> item = {object.name};
    std::optional<Error> error;
    if (kind == ItemKind::address) {
      if (auto flat = check.resolver.addresses(item); !flat) error = flat.error();
    } else if (kind == ItemKind::service) {
      if (auto flat = check.resolver.services(item); !flat) error = flat.error();
    } else if (auto flat = check.resolver.times(item); !flat) {
      error = flat.error();
    }
    if (error && error->code == ErrorCode::exhausted) {
      check.report.error(object.mark, join(section_of(kind), object.name), error->text);
    }
  }
}

}  // namespace

void validate_objects(Check& check) {
  for (ItemKind kind : {ItemKind::address, ItemKind::service, ItemKind::time}) {
    validate_kind(check, kind);
  }
}

void validate_unused(Check& check) {
  for (ItemKind kind : {ItemKind::address, ItemKind::service, ItemKind::time}) {
    for (const Object* object : check.unused(kind)) {
      check.report.warning(object->mark, join(section_of(kind), object->name), "nothing uses it");
    }
  }
}

}  // namespace postern::config
