// SPDX-License-Identifier: BSD-3-Clause
// nat: source translation, one-to-one, port maps.
#include <optional>

#include "control/config/items.h"
#include "control/config/parse.h"

namespace postern::config {
namespace {

// Entries without a name are numbered from 1 in their list.
void parse_name(Section& section, std::string_view prefix, size_t number, std::string& name) {
  name = std::string(prefix) + "-" + std::to_string(number);
  section.string("name", name);
}

void parse_behavior(Section& section, std::string_view key, auto& out) {
  if (auto field = section.find(key)) {
    if (auto word = read_word(*field)) {
      out = static_cast<typename std::remove_reference_t<decltype(out)>::value_type>(*word);
    }
  }
}

void parse_source(Section& section, SourceNat& source) {
  source.mark = section.node().mark;
  section.boolean("enabled", source.enabled);
  section.strings("in", source.in);
  section.strings("out", source.out);
  parse_match(section, "from", source.from);
  parse_match(section, "to", source.to);
  parse_match(section, "service", source.service);
  section.word("action", source.action);
  section.strings("pool", source.pool);
  parse_behavior(section, "mapping", source.mapping);
  parse_behavior(section, "filtering", source.filtering);
  section.boolean("log", source.log);
  section.finish();
}

void parse_one_to_one(Section& section, OneToOne& pair) {
  pair.mark = section.node().mark;
  section.boolean("enabled", pair.enabled);
  section.address("external", pair.external);
  section.address("internal", pair.internal);
  section.string("on", pair.on);
  section.boolean("log", pair.log);
  section.finish();
}

// "192.168.1.5" or "192.168.1.5:25".
void parse_target(const Field& field, PortMap& map) {
  auto text = read_string(field);
  if (!text) return;
  size_t colon = text->find(':');
  auto address = parse_ipv4(std::string_view(*text).substr(0, colon));
  std::optional<uint32_t> port;
  if (colon != std::string::npos) {
    port = parse_number(std::string_view(*text).substr(colon + 1), 65535);
    if (!port || *port == 0) {
      return field.error(quote(*text) + " has no port from 1 to 65535 after ':'");
    }
  }
  if (!address) {
    return field.error(quote(*text) + " is not an address or address:port (192.168.1.5:25)");
  }
  map.to = *address;
  if (port) map.to_port = static_cast<uint16_t>(*port);
}

void parse_port_map(Section& section, PortMap& map) {
  map.mark = section.node().mark;
  section.boolean("enabled", map.enabled);
  section.string("on", map.on);
  if (auto field = section.find("listen")) map.listen = read_address(*field);
  section.strings("service", map.service);
  if (auto field = section.find("to")) parse_target(*field, map);
  section.strings("allow_from", map.allow_from);
  section.word("hairpin_source", map.hairpin_source);
  section.boolean("log", map.log);
  section.finish();
}

void parse_port_range(const Field& field, Nat& nat) {
  auto text = read_string(field);
  if (!text) return;
  auto range = parse_ports(*text);
  if (!range || range->first == 0 || text->find('-') == std::string::npos) {
    return field.error(quote(*text) + " is not a range of ports such as 1024-65535");
  }
  nat.first_port = range->first;
  nat.last_port = range->last;
}

template <typename T>
void parse_entries(Section& section, std::string_view key, std::string_view prefix,
                   void (*parse)(Section&, T&), std::vector<T>& out) {
  for (const Field& field : section.find_sections(key)) {
    Section entry(field.report, field.node, field.path, *field.spec.section);
    T& item = out.emplace_back();
    parse_name(entry, prefix, out.size(), item.name);
    parse(entry, item);
  }
}

}  // namespace

void parse_nat(Section& section, Nat& nat) {
  section.word("mapping", nat.mapping);
  section.word("filtering", nat.filtering);
  if (auto field = section.find("ports")) parse_port_range(*field, nat);
  section.numbers("reserved_ports", nat.reserved_ports);
  section.boolean("hairpin", nat.hairpin);
  parse_entries(section, "source", "source", parse_source, nat.source);
  parse_entries(section, "one_to_one", "one-to-one", parse_one_to_one, nat.one_to_one);
  parse_entries(section, "port_maps", "port-map", parse_port_map, nat.port_maps);
  section.finish();
}

}  // namespace postern::config
