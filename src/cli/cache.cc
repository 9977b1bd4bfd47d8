// SPDX-License-Identifier: BSD-3-Clause
// postern cache purge, clear and recreate
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/show.h"

namespace postern::cli {
namespace {

int tell(const Globals& globals, const Json& request) {
  return ask_and_show(globals, request,
                      [](const Json& result) { fmt::print("{}\n", cell(result, "text")); });
}

}  // namespace

void add_cache(Command& root, const Globals& globals) {
  Command cache = root.add("cache", "the cache of the HTTP proxy");
  auto url = std::make_shared<std::string>();  // the parser writes, the body reads
  Command purge = cache.add("purge", "remove a URL, or those that a pattern with * matches");
  purge.argument("URL", *url, "http://www.example.com/page, or *.example.com/*");
  purge.runs([url, &globals] {
    return tell(globals, {{"command", "cache purge"}, {"url", *url}});
  });
  cache.add("clear", "remove everything").runs([&globals] {
    return tell(globals, {{"command", "cache clear"}});
  });
  cache.add("recreate", "make the file anew, with the size of the configuration; all in it is lost")
      .runs([&globals] {
        return tell(globals, {{"command", "cache recreate"}});
      });
}

}  // namespace postern::cli
