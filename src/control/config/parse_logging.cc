// SPDX-License-Identifier: BSD-3-Clause
// logging.
#include "control/config/items.h"
#include "control/config/parse.h"

namespace postern::config {
namespace {

void parse_log_file(Section& section, LogFile& log) {
  section.boolean("file", log.file);
  section.boolean("console", log.console);
  section.boolean("journal", log.journal);
  section.number("max_mib", log.max_mib);
  section.number("keep", log.keep);
}

void parse_debug_class(Section& section, DebugClass& wanted) {
  wanted.mark = section.node().mark;
  section.string("packets", wanted.packets);
  std::vector<std::string> interfaces;
  parse_match(section, "interface", interfaces);
  for (const std::string& name : interfaces)
    wanted.interface += (wanted.interface.empty() ? "" : ",") + name;
  section.finish();
}

void parse_debug(Section& section, DebugLog& debug) {
  for (const Field& field : section.find_sections("packets")) {
    Section entry(field.report, field.node, field.path, *field.spec.section);
    parse_debug_class(entry, debug.packets.emplace_back());
  }
  section.number("lines_per_second", debug.lines_per_second);
}

void parse_alert(Section& section, AlertLog& alert) {
  section.duration("window", alert.window);
  section.strings("command", alert.command);
  section.duration("timeout", alert.timeout);
  section.number("parallel", alert.parallel);
}

void parse_log(Section& section, LogName name, Logging& logging) {
  parse_log_file(section, logging.file(name));
  if (name == LogName::debug) parse_debug(section, logging.debug);
  if (name == LogName::alert) parse_alert(section, logging.alert);
  section.finish();
}

void parse_syslog(Section& section, SyslogTarget& target) {
  target.mark = section.node().mark;
  if (auto field = section.find("address")) parse_target(*field, target.address, target.port);
  section.word("protocol", target.protocol);
  for (const Field& field : section.find_list("logs")) {
    if (auto word = read_word(field)) target.logs.push_back(static_cast<LogName>(*word));
  }
  section.word("facility", target.facility);
  section.number("queue_mib", target.queue_mib);
  section.string("ca", target.ca);
  section.string("server_name", target.server_name);
  section.finish();
}

}  // namespace

void parse_target(const Field& field, Ipv4Address& address, uint16_t& port) {
  auto text = read_string(field);
  if (!text) return;
  const size_t colon = text->find(':');
  auto read_address = parse_ipv4(std::string_view(*text).substr(0, colon));
  std::optional<uint32_t> read_port = port;
  if (colon != std::string::npos) {
    read_port = parse_number(std::string_view(*text).substr(colon + 1), 65535);
    if (read_port == 0u) read_port.reset();
  }
  if (!read_address || !read_port) {
    return field.error(quote(*text) + " is not an address or address:port (192.0.2.9:" +
                       std::to_string(port == 0 ? 514 : port) + ")");
  }
  address = *read_address;
  port = static_cast<uint16_t>(*read_port);
}

void parse_logging(Section& section, Logging& logging) {
  section.word("level", logging.level);
  for (const LogFacts& log : kLogTable) {
    if (auto own = section.section(log.word)) parse_log(*own, log.name, logging);
  }
  for (const Field& field : section.find_sections("syslog")) {
    Section entry(field.report, field.node, field.path, *field.spec.section);
    parse_syslog(entry, logging.syslog.emplace_back());
  }
  if (auto ipfix = section.section("ipfix")) parse_ipfix(*ipfix, logging.ipfix.emplace());
  section.finish();
}

}  // namespace postern::config
