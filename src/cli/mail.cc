// SPDX-License-Identifier: BSD-3-Clause
// postern mail retry, hold, delete and fetch
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

void add_mail(Command& root, const Globals& globals) {
  Command mail =
      root.add("mail", "messages of the mail service, as `postern show mail queue` lists them");
  auto id = std::make_shared<std::string>();  // the parser writes, the body reads
  auto add = [&](const char* name, const char* help, const char* what) {
    mail.add(name, help).argument("ID", *id, what).runs([id, name, &globals] {
      return tell(globals, {{"command", std::string("mail ") + name}, {"id", *id}});
    });
  };
  add("retry", "try to deliver at once; a message that was held goes on", "of the queue, or all");
  add("hold", "keep a message from going until it is retried", "of the queue");
  add("delete", "delete a message from the queue; nobody is told", "of the queue");
  auto account = std::make_shared<std::string>();
  mail.add("fetch", "look into mailboxes elsewhere at once")
      .optional_argument("NAME", *account, "of services.mail.fetch; default: all")
      .runs([account, &globals] {
        Json request = {{"command", "mail fetch"}};
        if (!account->empty()) request["name"] = *account;
        return tell(globals, request);
      });
}

}  // namespace postern::cli
