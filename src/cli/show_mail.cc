// SPDX-License-Identifier: BSD-3-Clause
// postern show mail [queue [ID] | fetch]
#include <fmt/format.h>

#include "cli/show.h"

namespace postern::cli {
namespace {

constexpr int64_t kKiB = 1024;

void print_queue_line(const Json& queue) {
  fmt::print("queue       {} of {} messages, {} of {} KiB; {} held, {} deferred\n",
             cell(queue, "messages"), cell(queue, "messages_max"), number(queue, "bytes") / kKiB,
             number(queue, "bytes_max") / kKiB, cell(queue, "held"), cell(queue, "deferred"));
  const std::string oldest = local_time(queue, "oldest");
  if (oldest != "-") fmt::print("oldest      {}\n", oldest);
  if (queue.value("is_failing", false))
    fmt::print("ERROR       the disk fails: no mail is taken\n");
}

void print_mail(const Json& result, const Globals& globals) {
  if (!result.value("enabled", false)) {
    fmt::print("services.mail is not configured\n");
    return;
  }
  if (!result.value("running", false)) {
    fmt::print("the mail service does not run; see postern status\n");
    return;
  }
  const std::string listening = cell(result, "listening");
  fmt::print("name        {}\n", cell(result, "name"));
  fmt::print("listening   {}\n", listening == "-" ? "nowhere; see postern status" : listening);
  fmt::print("may relay   {}, and who logs in\n", cell(result, "relay_networks"));
  fmt::print("sessions    {} SMTP, {} POP3\n", cell(result, "smtp_sessions"),
             cell(result, "pop3_sessions"));
  fmt::print("folder      {}\n", cell(result, "folder"));
  fmt::print("certificate {}\n", cell(result, "fingerprint"));
  print_queue_line(result.value("queue", Json::object()));
  fmt::print("\n");
  Table counters({{"COUNTER"}, {"COUNT", Align::right}, {"HELP"}});
  const Json counts = result.value("counters", Json::object());
  const Json help = result.value("help", Json::object());
  for (auto entry = counts.begin(); entry != counts.end(); ++entry)
    counters.add({entry.key(), entry.value().dump(), cell(help, entry.key().c_str())});
  print_table(counters, result, globals);
}

std::string path_text(const Json& row, const char* key) {
  const std::string address = row.value(key, "");
  return address.empty() ? "<>" : address;
}

std::string state_text(const Json& row) {
  if (row.value("is_held", false)) return "held";
  const std::string next = local_time(row, "next");
  return next == "-" ? "now" : next;
}

void print_queue(const Json& result, const Globals& globals) {
  Table table({{"ID"},
               {"ARRIVED"},
               {"BYTES", Align::right},
               {"FROM"},
               {"TO", Align::right},
               {"NEXT TRY"},
               {"LAST ANSWER"}});
  const Json messages = result.value("messages", Json::array());
  for (const Json& row : messages) {
    table.add({cell(row, "id"), local_time(row, "arrived"), cell(row, "bytes"),
               path_text(row, "from"), cell(row, "waiting"), state_text(row), cell(row, "said")});
  }
  print_table(table, result, globals);
  if (static_cast<int64_t>(messages.size()) < number(result, "total"))
    fmt::print("{} of {} messages; see --limit\n", messages.size(), cell(result, "total"));
}

void print_message(const Json& result, const Globals& globals) {
  const Json message = result.value("message", Json::object());
  fmt::print("id          {}\n", cell(message, "id"));
  fmt::print("arrived     {}, {} bytes, from {}{}{}\n", local_time(message, "arrived"),
             cell(message, "bytes"), cell(message, "client"),
             message.value("user", "").empty() ? "" : ", user ", message.value("user", ""));
  fmt::print("from        {}\n", path_text(message, "from"));
  if (message.value("is_held", false)) fmt::print("HELD        until postern mail retry\n");
  fmt::print("\n");
  Table table(
      {{"TO"}, {"MAILBOX"}, {"STATE"}, {"TRIES", Align::right}, {"NEXT TRY"}, {"LAST ANSWER"}});
  for (const Json& row : message.value("to", Json::array())) {
    table.add({cell(row, "to"), cell(row, "mailbox"), cell(row, "state"), cell(row, "attempts"),
               local_time(row, "next"), cell(row, "said")});
  }
  print_table(table, result, globals);
}

void print_fetch(const Json& result, const Globals& globals) {
  Table table({{"ACCOUNT"}, {"LAST"}, {"MESSAGES", Align::right}, {"OUTCOME"}});
  for (const Json& row : result.value("accounts", Json::array())) {
    const std::string outcome = row.value("outcome", "");
    table.add({cell(row, "name"), local_time(row, "last"), cell(row, "fetched"),
               row.value("is_running", false) ? "under way"
               : outcome.empty()              ? "good"
                                              : outcome});
  }
  print_table(table, result, globals);
}

struct Options {
  std::string what;
  std::string id;
  std::optional<uint32_t> limit;
};

int show(const Options& options, const Globals& globals) {
  Json request = {{"command", "show mail"}};
  if (!options.what.empty()) request["what"] = options.what;
  if (!options.id.empty()) request["id"] = options.id;
  if (options.limit) request["limit"] = *options.limit;
  return ask_and_show(globals, request, [&](const Json& result) {
    if (result.contains("message")) return print_message(result, globals);
    if (result.contains("messages")) return print_queue(result, globals);
    if (result.contains("accounts")) return print_fetch(result, globals);
    print_mail(result, globals);
  });
}

}  // namespace

void add_show_mail(Command& show_command, const Globals& globals) {
  auto options = std::make_shared<Options>();  // the parser writes, the body reads
  Command mail = show_command.add("mail", "the mail service, its queue, mailboxes elsewhere");
  mail.optional_argument("WHAT", options->what, "queue: messages; fetch: mailboxes elsewhere")
      .one_of({"queue", "fetch"});
  mail.optional_argument("ID", options->id, "one message of the queue, with its recipients");
  mail.option("--limit", options->limit, "messages of the queue that are shown, 1000");
  mail.runs([options, &globals] { return show(*options, globals); });
}

}  // namespace postern::cli
