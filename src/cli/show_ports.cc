// SPDX-License-Identifier: BSD-3-Clause
// postern show ports: the network devices of this machine and how Postern could use each. No daemon
// needed.
#include "cli/exit_code.h"
#include "cli/show.h"
#include "dataplane/runtime/nics.h"

namespace postern::cli {
namespace {

Json to_json(const std::vector<NicFacts>& nics) {
  Json list = Json::array();
  for (const NicFacts& nic : nics) {
    list.push_back({{"pci_address", nic.pci_address},
                    {"pci_id", nic.pci_id},
                    {"kernel_name", nic.kernel_name},
                    {"driver", nic.driver},
                    {"numa_node", nic.numa_node},
                    {"mac", nic.mac.is_zero() ? Json() : Json(to_text(nic.mac))},
                    {"link", nic.link_up ? "up" : "down"},
                    {"rx_queues", nic.queues},
                    {"port_specs", nic.port_specs},
                    {"remark", nic.remark}});
  }
  return {{"ports", list}};
}

int show_ports(const Globals& globals) {
  Json result = to_json(list_nics());
  if (globals.json) {
    print_json(result);
    return kDone;
  }
  Table table({{"PCI"},
               {"KERNEL"},
               {"DRIVER"},
               {"MAC"},
               {"LINK"},
               {"QUEUES", Align::right},
               {"PORT"},
               {"REMARK"}});
  for (const Json& row : result["ports"]) {
    table.add({cell(row, "pci_address"), cell(row, "kernel_name"), cell(row, "driver"),
               cell(row, "mac"), cell(row, "link"), cell(row, "rx_queues"), cell(row, "port_specs"),
               cell(row, "remark")});
  }
  print_table(table, result, globals);
  return kDone;
}

}  // namespace

void add_show_ports(Command& show, const Globals& globals) {
  show.add("ports", "network devices of this machine and what to write behind `port:`")
      .runs([&globals] { return show_ports(globals); });
}

}  // namespace postern::cli
