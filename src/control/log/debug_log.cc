// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/debug_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "control/capture/parse_class.h"
#include "control/compile/policy_text.h"
#include "control/log/log_line.h"
#include "control/log/security_line.h"
#include "dataplane/wire/headers.h"
#include "services/dns/message.h"
#include "services/dns/name.h"

namespace postern {
namespace {

constexpr uint16_t kSnapLength = 384;  // a name of 255 bytes behind all headers
constexpr Duration kReadPause = milliseconds(50);
constexpr uint16_t kDnsPort = 53;
constexpr size_t kUdpHeaderBytes = 8;

std::string party(Ipv4Address address, uint16_t port, bool has_port) {
  return has_port ? fmt::format("{}:{}", to_text(address), port) : to_text(address);
}

// "www.example.com 1", name and type; empty: it is no question by UDP.
std::string dns_question(const FrameFacts& facts, const std::vector<uint8_t>& bytes) {
  if (facts.protocol != protocol::udp || facts.destination_port != kDnsPort) return {};
  const size_t ip = sizeof(EthernetHeader);
  if (bytes.size() <= ip) return {};
  const size_t payload = ip + (bytes[ip] & 15u) * 4 + kUdpHeaderBytes;
  if (bytes.size() <= payload) return {};
  dns::Query query;
  const auto message = std::span<const uint8_t>(bytes).subspan(payload);
  if (dns::parse_query(message, query) != dns::QueryFault::none) return {};
  return fmt::format("{} {}", dns::to_text(query.name), query.type);
}

void add_facts(LineText& line, const FrameFacts& facts, const std::vector<uint8_t>& bytes) {
  if (!facts.has_addresses) {
    line.word("protocol", fmt::format("ethertype-{:04x}", facts.ethertype));
    if (bytes.size() < sizeof(EthernetHeader)) return;
    line.word("source", to_text(ethernet_at(bytes.data()).source));
    line.word("destination", to_text(ethernet_at(bytes.data()).destination));
    return;
  }
  const bool is_arp = facts.ethertype == ethertype::arp;
  const bool has_port = facts.has_numbers && has_ports(facts.protocol);
  line.word("protocol", is_arp ? "arp" : protocol_text(facts.protocol));
  line.word("source", party(facts.source, facts.source_port, has_port));
  line.word("destination", party(facts.destination, facts.destination_port, has_port));
  if (is_arp) line.word("arp", facts.arp_operation == 1 ? "request" : "reply");
  if (!facts.has_numbers) return;
  if (facts.protocol == protocol::tcp) line.word("flags", tcp_flags_text(facts.tcp_flags));
  if (facts.protocol == protocol::icmp) {
    line.number("type", facts.icmp_type).number("code", facts.icmp_code);
  }
  if (std::string question = dns_question(facts, bytes); !question.empty()) {
    line.text("query", question);
  }
}

}  // namespace

std::vector<DebugCapture> debug_captures(const std::vector<config::DebugClass>& classes) {
  std::vector<DebugCapture> captures;
  for (const config::DebugClass& wanted : classes) {
    const std::string where = wanted.packets == "dns" ? "port 53" : wanted.packets;
    auto same = std::find_if(captures.begin(), captures.end(), [&](const DebugCapture& capture) {
      return capture.interface == wanted.interface;
    });
    if (same == captures.end()) {
      captures.push_back({wanted.interface, where});
    } else {
      same->where += " or " + where;
    }
  }
  return captures;
}

Result<void> check_debug_classes(const std::vector<config::DebugClass>& classes,
                                 const config::Model& model) {
  for (const DebugCapture& capture : debug_captures(classes)) {
    auto traffic = parse_class({capture.interface, "", capture.where}, model);
    if (!traffic) return std::move(traffic).error();
  }
  return {};
}

Result<void> DebugLog::configure(const config::Model& model, const std::string& state_dir) {
  auto done = follow(model, state_dir);
  failed_.reset();
  if (!done) failed_ = {model, state_dir};
  return done;
}

Result<void> DebugLog::try_again() {
  if (!failed_) return {};
  const Wanted wanted = *failed_;
  return configure(wanted.model, wanted.state_dir);
}

Result<void> DebugLog::follow(const config::Model& model, const std::string& state_dir) {
  const config::DebugLog& wanted = model.logging.debug;
  const config::LogFile& file = model.logging.file(config::LogName::debug);
  const bool are_same_packets = wanted.packets == settings_.packets && objects_ == model.objects;
  const bool is_same_output = is_configured_ && file == file_ && host_ == model.system.name;
  if (!is_same_output) {
    auto done = output_.configure(file, {state_dir, model.system.name});
    if (!done) return done;
    file_ = file;
    host_ = model.system.name;
    is_configured_ = true;
  }
  settings_.lines_per_second = wanted.lines_per_second;
  if (are_same_packets) return {};
  stop();
  settings_.packets.clear();
  if (auto started = start(model); !started) {
    stop();
    return started;
  }
  settings_.packets = wanted.packets;
  objects_ = model.objects;
  return {};
}

void DebugLog::stop() {
  for (const Running& running : running_)
    captures_.stop(running.id, geteuid());
  running_.clear();
}

Result<void> DebugLog::start(const config::Model& model) {
  for (const DebugCapture& wanted : debug_captures(model.logging.debug.packets)) {
    auto traffic = parse_class({wanted.interface, "", wanted.where}, model);
    if (!traffic) return std::move(traffic).error();
    Captures::Wanted capture;
    capture.what = *traffic;
    capture.snap_length = kSnapLength;
    capture.uid = geteuid();
    capture.who = "logging.debug";
    capture.words = fmt::format("interface {} where {}",
                                wanted.interface.empty() ? "any" : wanted.interface, wanted.where);
    auto id = captures_.start(std::move(capture));
    if (!id) return std::move(id).error();
    running_.push_back({*id, 0});
    read(*id);
  }
  return {};
}

// Again and again, also what is no longer wanted, until its end: so it is gone at once.
void DebugLog::read(Captures::Id id) {
  captures_.read(id, geteuid(), [this, id](const Captures::Batch& batch) {
    take(id, batch);
    if (!batch.has_ended) loop_.after(kReadPause, [this, id] { read(id); });
  });
}

void DebugLog::take(Captures::Id id, const Captures::Batch& batch) {
  auto running =
      std::find_if(running_.begin(), running_.end(), [id](const Running& r) { return r.id == id; });
  if (running == running_.end()) return;
  uint64_t lost = 0;
  for (uint64_t of_interface : batch.totals.lost)
    lost += of_interface;
  left_out_ += lost - running->lost;
  running->lost = lost;
  const int64_t offset_ns = wall_now_ns() - world_.now().ns;
  for (const Captures::Seen& seen : batch.frames) {
    if (lines_ < settings_.lines_per_second) {
      ++lines_;
      write(seen, offset_ns);
    } else {
      ++left_out_;
    }
  }
}

void DebugLog::write(const Captures::Seen& seen, int64_t offset_ns) {
  const CaptureRecord& record = seen.record;
  const int64_t wall_ns = record.at.ns + offset_ns;
  LineText line(wall_ns, host_, "debug");
  line.word("interface", world_.interface(record.interface)).word("at", to_word(record.point));
  add_facts(line, read_facts(seen.bytes), seen.bytes);
  line.number("length", record.length);
  if (record.reason != DropReason::none) {
    line.word("reason", to_word(record.reason));
    if (record.rule != kNoRule) line.text("rule", world_.rule(record.generation, record.rule));
  }
  output_.write(Severity::debug, line.line(), wall_ns);
}

void DebugLog::tick() {
  lines_ = 0;
  if (left_out_ == 0) return;
  const int64_t now = wall_now_ns();
  LineText line(now, host_, "log");
  line.word("action", "lost").number("records", left_out_);
  line.text("text", fmt::format("{} packets left out", left_out_));
  left_out_ = 0;
  output_.write(Severity::warning, line.line(), now);
}

}  // namespace postern
