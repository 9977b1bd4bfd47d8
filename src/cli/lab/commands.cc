// SPDX-License-Identifier: BSD-3-Clause
// postern lab up|down|restart|status|exec|sniff|demo
#include "cli/commands.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/exit_code.h"
#include "cli/lab/lab.h"
#include "cli/lab/network.h"
#include "cli/lab/topology.h"
#include "cli/table.h"

namespace postern::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string name = "lab";
  LabOptions up;
  std::string host;
  std::vector<std::string> rest;
  std::string only;
  bool list = false;
  bool keep = false;
};
using Shared = std::shared_ptr<Options>;

int refuse(const Error& error) {
  std::fprintf(stderr, "postern: %s\n", error.text.c_str());
  return exit_code_of(error.code);
}

// Every command of the lab needs root, and a lab of a possible name.
Result<Lab> open_lab(const Options& options) {
  if (::geteuid() != 0) return Error{ErrorCode::denied, "the lab needs root: sudo postern lab ..."};
  return Lab::named(options.name);
}

// What a command of a lab other than the usual one is told by.
std::string with_name(const Options& options) {
  return options.name == "lab" ? "" : " --name " + options.name;
}

// How the user calls this program: by its name where the shell finds it, else by a path.
std::string spelled_program() {
  const fs::path program = postern_program();
  const char* path = std::getenv("PATH");
  std::istringstream directories(path == nullptr ? "" : path);
  for (std::string directory; std::getline(directories, directory, ':');) {
    std::error_code missing;
    if (fs::canonical(fs::path(directory) / "postern", missing) == program) return "postern";
  }
  std::error_code failed;
  const std::string near = fs::relative(program, failed);
  return failed || near.starts_with("..") ? program.string() : near;
}

void print_welcome(const Options& options, const Lab& lab) {
  fmt::print(R"(The lab is up. Try, as root:
  {0} lab exec{1} client curl http://web.example/
      a page from outside, through NAT
  {0} lab exec{1} client traceroute -n 198.51.100.10
      the gateway is the first hop
  {0} lab exec{1} internet curl http://203.0.113.2:5555/
      a server behind the gateway, by its port map
  {0} lab exec{1} internet nc -vz -w 2 203.0.113.2 22
      nothing else answers from outside
  {0} lab exec{1} gateway postern show sessions
      what the gateway knows of it; there are rules, drops, mappings, interfaces as well
  {0} lab exec{1} gateway postern explain --in lan --proto tcp --src 192.168.1.10 \
      --dst 198.51.100.10 --dport 23
      what it would do with a packet, and why
  {0} lab exec{1} gateway postern apply {2}
      its configuration, once you have changed it
  {0} lab sniff{1} outside icmp
      what passes on the wire outside
  {0} lab status{1}
      hosts and processes
  {0} lab down{1}
      the end
The security log is {3}.
)",
             spelled_program(), with_name(options), lab.config_file().string(),
             (lab.state_directory() / "log/security.log").string());
}

int up(const Options& options) {
  Result<Lab> lab = open_lab(options);
  if (!lab) return refuse(lab.error());
  const Result<void> done = lab->up(options.up);
  if (!done) return refuse(done.error());
  print_welcome(options, *lab);
  return kDone;
}

int down(const Options& options) {
  Result<Lab> lab = open_lab(options);
  if (!lab) return refuse(lab.error());
  const Result<void> done = lab->down();
  return done ? kDone : refuse(done.error());
}

int restart(const Options& options) {
  Result<Lab> lab = open_lab(options);
  if (!lab) return refuse(lab.error());
  const Result<void> done = lab->restart_gateway();
  return done ? kDone : refuse(done.error());
}

int exec(const Options& options) {
  Result<Lab> lab = open_lab(options);
  if (!lab) return refuse(lab.error());
  if (find_lab_host(options.host) == nullptr) {
    return refuse(
        {ErrorCode::not_found, "no host \"" + options.host + "\"; postern lab status names them"});
  }
  if (options.rest.empty()) {
    std::fputs("postern: which command? postern lab exec HOST COMMAND...\n", stderr);
    return kUsage;
  }
  return refuse(lab->exec(options.host, options.rest));
}

int sniff(const Options& options) {
  Result<Lab> lab = open_lab(options);
  if (!lab) return refuse(lab.error());
  const LabTap* tap = find_lab_tap(options.host);
  if (tap == nullptr) {
    return refuse({ErrorCode::not_found,
                   "no wire \"" + options.host + "\"; there are inside, outside and dmz"});
  }
  Argv command{"tcpdump", "-n", "-i", std::string(tap->device)};
  command.insert(command.end(), options.rest.begin(), options.rest.end());
  return refuse(lab->exec(std::string(tap->host), command));
}

std::string addresses_of(std::string_view host) {
  std::string text;
  for (const LabAddress& one : lab_addresses()) {
    if (one.host == host) text += (text.empty() ? "" : " ") + std::string(one.address);
  }
  return text;
}

