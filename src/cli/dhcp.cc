// SPDX-License-Identifier: BSD-3-Clause
// postern dhcp renew|release INTERFACE
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/show.h"

namespace postern::cli {

void add_dhcp(Command& root, const Globals& globals) {
  auto interface = std::make_shared<std::string>();  // the parser writes, the body reads
  Command dhcp = root.add("dhcp", "the gateway's own address on an interface with address: dhcp");
  struct Verb {
    const char* name;
    const char* help;
  };
  for (const Verb& verb :
       {Verb{"renew", "ask for an address, or for more time, now"},
        Verb{"release", "give the address back; none is asked for until renew"}}) {
    dhcp.add(verb.name, verb.help)
        .argument("INTERFACE", *interface, "its name in the configuration")
        .runs([interface, &globals, command = std::string("dhcp ") + verb.name] {
          return ask_and_show(globals, {{"command", command}, {"interface", *interface}},
                              [](const Json& result) {
                                std::printf("%s\n", result.value("text", "done").c_str());
                              });
        });
  }
}

}  // namespace postern::cli
