// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/scan/command_scan.h"

#include <algorithm>
#include <string_view>

#include "base/plain_text.h"
#include "services/io/program.h"

namespace postern::mail {
namespace {

constexpr int kInfected = 1;
constexpr size_t kOutputMax = 4096;

// The first line that says something.
std::string finding_of(std::string_view output) {
  constexpr std::string_view kBlank = " \t\r\n";
  output.remove_prefix(std::min(output.find_first_not_of(kBlank), output.size()));
  std::string_view line = output.substr(0, std::min(output.find('\n'), kFindingMax));
  while (!line.empty() && kBlank.find(line.back()) != std::string_view::npos)
    line.remove_suffix(1);
  return plain_text(line);
}

}  // namespace

CommandResult ask_command(const std::vector<std::string>& command, const std::string& id,
                          const Body& body, const ScanLimits& limits) {
  io::ProgramJob job;
  job.command = command;
  job.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "POSTERN_MAIL_ID=" + id,
                     "POSTERN_MAIL_OCTETS=" + std::to_string(body.octets())};
  job.timeout = limits.left();
  job.output_max = kOutputMax;
  job.stop = limits.stop;
  uint64_t offset = 0;
  bool is_unreadable = false;
  job.input = [&](std::span<char> into) {
    const size_t count = body.read(offset, into);
    offset += count;
    is_unreadable = count < into.size() && offset < body.octets();
    return count;
  };
  auto ended = io::run_program(job);
  if (!ended) return {CommandResult::Kind::fault, std::move(ended).error().text};
  if (is_unreadable) return {CommandResult::Kind::fault, "the message cannot be read"};
  const bool has_exited = ended->kind == io::ProgramEnd::Kind::exited;
  std::string finding = finding_of(ended->output);
  if (has_exited && ended->code == 0) return {CommandResult::Kind::clean, {}};
  if (has_exited && ended->code == kInfected) {
    return {CommandResult::Kind::infected, finding.empty() ? "no name was given" : finding};
  }
  std::string why = to_text(*ended);
  if (!finding.empty()) why += ": " + finding;
  return {CommandResult::Kind::fault, std::move(why)};
}

}  // namespace postern::mail
