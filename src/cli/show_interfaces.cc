// SPDX-License-Identifier: BSD-3-Clause
// postern show interfaces, neighbors, routes
#include "cli/show.h"

namespace postern::cli {
namespace {

// "203.0.113.77/24 (dhcp until 14:05:09)", "dhcp: selecting".
std::string addresses_text(const Json& row) {
  const auto dhcp = row.find("dhcp");
  if (dhcp == row.end() || !dhcp->is_object()) return cell(row, "addresses");
  if (!dhcp->contains("server")) return "dhcp: " + cell(*dhcp, "state");
  const bool has_end = (*dhcp)["ends"].is_string();
  return cell(row, "addresses") + " (dhcp" +
         (has_end ? " until " + local_time(*dhcp, "ends") : std::string()) + ")";
}

void print_interfaces(const Json& result, const Globals& globals) {
  Table table({{"NAME"},
               {"ZONE"},
               {"LINK"},
               {"ADDRESSES"},
               {"PORT"},
               {"DRIVER"},
               {"HOST-DEVICE"},
               {"MTU", Align::right},
               {"RX-PACKETS", Align::right},
               {"RX-BYTES", Align::right},
               {"TX-PACKETS", Align::right},
               {"TX-BYTES", Align::right},
               {"DROPS", Align::right}});
  for (const Json& row : result.value("interfaces", Json::array())) {
    table.add({cell(row, "name"), cell(row, "zone"), cell(row, "link"), addresses_text(row),
               cell(row, "port"), cell(row, "driver"), cell(row, "host_device"),
               cell(row, "mtu_bytes"), cell(row, "rx_packets"), cell(row, "rx_bytes"),
               cell(row, "tx_packets"), cell(row, "tx_bytes"),
               std::to_string(number(row, "rx_drops") + number(row, "tx_drops"))});
  }
  print_table(table, result, globals);
}

void print_neighbors(const Json& result, const Globals& globals) {
  Table table({{"ADDRESS"}, {"INTERFACE"}, {"MAC"}, {"STATE"}, {"CONFIRMED-AGO", Align::right}});
  for (const Json& row : result.value("neighbors", Json::array())) {
    bool was_confirmed = row.contains("confirmed_s_ago") && row["confirmed_s_ago"].is_number();
    table.add({cell(row, "address"), cell(row, "interface"), cell(row, "mac"), cell(row, "state"),
               was_confirmed ? duration_text(number(row, "confirmed_s_ago")) : "-"});
  }
  print_table(table, result, globals);
}

void print_routes(const Json& result, const Globals& globals) {
  Table table({{"TO"}, {"VIA"}, {"INTERFACE"}, {"KIND"}});
  for (const Json& row : result.value("routes", Json::array()))
    table.add({cell(row, "to"), cell(row, "via"), cell(row, "interface"), cell(row, "kind")});
  print_table(table, result, globals);
}

using Print = void (*)(const Json& result, const Globals& globals);

void add_view(Command& show, const Globals& globals, const std::string& name,
              const std::string& help, Print print) {
  show.add(name, help).runs([&globals, name, print] {
    return ask_and_show(globals, {{"command", "show " + name}},
                        [&](const Json& result) { print(result, globals); });
  });
}

}  // namespace

void add_show_interfaces(Command& show, const Globals& globals) {
  add_view(show, globals, "interfaces", "interfaces with link, addresses and traffic",
           print_interfaces);
  add_view(show, globals, "neighbors", "hosts on the wire and their MAC addresses",
           print_neighbors);
  add_view(show, globals, "routes", "where packets are sent by their destination", print_routes);
}

}  // namespace postern::cli
