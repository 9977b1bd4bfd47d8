// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/security_line.h"

#include <ctime>
#include <iterator>

#include "base/plain_text.h"
#include "control/compile/policy_text.h"

namespace postern {
namespace {

const char* module_of(const LogRecord& record) {
  switch (record.kind) {
    case LogKind::rule:
    case LogKind::fallthrough:
      return "filter";
    case LogKind::drop:
      return record.reason == DropReason::spoofed_source ? "spoof" : "packet";
    case LogKind::translation:
      return "nat";
    case LogKind::session_end:
      return "session";
  }
  return "-";
}

const char* action_word(LogAction action) {
  switch (action) {
    case LogAction::permit:
      return "permit";
    case LogAction::drop:
      return "drop";
    case LogAction::deny:
      return "deny";
    case LogAction::next:
      return "continue";
    case LogAction::translate:
      return "translate";
    case LogAction::end:
      return "end";
  }
  return "-";
}

// In double quotes, with quotes and backslashes escaped and control characters replaced.
void append_quoted(fmt::memory_buffer& out, std::string_view text) {
  out.push_back('"');
  for (char c : plain_text(text)) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

template <typename... Args>
void append(fmt::memory_buffer& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

void append_text(fmt::memory_buffer& out, std::string_view text) {
  out.append(text.data(), text.data() + text.size());
}

void append_party(fmt::memory_buffer& out, const char* key, Ipv4Address address, uint8_t protocol,
                  uint16_t port) {
  uint32_t n = address.number;
  append(out, " {}={}.{}.{}.{}", key, n >> 24, n >> 16 & 255, n >> 8 & 255, n & 255);
  if (has_ports(protocol)) append(out, ":{}", port);
}

}  // namespace

std::string_view SecurityLine::format(const LogRecord& record, const LoggedNames* names,
                                      int64_t wall_offset_ns) {
  out_.clear();
  append_time(record.at.ns + wall_offset_ns);
  append(out_, " host={} module={}", host_, module_of(record));
  append_rule(record, names);
  auto interface = [&](InterfaceId id) { return names ? names->names.interface(id) : "-"; };
  append(out_, " action={} in={} out={} direction={}", action_word(record.action),
         interface(record.in), interface(record.out), direction_word(record, names));
  append_flow(record);
  append_transport(record);
  if (record.reason != DropReason::none) append(out_, " reason={}", to_word(record.reason));
  append(out_, " generation={}", record.generation);
  append(out_, " worker={}", unsigned{record.worker});
  if (record.user != 0) append_user(record);
  return {out_.data(), out_.size()};
}

std::string_view SecurityLine::format_lost(uint64_t records, size_t worker, int64_t wall_ns) {
  out_.clear();
  append_time(wall_ns);
  append(out_, " host={} module=log action=lost records={} worker={} text=\"{} records lost\"",
         host_, records, worker, records);
  return {out_.data(), out_.size()};
}

std::string_view SecurityLine::format_suppressed(DropReason reason, uint64_t records, size_t worker,
                                                 int64_t wall_ns) {
  out_.clear();
  append_time(wall_ns);
  append(out_,
         " host={} module=log action=suppressed reason={} records={} worker={} text=\"{} more "
         "records left out\"",
         host_, to_word(reason), records, worker, records);
  return {out_.data(), out_.size()};
}

// The part up to the second is kept: most records share it.
void SecurityLine::append_time(int64_t wall_ns) {
  constexpr int64_t kNsPerSecond = 1'000'000'000;
  int64_t second = wall_ns / kNsPerSecond;
  if (second != second_) {
    second_ = second;
    std::time_t at = second;
    std::tm parts = {};
    localtime_r(&at, &parts);
    char text[32];
    until_second_.assign(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts));
    offset_.assign(text, std::strftime(text, sizeof text, "%z", &parts));
  }
  append(out_, "time={}.{:03}{}", until_second_, wall_ns % kNsPerSecond / 1'000'000, offset_);
}

void SecurityLine::append_rule(const LogRecord& record, const LoggedNames* names) {
  if (record.kind == LogKind::fallthrough) return append_text(out_, " rule=\"default\"");
  bool is_rule = record.kind == LogKind::rule;
  if (!is_rule && record.kind != LogKind::translation) return;
  const PolicyNames::Entry* entry = nullptr;
  if (names != nullptr) {
    entry = is_rule ? names->names.find_rule(record.rule) : names->names.find_nat(record.rule);
  }
  append_text(out_, " rule=");
  if (entry == nullptr) {
    append(out_, "\"#{}\"", record.rule);
    return;
  }
  append_quoted(out_, entry->name);
  if (!entry->description.empty()) {
    append_text(out_, " description=");
    append_quoted(out_, entry->description);
  }
  if (entry->line != 0) append(out_, " line={}", entry->line);
}

// F27: who is logged in at the source.
void SecurityLine::append_user(const LogRecord& record) {
  const std::string name = users_ != nullptr ? users_->find(record.user) : std::string();
  append_text(out_, " user=");
  append_quoted(out_, name.empty() ? fmt::format("#{:x}", record.user) : name);
}

void SecurityLine::append_flow(const LogRecord& record) {
  append(out_, " protocol={}", protocol_text(record.protocol));
  append_party(out_, "source", record.source, record.protocol, record.source_port);
  append_party(out_, "destination", record.destination, record.protocol, record.destination_port);
  if (record.original_destination != record.destination ||
      record.original_destination_port != record.destination_port) {
    append_party(out_, "original_destination", record.original_destination, record.protocol,
                 record.original_destination_port);
  }
  if (record.kind == LogKind::translation && !record.translated_source.is_unspecified()) {
    append_party(out_, "translated_source", record.translated_source, record.protocol,
                 record.translated_source_port);
  }
}

void SecurityLine::append_transport(const LogRecord& record) {
  if (record.length != 0) append(out_, " length={}", record.length);
  if (record.kind == LogKind::session_end) return;
  if (record.protocol == protocol::tcp) {
    append(out_, " flags={} seq={} ack={} window={}", tcp_flags_text(record.tcp_flags),
           record.tcp_sequence, record.tcp_acknowledgment, record.tcp_window);
  } else if (record.protocol == protocol::icmp) {
    append(out_, " type={} code={}", unsigned{record.icmp_type}, unsigned{record.icmp_code});
    uint16_t id = record.source_port != 0 ? record.source_port : record.destination_port;
    if (id != 0) append(out_, " id={}", id);
  }
}

const char* direction_word(const LogRecord& record, const LoggedNames* names) {
  if (record.in == kGateway) return "from-gateway";
  if (record.out == kGateway) return "to-gateway";
  auto is_known = [&](InterfaceId id) { return names != nullptr && id < names->zones.size(); };
  if (!is_known(record.in)) return "-";
  bool from_outside = names->zones[record.in] == Zone::external;
  if (!is_known(record.out)) return from_outside ? "inbound" : "-";
  bool to_outside = names->zones[record.out] == Zone::external;
  if (from_outside) return to_outside ? "transit" : "inbound";
  return to_outside ? "outbound" : "internal";
}

std::string tcp_flags_text(uint8_t flags) {
  static constexpr const char* kNames[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
  std::string text;
  for (unsigned bit = 0; bit < 8; ++bit) {
    if ((flags >> bit & 1) == 0) continue;
    if (!text.empty()) text += ',';
    text += kNames[bit];
  }
  return text.empty() ? "-" : text;
}

}  // namespace postern
