// SPDX-License-Identifier: BSD-3-Clause
// What the `show` commands share: cells from JSON fields, and where each command is added.
#pragma once

#include <string>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/table.h"

namespace postern::cli {

void add_show_interfaces(Command& show, const Globals& globals);  // and neighbors, routes
void add_show_sessions(Command& show, const Globals& globals);    // and mappings
void add_show_rules(Command& show, const Globals& globals);       // and drops
void add_show_config(Command& show, const Globals& globals);      // history.cc
void add_show_dns(Command& show, const Globals& globals);
void add_show_cache(Command& show, const Globals& globals);
void add_show_mail(Command& show, const Globals& globals);
void add_show_leases(Command& show, const Globals& globals);    // lease.cc
void add_show_logins(Command& show, const Globals& globals);    // logins.cc
void add_show_captures(Command& show, const Globals& globals);  // capture.cc
void add_show_talkers(Command& show, const Globals& globals);   // top/top.cc
void add_show_ports(Command& show, const Globals& globals);
void add_show_remote(Command& show, const Globals& globals);

// A cell of a table: text as it is, numbers in decimal, null and what is missing as a dash.
std::string cell(const Json& row, const char* key);
// The number of a field, 0 where it is missing.
int64_t number(const Json& row, const char* key);
// "2026-03-01 09:00:00 +0100" of "2026-03-01T08:00:00Z"; a dash for null.
std::string local_time(const Json& row, const char* key);

// Prints a table and, where the result says since when its counters count, that.
void print_table(const Table& table, const Json& result, const Globals& globals);

}  // namespace postern::cli
