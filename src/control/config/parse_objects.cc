// SPDX-License-Identifier: BSD-3-Clause
// objects: named lists of addresses, services and times.
#include "control/config/items.h"
#include "control/config/parse.h"

namespace postern::config {
namespace {

constexpr size_t kObjectsMax = 16'384;  // of one kind

// Names of interfaces and zones mean something else in a rule, but never in the same key.
void parse_list(Section& section, std::string_view key, Type item,
                bool (*is_keyword)(std::string_view), std::vector<Object>& objects) {
  auto field = section.find(key);
  if (!field || !expect_map(field->report, field->node, field->path)) return;
  if (field->node.entries.size() > kObjectsMax) {
    return field->error("more than " + std::to_string(kObjectsMax) + " objects");
  }
  KeySpec items{.key = "items", .type = item, .help = "", .list = true};
  for (const Entry& entry : field->node.entries) {
    std::string path = join(field->path, entry.key);
    if (!is_name(entry.key)) {
      field->report.error(
          entry.mark, path,
          quote(entry.key) + " is not a name: a letter, then letters, digits, - and _, at most 63");
    } else if (is_keyword(entry.key)) {
      field->report.error(entry.mark, path,
                          quote(entry.key) + " has a meaning of its own; choose another name");
    }
    Object& object = objects.emplace_back();
    object.name = entry.key;
    object.mark = entry.mark;
    for (const Field& value : list_of({entry.value, items, path, field->report})) {
      if (auto text = read_string(value)) object.items.push_back(std::move(*text));
    }
  }
}

}  // namespace

void parse_objects(Section& section, Objects& objects) {
  parse_list(section, "addresses", Type::address_item, is_address_keyword, objects.addresses);
  parse_list(section, "services", Type::service_item, is_service_keyword, objects.services);
  parse_list(section, "times", Type::time_item, is_time_keyword, objects.times);
  section.finish();
}

}  // namespace postern::config
