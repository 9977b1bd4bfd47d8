// SPDX-License-Identifier: BSD-3-Clause
// Lab: one lab as `postern lab` handles it: what it consists of and how it comes and goes.
//
// Theory of operation: everything of a lab carries its name. Namespaces are called
// postern-NAME-HOST; files lie in /run/postern-lab/NAME: the configuration in use, posternd's run
// and state directories, logs, and `processes`, one line a daemon, by which status knows them. The
// file `ready` is written last, so that an `up` that was cut short is known for what it is and
// swept away by the next one. A lock on /run/postern-lab keeps two commands from building at once.
//
// Bounds: every wait has an end. Root only.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/lab/process.h"

namespace postern::cli {

struct LabOptions {
  std::string config;            // empty: the lab's own
  std::string driver = "auto";   // of the gateway's ports: auto, af_xdp, af_packet
  bool without_gateway = false;  // posternd is not started
};

struct LabProcess {
  ProcessId id;
  std::string host;
  std::string what;  // "posternd", "servers"
};

class Lab {
 public:
  // `name` is 1..12 of [a-z0-9].
  static Result<Lab> named(const std::string& name);

  const std::string& name() const { return name_; }
  std::filesystem::path directory() const;
  std::filesystem::path config_file() const { return directory() / "gateway.yaml"; }
  std::filesystem::path run_directory() const { return directory() / "run"; }
  std::filesystem::path state_directory() const { return directory() / "state"; }

  // Complete, whether or not its processes still run.
  bool is_up() const;
  // Anything of it is there.
  bool exists() const;

  // Sweeps away what a broken `up` left; refuses when the lab is up.
  Result<void> up(const LabOptions& options) const;
  // Leaves nothing. No error when there is nothing.
  Result<void> down() const;
  // Ends posternd, if it runs, and starts it with config_file() as it is now.
  Result<void> restart_gateway() const;
  // Becomes `command` inside `host`; returns only when that fails.
  Error exec(const std::string& host, const Argv& command) const;

  std::vector<LabProcess> processes() const;

 private:
  explicit Lab(std::string name) : name_(std::move(name)) {}

  Result<void> write_files(const LabOptions& options) const;
  Result<void> write_resolvers() const;
  std::filesystem::path resolver_of(const std::string& host) const;
  Result<void> start_gateway() const;
  Result<void> start_servers() const;
  Result<void> start_in(const std::string& host, const std::string& what,
                        const Argv& command) const;
  void sweep() const;

  std::string name_;
};

// The scripts and the configuration of the lab: $POSTERN_LAB_DIR, else those of the source tree
// this was built from, else the installed ones.
std::filesystem::path lab_share();
// This program, and posternd: $POSTERND, else beside this program or in the build tree's place.
std::filesystem::path postern_program();
std::filesystem::path posternd_program();

}  // namespace postern::cli
