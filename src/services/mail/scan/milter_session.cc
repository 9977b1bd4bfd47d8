// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/scan/milter_session.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "services/mail/message/address.h"
#include "services/mail/message/octets.h"

namespace postern::mail {
namespace {

namespace command = milter_command;
namespace answer = milter_answer;

constexpr uint32_t kChanges = kMilterAddsFields | kMilterHolds;
constexpr uint32_t kSteps =
    kMilterNoConnect | kMilterNoHelo | kMilterNoMail | kMilterNoRecipient | kMilterNoBody |
    kMilterNoFields | kMilterNoEndOfHeader | kMilterMuteField | kMilterNoUnknown | kMilterNoData |
    kMilterMaySkip | kMilterMuteConnect | kMilterMuteHelo | kMilterMuteMail | kMilterMuteRecipient |
    kMilterMuteData | kMilterMuteEndOfHeader | kMilterMuteBody | kMilterKeepsBlanks |
    kMilterMuteUnknown | kMilterWantsRefused;
constexpr uint32_t kDataSince = 4;  // version
constexpr size_t kLineMax = 998;    // RFC 5322 section 2.1.1, without the CRLF
constexpr size_t kWordsMax = 500;   // octets of what it says, for replies and the log

// Which bit leaves a command out, and which its answer.
struct StepBits {
  char command;
  uint32_t left_out;
  uint32_t mute;
};
constexpr std::array<StepBits, 8> kStepBits = {{
    {command::kConnect, kMilterNoConnect, kMilterMuteConnect},
    {command::kHelo, kMilterNoHelo, kMilterMuteHelo},
    {command::kMail, kMilterNoMail, kMilterMuteMail},
    {command::kRecipient, kMilterNoRecipient, kMilterMuteRecipient},
    {command::kData, kMilterNoData, kMilterMuteData},
    {command::kField, kMilterNoFields, kMilterMuteField},
    {command::kEndOfHeader, kMilterNoEndOfHeader, kMilterMuteEndOfHeader},
    {command::kBody, kMilterNoBody, kMilterMuteBody},
}};

StepBits bits_of(char name) {
  const auto found = std::find_if(kStepBits.begin(), kStepBits.end(),
                                  [name](const StepBits& bits) { return bits.command == name; });
  return found != kStepBits.end() ? *found : StepBits{name, 0, 0};
}

// A string of the protocol: what would end it early is dropped.
std::string string_of(std::string_view text) {
  std::string out(text);
  std::erase(out, '\0');
  out += '\0';
  return out;
}

bool is_field_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char octet) {
    return octet > ' ' && octet < 0x7f && octet != ':';
  });
}

// Ends the lines of a reply's text, and takes its "%%" for "%", as libmilter has them written.
std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "\r\n") {
      lines.emplace_back();
      ++i;
      continue;
    }
    if (text.substr(i, 2) == "%%") ++i;
    lines.back() += text[i];
  }
  return lines;
}

}  // namespace

MilterSession::MilterSession(const MilterMail& mail)
    : mail_(mail), splitter_(kMilterDataMax - 2), asked_(command::kOptions) {
  append_options(output_, {kMilterVersion, kChanges, kSteps});
}

std::string MilterSession::take_output() {
  return std::exchange(output_, {});
}

void MilterSession::text(std::string_view octets) {
  POSTERN_ASSERT(wants_text());
  POSTERN_ASSERT(octets.size() <= kTextMax);
  splitter_.feed(octets, *this);
  go_on();
}

void MilterSession::text_is_over() {
  POSTERN_ASSERT(wants_text());
  has_all_text_ = true;
  splitter_.finish(*this);
  add_macros(command::kEndOfBody, {"i", mail_.id});
  add(command::kEndOfBody, {});
  go_on();
}

void MilterSession::field(std::string_view name, std::string_view value) {
  if (!has_step(kMilterKeepsBlanks)) {
    while (!value.empty() && is_blank(value.front()))
      value.remove_prefix(1);
  }
  add(command::kField, string_of(name) + string_of(value));
}

void MilterSession::end_of_header() {
  add(command::kEndOfHeader, {});
}

void MilterSession::body(std::string_view octets) {
  for (; !octets.empty(); octets.remove_prefix(std::min(octets.size(), kMilterDataMax)))
    add(command::kBody, std::string(octets.substr(0, kMilterDataMax)));
}

