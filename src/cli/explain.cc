// SPDX-License-Identifier: BSD-3-Clause
// postern explain: what the gateway would do with a made-up packet, and why. Asks the daemon about
// the policy in force; with --config it compiles that file and answers without a daemon.
#include "control/explain/explain.h"

#include <fmt/format.h>

#include <cstdio>
#include <ctime>
#include <memory>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/input.h"
#include "control/check.h"
#include "control/compile/compile.h"
#include "control/compile/schedule.h"
#include "control/config/user_items.h"

namespace postern::cli {
namespace {

struct Options {
  PacketWords packet;
  std::string config;
};

struct Compiled {
  std::unique_ptr<Policy> policy;
  config::Users users;
};

Result<Compiled> compile_file(const std::string& file) {
  auto text = read_input(file);
  if (!text) return std::move(text).error();
  Checked checked = check_text(*text);
  if (!checked.ok()) {
    return Error{ErrorCode::invalid,
                 file + ": " + error_count_text(checked.findings) + "; see `postern check`"};
  }
  CompileInputs inputs;
  inputs.shards = Shards(checked.model.system.workers.count);
  inputs.minute_of_week = minute_of_week(std::time(nullptr));
  auto policy = compile(checked.model, inputs);
  if (!policy) return std::move(policy).error();
  return Compiled{std::move(*policy), std::move(checked.model.users)};
}

int explain(const Options& options, const Globals& globals) {
  Json request = {{"command", "explain"}};
  add_words(request, options.packet);
  auto print = [](const Json& result) { std::fputs(text_of(result).c_str(), stdout); };
  if (options.config.empty()) {
    // What the daemon finds invalid is the packet, and that came from the command line.
    int code = ask_and_show(globals, request, print);
    return code == kInvalid ? kUsage : code;
  }
  auto compiled = compile_file(options.config);
  if (!compiled) return report(compiled.error(), globals);
  if (!options.packet.user.empty() && options.packet.groups.empty()) {
    request["groups"] =
        fmt::format("{}", fmt::join(config::groups_of(compiled->users, options.packet.user), ","));
  }
  auto answer = answer_explain(*compiled->policy, request);
  if (!answer) {
    report(answer.error(), globals);
    return kUsage;
  }
  if (globals.json) {
    print_json(*answer);
  } else {
    print(*answer);
  }
  return kDone;
}

}  // namespace

void add_explain(Command& root, const Globals& globals) {
  auto options = std::make_shared<Options>();  // the parser writes, the body reads
  PacketWords& packet = options->packet;
  Command command = root.add("explain", "what would happen to a packet, stage by stage, and why");
  command.option("--in", packet.in, "the interface it comes in by, or gateway for its own packets");
  command.option("--src", packet.src, "source address, with :port if need be");
  command.option("--dst", packet.dst, "destination address, with :port if need be");
  command.option("--proto", packet.proto, "tcp, udp, icmp, esp, ... or a number");
  command.option("--sport", packet.sport, "source port");
  command.option("--dport", packet.dport, "destination port");
  command.option("--icmp", packet.icmp, "ICMP type: echo-request, 3, 3/4");
  command.option("--tcp-flags", packet.tcp_flags, "TCP flags: syn,ack");
  command.option("--user", packet.user, "who is logged in at the source; default: who is");
  command.option("--groups", packet.groups, "of the user: hr,staff; default: as the accounts say");
  command.option("--config", options->config, "ask this file instead of the daemon");
  command.runs([options, &globals] { return explain(*options, globals); });
}

}  // namespace postern::cli
