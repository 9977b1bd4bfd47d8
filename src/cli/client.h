// SPDX-License-Identifier: BSD-3-Clause
// The way from a command to the daemon and back: one request over the administration socket, or
// over the network.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"
#include "cli/command.h"

namespace postern::cli {

using Json = nlohmann::ordered_json;

// Sends the request to the daemon of this machine, or to that of --host, and waits for its response
// (bounded, see client.cc). An Error is about the way there; a refusal by the daemon is a response
// with "ok": false.
Result<Json> call(const Globals& globals, Json request);

// One line on standard error, or the error as JSON; returns the exit code for it.
int report(const Error& error, const Globals& globals);
// The same where every line of standard output is an object.
int report_in_line(const Error& error, const Globals& globals);

// What a response that is not ok says.
Error error_of(const Json& response);

// Calls the daemon and shows what it answers: as JSON with --json, else by `print`, which gets the
// result. Returns the exit code of the command.
int ask_and_show(const Globals& globals, const Json& request,
                 const std::function<void(const Json& result)>& print);

// Prints a result for programs: one object, "schema_version" first.
void print_json(const Json& result);
// The same in one line, at once.
void print_json_line(const Json& result);

}  // namespace postern::cli
