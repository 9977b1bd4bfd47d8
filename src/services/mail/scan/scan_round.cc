// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/scan/scan_round.h"

#include <utility>

#include "base/plain_text.h"
#include "services/mail/message/octets.h"
#include "services/mail/scan/command_scan.h"
#include "services/mail/scan/milter_client.h"

namespace postern::mail {
namespace {

using Kind = ScanVerdict::Kind;

constexpr std::string_view kCommandName = "command";

ScanLimits limits_of(const ScannerList& list, int stop) {
  return {ScanLimits::Clock::now() + std::chrono::nanoseconds(list.timeout.ns), stop};
}

// RFC5321-2.4: replies are ASCII; a client that did not say SMTPUTF8 gets no other.
std::string ascii(std::string text) {
  for (char& octet : text) {
    if (is_high(octet)) octet = '?';
  }
  return text;
}

class Round {
 public:
  Round(const ScannerList& list, const ScanJob& job, int stop)
      : list_(list), job_(job), stop_(stop) {}

  ScanOutcome run();

 private:
  // False: the verdict is there.
  bool ask(const ScannerList::Milter& milter);
  bool ask_the_command();
  bool take_fault(const std::string& name, const std::string& why);
  bool decide(Kind kind, const std::string& name, Reply reply);

  const ScannerList& list_;
  const ScanJob& job_;
  const int stop_;
  ScanOutcome outcome_;
  std::string faults_;  // of those that could not be asked
};

ScanOutcome Round::run() {
  bool is_open = true;
  for (const ScannerList::Milter& milter : list_.milters)
    is_open = is_open && ask(milter);
  if (is_open && !list_.command.empty()) is_open = ask_the_command();
  if (!is_open) return std::move(outcome_);
  ScanVerdict& verdict = outcome_.verdict;
  verdict.kind = faults_.empty() ? Kind::clean : Kind::unavailable;
  verdict.what = faults_;
  return std::move(outcome_);
}

bool Round::ask(const ScannerList::Milter& milter) {
  MilterResult result = ask_milter(milter.at, {list_.host, job_.id, job_.envelope}, *job_.body,
                                   limits_of(list_, stop_));
  ScanVerdict& verdict = outcome_.verdict;
  if (!result.note.empty()) outcome_.notes.push_back(milter.name + ": " + result.note);
  if (result.kind == MilterResult::Kind::fault)
    return take_fault(milter.name, plain_text(result.why));
  outcome_.scanners.push_back({milter.name, {}});
  switch (result.kind) {
    case MilterResult::Kind::pass:
      verdict.added += result.added;
      return true;
    case MilterResult::Kind::later:
      if (!result.reply) result.reply = {451, "4.7.1", "the scanner asks to try again later"};
      return decide(Kind::defer, milter.name, std::move(result.reply));
    case MilterResult::Kind::hold:
      verdict.is_hold = true;
      verdict.added += result.added;
      result.reply = {550, "5.7.1", plain_text(result.why)};
      break;
    case MilterResult::Kind::discard:
      verdict.is_discard = true;
      result.reply = {550, "5.7.1", "to be discarded"};
      break;
    default:
      break;
  }
  if (!result.reply) result.reply = {550, "5.7.1", "the message was refused by a scanner"};
  return decide(Kind::infected, milter.name, std::move(result.reply));
}

bool Round::ask_the_command() {
  const std::string name(kCommandName);
  const CommandResult result =
      ask_command(list_.command, job_.id, *job_.body, limits_of(list_, stop_));
  if (result.kind == CommandResult::Kind::fault) return take_fault(name, result.what);
  outcome_.scanners.push_back({name, {}});
  if (result.kind == CommandResult::Kind::clean) return true;
  return decide(Kind::infected, name, {550, "5.7.1", "the message was refused: " + result.what});
}

bool Round::take_fault(const std::string& name, const std::string& why) {
  outcome_.scanners.push_back({name, why});
  if (!faults_.empty()) faults_ += "; ";
  faults_ += name + ": " + why;
  return true;
}

bool Round::decide(Kind kind, const std::string& name, Reply reply) {
  reply.text = ascii(std::move(reply.text));
  outcome_.verdict.kind = kind;
  outcome_.verdict.what = name + ": " + to_text(reply);
  outcome_.verdict.reply = std::move(reply);
  return false;
}

}  // namespace

Result<ScannerList> make_scanner_list(const ScanSettings& settings, const std::string& host) {
  ScannerList list{{}, settings.command, settings.timeout, host};
  list.milters.reserve(settings.milters.size());
  for (const std::string& name : settings.milters) {
    auto at = parse_milter_address(name);
    if (!at) return std::move(at).error();
    list.milters.push_back({name, *std::move(at)});
  }
  return list;
}

ScanOutcome scan_round(const ScannerList& list, const ScanJob& job, int stop) {
  return Round(list, job, stop).run();
}

}  // namespace postern::mail