void print_status(const Lab& lab, bool with_header) {
  Table hosts({{"HOST"}, {"ADDRESSES"}, {"NAMESPACE"}, {"IS"}});
  for (const LabHost& host : lab_hosts()) {
    hosts.add({std::string(host.name), or_dash(addresses_of(host.name)),
               netns_name(lab.name(), host.name), std::string(host.is)});
  }
  Table processes({{"PROCESS"}, {"HOST"}, {"PID", Align::right}, {"STATE"}});
  for (const LabProcess& one : lab.processes()) {
    processes.add(
        {one.what, one.host, std::to_string(one.id.pid), is_running(one.id) ? "running" : "ended"});
  }
  fmt::print("{}\n{}", hosts.to_text(with_header), processes.to_text(with_header));
}

void print_status_json(const Lab& lab) {
  nlohmann::ordered_json out{{"schema_version", 1}, {"name", lab.name()}, {"up", lab.is_up()}};
  out["directory"] = lab.directory().string();
  out["hosts"] = nlohmann::ordered_json::array();
  for (const LabHost& host : lab_hosts()) {
    out["hosts"].push_back({{"name", host.name}, {"namespace", netns_name(lab.name(), host.name)}});
  }
  out["processes"] = nlohmann::ordered_json::array();
  for (const LabProcess& one : lab.processes()) {
    out["processes"].push_back({{"what", one.what},
                                {"host", one.host},
                                {"pid", one.id.pid},
                                {"running", is_running(one.id)}});
  }
  fmt::print("{}\n", out.dump(2));
}

// Done when everything of the lab is there and runs.
int status(const Options& options, const Globals& globals) {
  Result<Lab> lab = open_lab(options);
  if (!lab) return refuse(lab.error());
  if (globals.json) {
    print_status_json(*lab);
  } else if (lab->is_up()) {
    print_status(*lab, !globals.no_header);
  } else {
    fmt::print("lab \"{}\" is not up\n", lab->name());
  }
  if (!lab->is_up()) return kFailed;
  for (const LabProcess& one : lab->processes()) {
    if (!is_running(one.id)) return kFailed;
  }
  return kDone;
}

// Becomes the demo, which is a script that uses the commands above.
int demo(const Options& options) {
  Result<Lab> lab = open_lab(options);
  if (!lab && !options.list) return refuse(lab.error());
  const std::string program = postern_program();
  const std::string script = lab_share() / "demo.py";
  std::vector<const char*> words{
      "/usr/bin/python3",   "-B",       script.c_str(),           "--name",
      options.name.c_str(), "--driver", options.up.driver.c_str()};
  if (!options.only.empty()) words.insert(words.end(), {"--only", options.only.c_str()});
  if (options.list) words.push_back("--list");
  if (options.keep) words.push_back("--keep");
  words.push_back(nullptr);
  ::setenv("POSTERN", program.c_str(), 1);
  ::execv(words[0], const_cast<char* const*>(words.data()));
  return refuse({ErrorCode::failed, std::string(words[0]) + ": " + std::strerror(errno)});
}

// The commands that bring up a lab take these.
void add_up_options(Command& command, const Shared& options) {
  command
      .option("--driver", options->up.driver,
              "of the gateway's ports; auto: AF_XDP, else AF_PACKET")
      .one_of({"auto", "af_xdp", "af_packet"});
}

Command add_to(Command& lab, const Shared& options, const char* name, const char* help) {
  Command command = lab.add(name, help);
  command.option("--name", options->name, "of the lab, where there are several (default: lab)");
  return command;
}

}  // namespace

void add_lab(Command& root, const Globals& globals) {
  auto options = std::make_shared<Options>();
  Command lab = root.add("lab", "a client, a gateway and an internet on this machine (root)");

  Command up_command = add_to(lab, options, "up", "bring it up: hosts, servers and posternd");
  add_up_options(up_command, options);
  up_command
      .option("--config", options->up.config,
              "another configuration than lab.yaml; only "
              "\"driver: auto\" in it is replaced")
      .flag("--without-gateway", options->up.without_gateway, "do not start posternd")
      .runs([options] { return up(*options); });
  add_to(lab, options, "down", "take it down, leaving nothing").runs([options] {
    return down(*options);
  });
  add_to(lab, options, "restart", "end posternd and start it again").runs([options] {
    return restart(*options);
  });
  add_to(lab, options, "status", "show hosts and processes").runs([options, &globals] {
    return status(*options, globals);
  });
  add_to(lab, options, "exec", "run a command on a host: exec client ping 198.51.100.10")
      .argument("HOST", options->host, "client, client2, gateway, dmz, isp or internet")
      .rest(options->rest)
      .runs([options] { return exec(*options); });
  add_to(lab, options, "sniff", "tcpdump on a wire: sniff outside icmp")
      .argument("WIRE", options->host, "inside, outside or dmz")
      .rest(options->rest)
      .runs([options] { return sniff(*options); });

  Command demo_command =
      add_to(lab, options, "demo", "show the gateway at work on real traffic, scene by scene");
  add_up_options(demo_command, options);
  demo_command.option("--only", options->only, "this scene alone")
      .flag("--list", options->list, "name the scenes")
      .flag("--keep", options->keep, "leave the lab up for exploring")
      .runs([options] { return demo(*options); });
}

}  // namespace postern::cli
