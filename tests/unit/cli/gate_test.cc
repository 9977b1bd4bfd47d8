// SPDX-License-Identifier: BSD-3-Clause
#include "cli/shell/gate.h"

#include <catch2/catch.hpp>

using namespace postern;
using namespace postern::cli;

namespace {

// One option or argument of the command itself.
bool may(const std::string& command, const std::string& name = "", const std::string& value = "") {
  Spoken spoken{command, {}};
  if (!name.empty()) spoken.given.push_back({command, name, {value}});
  auto result = may_run(spoken);
  if (!result) CHECK(result.error().code == ErrorCode::denied);
  return result.has_value();
}

// One option that every command takes.
bool may_with(const std::string& name, const std::string& value = "") {
  return may_run({"status", {{"", name, {value}}}}).has_value();
}

}  // namespace

TEST_CASE("cli/gate: commands that ask the daemon may be run, with their options", "[F60]") {
  CHECK(may("status"));
  CHECK(may("show sessions", "host", "192.168.1.10"));
  CHECK(may("apply", "comment", "new office"));
  CHECK(may("diff", "FILE", "12"));
  CHECK(may_with("json"));
  CHECK(may_with("no-header"));
}

TEST_CASE("cli/gate: what is not known is refused", "[F60]") {
  for (const char* command : {"", "show", "lab exec", "lab up", "key generate", "key show", "shell",
                              "login", "completion bash", "new command", "status x"}) {
    CAPTURE(command);
    CHECK_FALSE(may(command));
  }
  CHECK_FALSE(may("status", "new-option"));
  CHECK_FALSE(may("doctor", "root", "/x"));
  CHECK_FALSE(may("doctor", "config", "-"));
  CHECK_FALSE(may("support-bundle", "state-dir", "/x"));
  CHECK_FALSE(may("user hash", "mib", "65536"));
}

TEST_CASE("cli/gate: files are the standard streams only", "[F60]") {
  for (const char* stream : {"-", "/dev/stdin", "/dev/stdout"}) {
    CAPTURE(stream);
    CHECK(may("apply", "FILE", stream));
    CHECK(may("capture", "out", stream));
    CHECK(may("support-bundle", "FILE", stream));
  }
  for (const char* file :
       {"", "x", "/etc/passwd", "./-", "-/x", "/dev/stdin/", "/dev/fd/3", "-1"}) {
    CAPTURE(file);
    CHECK_FALSE(may("check", "FILE", file));
    CHECK_FALSE(may("plan", "FILE", file));
    CHECK_FALSE(may("diff", "FILE", file));
    CHECK_FALSE(may("diff", "OTHER", file));
    CHECK_FALSE(may("apply", "FILE", file));
    CHECK_FALSE(may("explain", "config", file));
    CHECK_FALSE(may("lease import", "FILE", file));
    CHECK_FALSE(may("user import", "FILE", file));
    CHECK_FALSE(may("capture", "out", file));
    CHECK_FALSE(may("support-bundle", "FILE", file));
  }
  CHECK_FALSE(may("support-bundle"));  // it would choose a name
  CHECK_FALSE(may_run({"capture", {{"capture", "out", {"-", "/tmp/x"}}}}));
}

TEST_CASE("cli/gate: no other daemon is asked, and no other account is spoken for", "[F60]") {
  for (const char* name :
       {"host", "user", "identity", "password-file", "known-hosts", "fingerprint", "run-dir"}) {
    CAPTURE(name);
    CHECK_FALSE(may_with(name, "x"));
  }
}

TEST_CASE("cli/gate: completion offers what may be run") {
  CHECK(is_offered({}, "show"));
  CHECK(is_offered({}, "status"));
  CHECK(is_offered({"show"}, "sessions"));
  CHECK(is_offered({"show", "sessions"}, "--host"));
  CHECK(is_offered({"show", "sessions"}, "--help"));
  CHECK(is_offered({"user", "add", "bob", "--role"}, "viewer"));
  CHECK_FALSE(is_offered({}, "lab"));
  CHECK_FALSE(is_offered({}, "-"));
  CHECK_FALSE(is_offered({}, "shell"));
  CHECK_FALSE(is_offered({}, "--host"));
  CHECK_FALSE(is_offered({"doctor"}, "--root"));
  CHECK_FALSE(is_offered({"status"}, "--host"));
}
