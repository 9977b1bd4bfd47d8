// SPDX-License-Identifier: BSD-3-Clause
// services.dhcp.
#include <algorithm>
#include <charconv>
#include <limits>

#include "control/config/items.h"
#include "control/config/parse.h"
#include "services/dhcp/option_names.h"

namespace postern::config {
namespace {

// The values of an option: any scalar, in quotes or not.
std::optional<std::vector<std::string>> option_values(const Field& field) {
  std::vector<std::string> values;
  for (const Field& value : list_of(field)) {
    if (value.node.kind == NodeKind::refused) return std::nullopt;
    if (value.node.kind != NodeKind::scalar) {
      value.error("expected a value or a list of values");
      return std::nullopt;
    }
    values.push_back(value.node.text);
  }
  return values;
}

void parse_options(const Field& field, std::vector<DhcpOption>& options) {
  if (!expect_map(field.report, field.node, field.path)) return;
  for (const Entry& entry : field.node.entries) {
    std::string path = join(field.path, entry.key);
    auto code = dhcp::option_number(entry.key);
    if (!code) {
      std::string near = hint(entry.key, dhcp::option_names());
      field.report.error(entry.mark, path,
                         "there is no option " + quote(entry.key) +
                             (near.empty() ? "; posternd(8) lists the names" : near));
      continue;
    }
    bool is_known = std::any_of(options.begin(), options.end(),
                                [&](const DhcpOption& o) { return o.code == *code; });
    if (is_known) {
      field.report.error(entry.mark, path, "option " + std::to_string(*code) + " is given twice");
      continue;
    }
    auto values = option_values({entry.value, field.spec, path, field.report});
    if (!values) continue;
    auto bytes = dhcp::encode_option(*code, *values);
    if (bytes) {
      options.push_back({*code, std::move(*bytes)});
    } else {
      field.report.error(entry.value.mark, path, bytes.error().text);
    }
  }
}

void parse_profile(Section& section, DhcpProfile& profile) {
  if (auto field = section.find("options")) parse_options(*field, profile.options);
  if (auto field = section.find("lease_time")) profile.lease_time = read_duration(*field);
  section.string("boot_file", profile.boot_file);
  section.string("boot_server_name", profile.boot_server_name);
  if (auto field = section.find("boot_server")) profile.boot_server = read_address(*field);
}

// "01:02:0a" or "text:abc".
void parse_bytes(const Field& field, std::vector<uint8_t>& bytes) {
  constexpr std::string_view kText = "text:";
  auto text = read_text(field, 255);
  if (!text) return;
  std::string_view left = *text;
  if (left.starts_with(kText) && left.size() > kText.size()) {
    left.remove_prefix(kText.size());
    bytes.assign(left.begin(), left.end());
    return;
  }
  while (!left.empty()) {
    uint8_t byte = 0;
    auto [end, error] =
        std::from_chars(left.data(), left.data() + std::min<size_t>(2, left.size()), byte, 16);
    bool is_pair = error == std::errc() && end == left.data() + 2 &&
                   (left.size() == 2 || (left[2] == ':' && left.size() > 3));
    if (!is_pair) {
      bytes.clear();
      return field.error(quote(*text) + " is not bytes such as 01:02:0a");
    }
    bytes.push_back(byte);
    left.remove_prefix(std::min<size_t>(3, left.size()));
  }
}

void parse_ranges(Section& section, std::string_view key, std::vector<AddressRange>& ranges) {
  for (const Field& field : section.find_list(key)) {
    auto text = read_text(field, kNameMax);
    if (!text) continue;
    if (auto range = parse_address_range(*text)) {
      ranges.push_back(*range);
    } else {
      size_t dash = std::min(text->find('-'), text->size() - 1);
      bool is_pair = parse_ipv4(text->substr(0, dash)) && parse_ipv4(text->substr(dash + 1));
      field.error(quote(*text) + (is_pair ? " ends before it begins"
                                          : " is not a range such as 192.168.1.100-192.168.1.199"));
    }
  }
}

void parse_class(Section& section, DhcpClass& item) {
  item.mark = section.node().mark;
  section.string("name", item.name);
  section.string("vendor_class", item.vendor_class);
  section.string("user_class", item.user_class);
  section.numbers("architecture", item.architectures);
  if (auto field = section.find("mac_prefix")) parse_bytes(*field, item.mac_prefix);
  section.string("circuit_id", item.circuit_id);
  section.string("remote_id", item.remote_id);
  parse_profile(section, item.profile);
  section.finish();
}

std::string small_letters(std::string text) {
  for (char& c : text)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

void parse_reservation(Section& section, DhcpReservation& item) {
  item.mark = section.node().mark;
  int keys = section.has("mac") + section.has("client_id") + section.has("host_name");
  if (keys != 1) {
    section.report().error(
        item.mark, section.path(),
        "needs one of mac, client_id and host_name" + std::string(keys > 1 ? ", not several" : ""));
  }
  section.string("name", item.name);
  if (auto field = section.find("mac")) item.mac = read_mac(*field);
  if (auto field = section.find("client_id")) parse_bytes(*field, item.client_id);
  section.string("host_name", item.host_name);
  section.address("address", item.address);
  item.name = small_letters(item.name);
  item.host_name = small_letters(item.host_name);
  parse_profile(section, item.profile);
  section.finish();
}

template <typename T>
void parse_entries(Section& section, std::string_view key, void (*parse)(Section&, T&),
                   std::vector<T>& out) {
  for (const Field& field : section.find_sections(key)) {
    Section entry(field.report, field.node, field.path, *field.spec.section);
    parse(entry, out.emplace_back());
  }
}

void parse_subnet(const Field& field, DhcpScope& scope) {
  auto text = read_text(field, kNameMax);
  if (!text) return;
  auto prefix = parse_prefix(*text);
  if (!prefix) return field.error(quote(*text) + " is not a network such as 192.168.1.0/24");
  if (prefix->has_host_bits()) {
    return field.error(quote(*text) + " has host bits; did you mean '" +
                       to_text(Prefix{prefix->network(), prefix->length}) + "'?");
  }
  scope.subnet = prefix;
}

void parse_scope(Section& section, DhcpScope& scope) {
  scope.mark = section.node().mark;
  section.string("name", scope.name);
  section.string("interface", scope.interface);
  if (auto field = section.find("subnet")) parse_subnet(*field, scope);
  parse_ranges(section, "range", scope.ranges);
  parse_ranges(section, "exclude", scope.excluded);
  for (const Field& field : section.find_list("relays")) {
    if (auto address = read_address(field)) scope.relays.push_back(*address);
  }
  parse_profile(section, scope.profile);
  section.word("bootp", scope.bootp);
  section.boolean("probe", scope.probe);
  section.boolean("authoritative", scope.authoritative);
  parse_entries(section, "reservations", parse_reservation, scope.reservations);
  section.finish();
}

}  // namespace

void parse_dhcp(Section& section, Dhcp& dhcp) {
  parse_profile(section, dhcp.defaults);
  section.duration("quarantine", dhcp.quarantine);
  section.number("messages_per_second", dhcp.messages_per_second);
  parse_entries(section, "classes", parse_class, dhcp.classes);
  parse_entries(section, "scopes", parse_scope, dhcp.scopes);
  section.finish();
}

}  // namespace postern::config
