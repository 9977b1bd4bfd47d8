// SPDX-License-Identifier: BSD-3-Clause
// One message: MAIL, RCPT, DATA and its text (RFC 5321 sections 3.3 and 4.1.1.2 to 4.1.1.4).
#include <algorithm>
#include <utility>

#include "services/mail/message/address.h"
#include "services/mail/message/octets.h"
#include "services/mail/message/parameters.h"
#include "services/mail/smtp/server_session.h"

namespace postern::mail {
namespace {

// So much more than a message may have is read of one that is refused, before the session is cut.
constexpr uint64_t kDiscardedMax = 64 * 1024 * 1024;

// "FROM:" from the front; blanks behind it are wrong, harmless, and sent by many a printer.
bool take_keyword(std::string_view& text, std::string_view keyword) {
  if (!same_word(text.substr(0, keyword.size()), keyword)) return false;
  text = trim(text.substr(keyword.size()));
  return true;
}

Reply address_reply(AddressFault fault, bool is_sender) {
  switch (fault) {
    case AddressFault::too_long:
      return {501, is_sender ? "5.1.7" : "5.1.3", "Address too long"};
    case AddressFault::utf8:
      return {is_sender ? uint16_t{550} : uint16_t{553}, "5.6.7", "SMTPUTF8 is needed for this"};
    case AddressFault::syntax:
    case AddressFault::none:
      break;
  }
  return {501, is_sender ? "5.1.7" : "5.1.3", "This is no address"};
}

Reply parameter_reply(ParameterFault fault) {
  if (fault == ParameterFault::unknown) return {555, "5.5.4", "Unknown parameter"};
  if (fault == ParameterFault::twice) return {501, "5.5.4", "A parameter stands here twice"};
  return {501, "5.5.4", "The value of a parameter is wrong"};
}

const Reply& or_else(const Reply& reply, const Reply& standard) {
  return reply ? reply : standard;
}

}  // namespace

bool ServerSession::may_mail() {
  if (envelope_.helo.empty()) {
    fail({503, "5.5.1", "EHLO first"});
  } else if (has_sender_) {
    fail({503, "5.5.1", "A sender was given already"});
  } else if (settings_.requires_auth && envelope_.user.empty()) {
    fail({530, "5.7.0", "Authentication is required"});
  } else if (messages_ >= settings_.messages_max) {
    close_with({421, "4.7.0", settings_.host + " Enough messages for one session"});
  } else {
    return true;
  }
  return false;
}

void ServerSession::handle_mail(std::string_view argument) {
  if (!may_mail()) return;
  if (!take_keyword(argument, "FROM:")) {
    fail({501, "5.5.2", "MAIL FROM:<address> is needed"});
    return;
  }
  Path path;
  const PathRules rules = {true, true, false};
  if (const auto fault = parse_path(argument, rules, path); fault != AddressFault::none) {
    fail(address_reply(fault, true));
    return;
  }
  // RFC5321-4.1.1.2: parameters are for those who said EHLO.
  MailParameters parameters;
  ParameterFault fault = ParameterFault::none;
  if (!argument.empty() && (argument.front() != ' ' || !is_extended_)) {
    fault = is_extended_ ? ParameterFault::value : ParameterFault::unknown;
  } else {
    fault = parse_mail_parameters(argument, offers_auth(), parameters);
  }
  if (fault != ParameterFault::none) {
    fail(parameter_reply(fault));
  } else if (needs_utf8(path.address) && !parameters.is_utf8) {
    fail(address_reply(AddressFault::utf8, true));
  } else if (parameters.size.value_or(0) > settings_.size_max) {
    // RFC1870-6.1: said before a single octet of it came.
    fail({552, "5.3.4", "The message is too big"});
  } else {
    envelope_.sender = path.address;
    envelope_.id = parameters.id;
    envelope_.returns = parameters.returns;
    envelope_.is_8bit = parameters.is_8bit;
    envelope_.is_utf8 = parameters.is_utf8;
    ask(Question::sender, AskSender{parameters.size.value_or(0)});
  }
}

void ServerSession::answer_sender(const Reply& reply) {
  if (reply && !reply.is_ok()) {
    reset();
    fail(reply);
    return;
  }
  has_sender_ = true;
  say(or_else(reply, {250, "2.1.0", "Sender ok"}));
}

void ServerSession::handle_recipient(std::string_view argument) {
  if (!has_sender_) {
    fail({503, "5.5.1", "MAIL first"});
    return;
  }
  if (!take_keyword(argument, "TO:")) {
    fail({501, "5.5.2", "RCPT TO:<address> is needed"});
    return;
  }
  Path path;
  const PathRules rules = {envelope_.is_utf8, false, true};
  if (const auto fault = parse_path(argument, rules, path); fault != AddressFault::none) {
    fail(address_reply(fault, false));
    return;
  }
  RcptParameters parameters;
  ParameterFault fault = ParameterFault::none;
  if (!argument.empty() && (argument.front() != ' ' || !is_extended_)) {
    fault = is_extended_ ? ParameterFault::value : ParameterFault::unknown;
  } else {
    fault = parse_rcpt_parameters(argument, parameters);
  }
  if (fault != ParameterFault::none) {
    fail(parameter_reply(fault));
    return;
  }
  auto& recipients = envelope_.recipients;
  if (std::any_of(recipients.begin(), recipients.end(),
                  [&](const Recipient& each) { return each.address == path.address; })) {
    say({250, "2.1.5", "Recipient ok, and was before"});
  } else if (recipients.size() >= settings_.recipients_max) {
    // RFC5321-4.5.3.1.10: the client sends to the others in a message of their own.
    say({452, "4.5.3", "Too many recipients"});
  } else {
    asked_ = {path.address, parameters.notify, parameters.original};
    ask(Question::recipient, AskRecipient{asked_});
  }
}

void ServerSession::answer_recipient(const Reply& reply) {
  if (reply && !reply.is_ok()) {
    fail(reply);
    return;
  }
  envelope_.recipients.push_back(std::move(asked_));
  --commands_;
  say(or_else(reply, {250, "2.1.5", "Recipient ok"}));
}

void ServerSession::handle_data(std::string_view /*argument*/) {
  if (!has_sender_) {
    fail({503, "5.5.1", "MAIL first"});
  } else if (envelope_.recipients.empty()) {
    fail({554, "5.5.1", "No recipient is ok"});
  } else {
    ask(Question::begin, BeginMessage{});
  }
}

void ServerSession::answer_begin(const Reply& reply) {
  if (reply && !reply.is_ok()) {
    reset();
    fail(reply);
    return;
  }
  decoder_.restart();
  header_ = HeaderScanner(settings_.header);
  size_ = 0;
  discarded_ = 0;
  refusal_ = Reply();
  message_since_ = now_;
  state_ = State::text;
  say({354, "", "Send the message, end it with <CRLF>.<CRLF>"});
}

size_t ServerSession::take_text(std::string_view octets) {
  since_ = now_;
  const DataDecoder::Piece piece = decoder_.feed(octets);
  if (decoder_.fault() != DataFault::none) {
    const Reply reply{554, "5.6.0", std::string(to_text(decoder_.fault())) + " in the message"};
    refuse_text(reply);
    refusal_ = reply;  // before all other reasons, in whatever pieces the text comes
  }
  if (!refusal_) {
    pass_text(piece.text);
  } else {
    discarded_ += piece.taken;
  }
  if (piece.is_done) {
    end_text();
  } else if (discarded_ > kDiscardedMax) {
    close_with(refusal_);
  }
  return piece.taken;
}

void ServerSession::pass_text(std::string_view text) {
  if (text.empty()) return;
  size_ += text.size();
  header_.feed(text);
  check_header();
  if (size_ > settings_.size_max) refuse_text({552, "5.3.4", "The message is too big"});
  if (!refusal_) actions_.emplace_back(MessageText{text});
}

void ServerSession::check_header() {
  if (header_.is_cut()) {
    refuse_text({552, "5.3.4", "The header of the message is too big"});
  } else if (header_.hops() > settings_.hops_max) {
    // RFC5321-6.3: it goes round.
    refuse_text({554, "5.4.6", "Too many hops: this is a loop"});
  }
}

void ServerSession::end_text() {
  state_ = State::command;
  if (!refusal_) {
    header_.finish();
    check_header();
  }
  if (!refusal_) {
    ask(Question::finish, FinishMessage{});
    return;
  }
  reset();
  commands_ = 0;
  ++messages_;
  // What follows came from one who has another mind of where lines end.
  if (decoder_.fault() != DataFault::none) {
    close_with(refusal_);
  } else {
    fail(refusal_);
  }
}

void ServerSession::refuse_text(const Reply& reply) {
  if (refusal_) return;
  refusal_ = reply;
  actions_.emplace_back(DropMessage{});
}

void ServerSession::refuse_message(const Reply& reply) {
  if (is_reading_text() && !refusal_) refusal_ = reply;
}

void ServerSession::answer_finish(const Reply& reply) {
  reset();
  commands_ = 0;
  ++messages_;
  if (reply && !reply.is_ok()) {
    fail(reply);
  } else {
    accepted_ = now_;
    say(or_else(reply, {250, "2.0.0", "Stored"}));
  }
}

}  // namespace postern::mail
