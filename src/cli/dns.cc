// SPDX-License-Identifier: BSD-3-Clause
// postern dns flush
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/show.h"

namespace postern::cli {

void add_dns(Command& root, const Globals& globals) {
  Command dns = root.add("dns", "the DNS service");
  auto below = std::make_shared<std::string>();  // the parser writes, the body reads
  Command flush = dns.add("flush", "forget the answers that are kept");
  flush.option("--below", *below, "only those about this name and what is below it");
  flush.runs([below, &globals] {
    Json request = {{"command", "dns flush"}, {"below", *below}};
    return ask_and_show(globals, request, [](const Json& result) {
      int64_t count = number(result, "flushed");
      fmt::print("{} {} forgotten\n", count, count == 1 ? "answer" : "answers");
    });
  });
}

}  // namespace postern::cli
