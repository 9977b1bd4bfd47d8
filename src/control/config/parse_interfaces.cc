// SPDX-License-Identifier: BSD-3-Clause
// interfaces, routes.
#include <algorithm>

#include "base/limits.h"
#include "control/config/items.h"
#include "control/config/parse.h"

namespace postern::config {
namespace {

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// "0000:03:00.0" of "0000:03:00.0" or "03:00.0"; empty when it is neither.
std::string pci_address(std::string_view text) {
  constexpr std::string_view kForm = "hhhh:hh:hh.f";
  std::string full(text);
  if (text.size() + 5 == kForm.size()) full = "0000:" + full;
  if (full.size() != kForm.size()) return "";
  for (size_t i = 0; i < full.size(); ++i) {
    bool fits = kForm[i] == 'h'   ? is_hex(full[i])
                : kForm[i] == 'f' ? full[i] >= '0' && full[i] <= '7'
                                  : full[i] == kForm[i];
    if (!fits) return "";
  }
  return full;
}

// A DPDK virtual device: driver name and number, then arguments after a comma.
bool is_vdev(std::string_view text) {
  std::string_view name = text.substr(0, text.find(','));
  auto in_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.size() < 64 && name[0] >= 'a' &&
         std::all_of(name.begin(), name.end(), in_name) &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

bool is_kernel_device(std::string_view text) {
  return !text.empty() && text.size() < 16 && text.find_first_of("/: ,") == std::string_view::npos;
}

void parse_port(const Field& field, Port& port) {
  auto text = read_string(field);
  if (!text) return;
  size_t colon = text->find(':');
  std::string_view kind = std::string_view(*text).substr(0, colon);
  std::string rest = colon == std::string::npos ? "" : text->substr(colon + 1);
  if (kind == "pci") {
    port.kind = PortKind::pci;
    port.name = pci_address(rest);
    if (port.name.empty()) field.error(quote(rest) + " is not a PCI address (0000:03:00.0)");
  } else if (kind == "kernel") {
    port.kind = PortKind::kernel;
    if (!is_kernel_device(rest)) return field.error(quote(rest) + " is not a kernel device");
    port.name = rest;
  } else if (kind == "vdev") {
    port.kind = PortKind::vdev;
    if (!is_vdev(rest)) {
      return field.error(quote(rest) + " is not a DPDK device (net_memif0,role=server)");
    }
    port.name = rest;
  } else {
    field.error(quote(*text) +
                " is not a port: pci:ADDRESS, kernel:DEVICE or vdev:DEVICE,ARGUMENTS");
  }
}

void parse_interface_address(const Field& field, Interface& interface) {
  std::vector<Prefix>& addresses = interface.addresses;
  auto text = read_string(field);
  if (!text) return;
  if (*text == "dhcp") {
    if (field.spec.list && field.index > 0) field.error("dhcp stands alone");
    interface.dhcp = true;
    return;
  }
  if (interface.dhcp) return field.error("dhcp stands alone");
  if (auto prefix = parse_prefix(*text)) {
    addresses.push_back(*prefix);
  } else if (parse_ipv4(*text)) {
    field.error(quote(*text) + " needs its prefix length, such as " + *text + "/24");
  } else {
    field.error(quote(*text) + " is not an address with prefix length (192.168.1.1/24)");
  }
}

void parse_mss_clamp(const Field& field, uint32_t& mss_clamp) {
  const Node& node = field.node;
  if (node.kind == NodeKind::scalar && node.text == "auto") {
    mss_clamp = kMssClampAuto;
  } else if (node.kind == NodeKind::scalar && node.text == "off") {
    mss_clamp = kMssClampOff;
  } else if (node.kind == NodeKind::scalar && !node.text.empty() && node.text[0] > '9') {
    field.error("unknown word " + quote(node.text) + "; expected auto, off or a number of bytes");
  } else if (auto number = read_number(field)) {
    mss_clamp = static_cast<uint32_t>(*number);
  }
}

void parse_neighbors(const Field& field, std::vector<Neighbor>& neighbors) {
  if (!expect_map(field.report, field.node, field.path)) return;
  for (const Entry& entry : field.node.entries) {
    Field value{entry.value, field.spec, join(field.path, entry.key), field.report};
    auto address = parse_ipv4(entry.key);
    if (!address) {
      field.report.error(entry.mark, value.path, quote(entry.key) + " is not an address");
    }
    auto mac = read_mac(value);
    if (address && mac) neighbors.push_back({*address, *mac, entry.mark});
  }
}

void parse_sharing_guard(const Field& field, Interface& interface) {
  if (field.node.kind == NodeKind::map) {
    interface.windows_sharing = SharingGuard::trusted;
    Section section(field.report, field.node, field.path, *field.spec.section);
    section.strings("trusted", interface.windows_sharing_trusted);
    section.finish();
  } else if (auto word = read_word(field)) {
    interface.windows_sharing = static_cast<SharingGuard>(*word);
  }
}

void parse_interface(Section& section, Interface& interface) {
  section.string("description", interface.description);
  section.boolean("enabled", interface.enabled);
  if (auto field = section.find("port")) parse_port(*field, interface.port);
  section.word("driver", interface.port.driver);
  section.word("zone", interface.zone);
  for (const Field& field : section.find_list("address")) {
    parse_interface_address(field, interface);
  }
  if (auto field = section.find("mac")) interface.mac = read_mac(*field);
  section.number("mtu", interface.mtu);
  if (auto field = section.find("mss_clamp")) parse_mss_clamp(*field, interface.mss_clamp);
  if (auto field = section.find("neighbors")) parse_neighbors(*field, interface.neighbors);
  section.strings("spoof_allow", interface.spoof_allow);
  if (auto field = section.find("windows_sharing")) parse_sharing_guard(*field, interface);
  section.string("host_device", interface.host_device);
  section.finish();
}

}  // namespace

void parse_interfaces(const Field& field, std::vector<Interface>& interfaces) {
  if (!expect_map(field.report, field.node, field.path)) return;
  if (field.node.entries.empty()) field.error("at least one interface is needed");
  for (const Entry& entry : field.node.entries) {
    if (interfaces.size() == kInterfacesMax) {
      return field.report.error(entry.mark, field.path,
                                "more than " + std::to_string(kInterfacesMax) + " interfaces");
    }
    std::string path = join(field.path, entry.key);
    if (!is_interface_name(entry.key)) {
      field.report.error(entry.mark, path,
                         quote(entry.key) +
                             " is not an interface name: a small letter, then small "
                             "letters, digits, - and _, at most 11");
    }
    Interface& interface = interfaces.emplace_back();
    interface.name = entry.key;
    interface.mark = entry.mark;
    if (!expect_map(field.report, entry.value, path)) continue;
    Section section(field.report, entry.value, path, *field.spec.section);
    parse_interface(section, interface);
  }
}

void parse_route(Section& section, Route& route) {
  route.mark = section.node().mark;
  if (auto field = section.find("to")) {
    auto text = read_string(*field);
    auto prefix = text ? parse_prefix(*text) : std::nullopt;
    if (text && *text == "default") {
      route.to = Prefix{};
    } else if (prefix && prefix->has_host_bits()) {
      Prefix network{prefix->network(), prefix->length};
      field->error(quote(*text) + " has host bits; did you mean '" + to_text(network) + "'?");
    } else if (prefix) {
      route.to = *prefix;
    } else if (text) {
      field->error(quote(*text) + " is neither 'default' nor a network such as 10.0.0.0/8");
    }
  }
  section.address("via", route.via);
  section.string("interface", route.interface);
  section.finish();
}

}  // namespace postern::config