void MilterSession::add(char name, std::string data) {
  if (!has_step(bits_of(name).left_out)) commands_.push_back({name, std::move(data)});
}

// Macros belong to the command that follows them, and are left out with it.
void MilterSession::add_macros(char name,
                               std::initializer_list<std::string_view> names_and_values) {
  if (has_step(bits_of(name).left_out)) return;
  std::string data(1, name);
  for (const std::string_view text : names_and_values)
    data += string_of(text);
  if (data.size() <= kMilterDataMax) add(command::kMacros, std::move(data));
}

void MilterSession::add_envelope() {
  const Envelope& envelope = mail_.envelope;
  // A message that was fetched, or is ours, has no client.
  const bool has_client = envelope.client != Ipv4Address();
  const std::string address = has_client ? postern::to_text(envelope.client) : "127.0.0.1";
  const std::string name = has_client ? "[" + address + "]" : "localhost";
  add_macros(command::kConnect, {"j", mail_.host, "{daemon_name}", mail_.host, "{client_addr}",
                                 address, "{client_name}", name});
  add(command::kConnect, string_of(name) + '4' + std::string(2, '\0') + string_of(address));
  add(command::kHelo, string_of(envelope.helo.empty() ? mail_.host : envelope.helo));
  const std::string sender = mail::to_text(envelope.sender);
  if (envelope.user.empty()) {
    add_macros(command::kMail, {"i", mail_.id, "{mail_addr}", sender});
  } else {
    add_macros(command::kMail,
               {"i", mail_.id, "{mail_addr}", sender, "{auth_authen}", envelope.user});
  }
  add(command::kMail, string_of(to_path(envelope.sender)));
  for (const Recipient& recipient : envelope.recipients) {
    add_macros(command::kRecipient, {"{rcpt_addr}", mail::to_text(recipient.address)});
    add(command::kRecipient, string_of(to_path(recipient.address)));
  }
  if (options_.version >= kDataSince) {
    add_macros(command::kData, {"i", mail_.id});
    add(command::kData, {});
  }
}

// Sends up to the next command that is answered.
void MilterSession::go_on() {
  while (!is_over_ && !is_waiting_ && !commands_.empty()) {
    const Command next = std::move(commands_.front());
    commands_.pop_front();
    if (next.command == command::kBody && is_skipping_) continue;
    append_packet(output_, next.command, next.data);
    is_waiting_ = !has_step(bits_of(next.command).mute) && next.command != command::kMacros;
    if (is_waiting_) asked_ = next.command;
  }
}

void MilterSession::take(std::string_view octets) {
  if (is_over_) return;
  reader_.take(octets);
  while (const auto packet = reader_.next()) {
    take_packet(*packet);
    if (is_over_) return;
  }
  if (reader_.is_broken()) return fail("it sent a packet of an impossible length");
  go_on();
}

void MilterSession::take_packet(const MilterPacket& packet) {
  if (packet.command == answer::kProgress) return;
  if (!is_waiting_) return fail("it spoke out of turn");
  if (asked_ == command::kOptions) {
    if (packet.command == command::kOptions) return take_options(packet.data);
    return fail("it did not agree on options");
  }
  if (take_change(packet)) return;
  take_verdict(packet);
}

void MilterSession::take_options(std::string_view data) {
  const auto options = parse_options(data);
  if (!options || options->version < kMilterVersionMin || options->version > kMilterVersion)
    return fail("it speaks no version of the protocol that is known here");
  if ((options->steps & ~kSteps) != 0) return fail("it wants steps that were not offered");
  options_ = *options;
  is_waiting_ = false;
  add_envelope();
}

