// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/audit.h"

#include <fmt/format.h>

#include "control/admin/who.h"
#include "control/log/error_log.h"

namespace postern::admin {
namespace {

// Fields of requests that may be told; all others stay untold, as they may hold secrets.
constexpr const char* kTold[] = {"revision", "address", "interface", "below",   "at",
                                 "where",    "name",    "user",      "comment", "what",
                                 "group",    "role",    "subject",   "url"};
constexpr size_t kToldMax = 200;  // bytes of one of them

void add(std::string& detail, const std::string& part) {
  if (part.empty()) return;
  detail += (detail.empty() ? "" : "; ") + part;
}

std::string words_of(const Json& value) {
  if (value.is_string()) return printable(value.get<std::string>()).substr(0, kToldMax);
  return value.is_number_integer() ? value.dump() : "";
}

std::string sections_text(const Json& result) {
  std::string text;
  for (const Json& section : result.value("sections", Json::array()))
    text += (text.empty() ? "changed " : ", ") + words_of(section);
  return text;
}

// The SSH session is the client's word; the process is the kernel's, a connection our own.
std::string from(const Dispatcher::Answered& what) {
  if (what.peer.connection) {
    const Endpoint& client = what.peer.connection->client;
    return fmt::format("remote {}:{}", to_text(client.address), client.port);
  }
  std::string text = fmt::format("pid {}", what.peer.pid);
  auto ssh = what.request.find("ssh");
  if (ssh == what.request.end() || !ssh->is_object()) return text;
  return text + ", ssh " + words_of(ssh->value("client", Json())) + ":" +
         words_of(ssh->value("client_port", Json()));
}

}  // namespace

AuditEntry audit_entry(const Dispatcher::Answered& what, const Json& response) {
  AuditEntry entry;
  entry.who = who_is(what.peer);
  entry.from = from(what);
  entry.action = what.command.empty() ? "connect" : what.command;
  for (const char* key : kTold) {
    if (!what.request.is_object() || !what.request.contains(key)) continue;
    const std::string words = words_of(what.request[key]);
    if (!words.empty()) add(entry.detail, fmt::format("{} {}", key, words));
  }
  if (!response.value("ok", false)) {
    entry.outcome = "refused";
    add(entry.detail, printable(response["error"].value("text", std::string())));
    return entry;
  }
  const Json& result = response["result"];
  if (result.contains("revision")) {
    add(entry.detail, fmt::format("now revision {}", words_of(result["revision"])));
  }
  add(entry.detail, sections_text(result));
  add(entry.detail, printable(result.value("text", std::string())));
  return entry;
}

AuditEntry audit_entry(const std::string& who, const std::string& action,
                       const ReloadReport& report) {
  AuditEntry entry;
  entry.who = who;
  entry.from = "posternd";
  entry.action = action;
  entry.outcome = report.done ? "done" : "refused";
  std::string sections;
  for (const std::string& section : report.sections)
    sections += (sections.empty() ? "changed " : ", ") + section;
  add(entry.detail, sections);
  add(entry.detail, printable(report.text));
  return entry;
}

}  // namespace postern::admin
