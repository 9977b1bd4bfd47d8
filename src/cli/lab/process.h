// SPDX-License-Identifier: BSD-3-Clause
// Processes of the lab: commands that are waited for, daemons that stay, and how they end.
//
// Each may run inside one of the lab's hosts: a network namespace with its own /sys and with the
// lab's name server in /etc/resolv.conf, as `ip netns exec` does it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace postern::cli {

using Argv = std::vector<std::string>;

// Runs `command` and waits. A status other than 0 is an Error that quotes the command and what it
// said; else the result is what it said (at most 64 KiB).
Result<std::string> run(const Argv& command);

// Moves the calling process, which must have one thread, into the network namespace at `netns`,
// with /sys of that namespace and, where it exists, `resolv_conf` as /etc/resolv.conf.
Result<void> enter(const std::filesystem::path& netns, const std::filesystem::path& resolv_conf);

// A process that may have ended and whose number may have been given to another since.
struct ProcessId {
  pid_t pid = 0;
  uint64_t started = 0;  // clock ticks since boot, field 22 of /proc/PID/stat
  bool operator==(const ProcessId&) const = default;
};
// started 0 when there is no such process (a zombie counts as none).
ProcessId identify(pid_t pid);
bool is_running(const ProcessId& process);

struct Daemon {
  Argv command;
  std::filesystem::path netns;
  std::filesystem::path resolv_conf;
  std::filesystem::path log;            // standard output and error, appended
  std::filesystem::path notify_socket;  // made for the start only
  int ready_within_s = 60;
};
// Starts a daemon of its own session and returns when it says READY=1 (sd_notify). An Error when it
// ends before that or takes longer, then it has been ended.
Result<ProcessId> start(const Daemon& daemon);

// SIGTERM, and SIGKILL to those which are still there after `grace_ms`.
void end(const std::vector<ProcessId>& processes, int grace_ms);

// Processes in any of these network namespaces, whoever started them; never the caller.
std::vector<ProcessId> processes_in(const std::vector<std::filesystem::path>& netns);

}  // namespace postern::cli