// Changes come before the answer to the end of the body, and nowhere else.
bool MilterSession::take_change(const MilterPacket& packet) {
  switch (packet.command) {
    case answer::kAddField:
    case answer::kInsertField:
    case answer::kChangeField:
    case answer::kQuarantine:
    case answer::kReplaceBody:
    case answer::kAddRecipient:
    case answer::kAddRecipientWith:
    case answer::kRemoveRecipient:
    case answer::kChangeSender:
      break;
    default:
      return false;
  }
  std::string_view data = packet.data;
  if (asked_ != command::kEndOfBody) {
    fail("it changes the message too early");
  } else if (packet.command == answer::kAddField) {
    add_field(data);
  } else if (packet.command == answer::kInsertField) {
    // Where it stands among the others is not kept: all of them come first.
    if (take_number(data)) {
      add_field(data);
    } else {
      fail("it adds no field");
    }
  } else if (packet.command == answer::kQuarantine) {
    is_held_ = true;
    result_.why = std::string(take_string(data).value_or(data).substr(0, kWordsMax));
  } else if (packet.command == answer::kChangeField) {
    result_.note = "it wants to change fields, which is not done";
  } else {
    forbidden_ = packet.command == answer::kReplaceBody ? "another body" : "another envelope";
  }
  return true;
}

void MilterSession::add_field(std::string_view data) {
  const auto name = take_string(data);
  const auto value = name ? take_string(data) : std::nullopt;
  if (!value || !is_field_name(*name)) return fail("it adds no field");
  std::string field(*name);
  field += ':';
  if (!has_step(kMilterKeepsBlanks)) field += ' ';
  size_t line = field.size();
  for (size_t i = 0; i < value->size(); ++i) {
    const char octet = (*value)[i];
    if (octet == '\r' && value->substr(i, 2) == "\r\n") continue;
    if (octet == '\n') {
      const bool is_folded = i + 1 < value->size() && is_blank((*value)[i + 1]);
      if (!is_folded) return fail("it adds a field that would end the header");
      field += "\r\n";
      line = 0;
      continue;
    }
    if (is_control(octet) && octet != '\t') return fail("it adds a field with control characters");
    field += octet;
    if (++line > kLineMax) return fail("it adds a field with a line that is too long");
  }
  if (result_.added.size() + field.size() > kAddedMax) return fail("it adds too many fields");
  result_.added += field + "\r\n";
}

void MilterSession::take_verdict(const MilterPacket& packet) {
  switch (packet.command) {
    case answer::kProceed:
      return proceed();
    case answer::kAccept:
      asked_ = command::kEndOfBody;
      return proceed();
    case answer::kSkip:
      if (asked_ != command::kBody) return fail("it skips what is no body");
      is_skipping_ = true;
      return proceed();
    case answer::kReject:
      return end(MilterResult::Kind::refuse, {});
    case answer::kTryLater:
    case answer::kShutdown:
    case answer::kFailConnection:
      return end(MilterResult::Kind::later, {});
    case answer::kDiscard:
      return end(MilterResult::Kind::discard, {});
    case answer::kReply:
      return take_reply(packet.data);
    default:
      return fail("it answers in an unknown way");
  }
}

void MilterSession::take_reply(std::string_view data) {
  ReplyReader reader;
  const auto text = take_string(data);
  auto step = ReplyReader::Step::bad;
  for (const std::string& line : lines_of(text.value_or(""))) {
    step = reader.take(line);
    if (step != ReplyReader::Step::more) break;
  }
  Reply reply = reader.reply();
  reply.text.resize(std::min(reply.text.size(), kWordsMax));
  if (step == ReplyReader::Step::done && reply.is_permanent())
    return end(MilterResult::Kind::refuse, reply);
  if (step == ReplyReader::Step::done && reply.is_transient())
    return end(MilterResult::Kind::later, reply);
  fail("it answers with a reply that is none");
}

void MilterSession::proceed() {
  is_waiting_ = false;
  if (asked_ != command::kEndOfBody) return;
  if (!forbidden_.empty()) return fail("it wants " + forbidden_ + ", which is not done");
  end(is_held_ ? MilterResult::Kind::hold : MilterResult::Kind::pass, {});
}

void MilterSession::end(MilterResult::Kind kind, Reply reply) {
  is_over_ = true;
  is_waiting_ = false;
  result_.kind = kind;
  result_.reply = std::move(reply);
  commands_.clear();
  append_packet(output_, command::kQuit, {});
}

void MilterSession::fail(std::string why) {
  if (is_over_) return;
  is_over_ = true;
  is_waiting_ = false;
  result_.kind = MilterResult::Kind::fault;
  result_.why = std::move(why);
  commands_.clear();
  output_.clear();
}

}  // namespace postern::mail
