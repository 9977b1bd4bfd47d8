// SPDX-License-Identifier: BSD-3-Clause
// The part of ClientSession that sends a message: MAIL, RCPT, DATA, the text and its end.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "services/mail/message/address.h"
#include "services/mail/smtp/client_session.h"

namespace postern::mail {
namespace {

constexpr uint16_t kGoOn = 354;
constexpr uint16_t kTooManyRecipients = 552;

std::string notify_text(uint8_t notify) {
  if ((notify & kNotifyNever) != 0) return "NEVER";
  std::string text;
  const std::pair<Notify, const char*> names[] = {
      {kNotifySuccess, "SUCCESS"}, {kNotifyFailure, "FAILURE"}, {kNotifyDelay, "DELAY"}};
  for (const auto& [bit, name] : names) {
    if ((notify & bit) != 0) text += (text.empty() ? "" : ",") + std::string(name);
  }
  return text;
}

bool is_answer_to_text(const Reply& reply) {
  return reply.is_transient() || reply.is_permanent();
}

}  // namespace

ClientActions ClientSession::send(ClientMessage message, Instant now) {
  POSTERN_ASSERT(is_ready() && !message.places.empty());
  begin_call(now);
  message_ = std::move(message);
  places_ = message_.places;
  results_.assign(places_.size(), std::nullopt);
  asked_ = answered_ = accepted_ = 0;
  was_sender_taken_ = was_heard_ = false;
  encoder_ = DataEncoder();
  const uint64_t octets_s = std::min<uint64_t>(message_.octets / kOctetsMin, UINT32_MAX);
  until_ = now + settings_.command_timeout + kMessageMax + seconds(static_cast<int64_t>(octets_s));
  if (is_fit()) {
    state_ = State::envelope;
    put_envelope();
  } else {
    was_heard_ = true;
    end_message();
  }
  return end_call();
}

// Whether the server can take it at all; if not, the results say why.
bool ClientSession::is_fit() {
  const Envelope& envelope = *message_.envelope;
  bool is_utf8 = envelope.is_utf8 || needs_utf8(envelope.sender);
  for (const size_t place : places_)
    is_utf8 = is_utf8 || needs_utf8(envelope.recipients[place].address);
  if (offers_.size_max != 0 && message_.octets > offers_.size_max) {
    settle_rest({552, "5.3.4",
                 "The message of " + std::to_string(message_.octets) +
                     " octets is larger than the " + std::to_string(offers_.size_max) +
                     " that the next server takes"});
  } else if (is_utf8 && !offers_.is_utf8) {
    // RFC 6531 section 3.4 and 3.5
    settle_rest({550, "5.6.7", "The message needs SMTPUTF8, which the next server does not offer"});
  } else if (envelope.is_8bit && !offers_.is_8bit) {
    // RFC 6152 section 3
    settle_rest({554, "5.6.3", "The message needs 8BITMIME, which the next server does not offer"});
  } else {
    return true;
  }
  return false;
}

void ClientSession::put_envelope() {
  if (needs_reset_) put("RSET", Expected::reset);
  if (needs_reset_ && !offers_.is_pipelining) return;
  put_sender();
  if (!offers_.is_pipelining) return;
  // RFC2920-3.1: DATA is the last of a group.
  while (asked_ < places_.size())
    put_recipient(asked_);
  put("DATA", Expected::data);
}

void ClientSession::put_sender() {
  const Envelope& envelope = *message_.envelope;
  std::string line = "MAIL FROM:" + to_path(envelope.sender);
  if (offers_.is_size) line += " SIZE=" + std::to_string(message_.octets);
  if (envelope.is_8bit) line += " BODY=8BITMIME";
  bool is_utf8 = envelope.is_utf8 || needs_utf8(envelope.sender);
  for (const size_t place : places_)
    is_utf8 = is_utf8 || needs_utf8(envelope.recipients[place].address);
  if (is_utf8) line += " SMTPUTF8";
  if (offers_.is_dsn) {
    if (envelope.returns == kReturnsFull) line += " RET=FULL";
    if (envelope.returns == kReturnsHeaders) line += " RET=HDRS";
    if (!envelope.id.empty()) line += " ENVID=" + envelope.id;
  }
  needs_reset_ = true;
  put(line, Expected::sender);
}

void ClientSession::put_recipient(size_t index) {
  const Recipient& recipient = message_.envelope->recipients[places_[index]];
  std::string line = "RCPT TO:" + to_path(recipient.address);
  if (offers_.is_dsn) {
    if (recipient.notify != 0) line += " NOTIFY=" + notify_text(recipient.notify);
    if (!recipient.original.empty()) line += " ORCPT=" + recipient.original;
  }
  ++asked_;
  put(line, Expected::recipient);
}

void ClientSession::take_reset(const Reply& reply) {
  if (!reply.is_ok()) return break_off("RSET is answered by " + to_text(reply));
  if (!offers_.is_pipelining) put_sender();
}

void ClientSession::take_sender(const Reply& reply) {
  if (reply.is_more()) return break_off("MAIL is answered by " + to_text(reply));
  was_sender_taken_ = reply.is_ok();
  if (!was_sender_taken_) settle_rest(reply);
  if (offers_.is_pipelining) return;  // the other answers follow
  if (was_sender_taken_) return put_recipient(0);
  end_message();
}

void ClientSession::take_recipient(const Reply& reply) {
  if (reply.is_more()) return break_off("RCPT is answered by " + to_text(reply));
  std::optional<Reply>& result = results_[answered_++];
  if (reply.is_ok()) {
    ++accepted_;
  } else if (!result) {
    result = reply;
    // RFC5321-4.5.3.1.10: too many for one message; the others may follow in another one.
    if (reply.code == kTooManyRecipients) result = Reply{452, "4.5.3", reply.text};
  }
  if (offers_.is_pipelining) return;
  if (asked_ < places_.size()) return put_recipient(asked_);
  if (accepted_ != 0) return put("DATA", Expected::data);
  end_message();
}

void ClientSession::take_data(const Reply& reply) {
  const bool may_send = was_sender_taken_ && accepted_ != 0;
  if (reply.code == kGoOn && may_send) {
    state_ = State::text;
    since_ = now_;
    actions_.emplace_back(SendText{});
    return;
  }
  if (reply.code == kGoOn && accepted_ == 0) {
    // RFC2920-3.1: nobody is to get it, and still it is waited for.
    state_ = State::text_end;
    return put(".", Expected::empty_end);
  }
  if (!is_answer_to_text(reply)) return break_off("DATA is answered by " + to_text(reply));
  settle_rest(reply);
  end_message();
}

ClientActions ClientSession::text(std::string_view octets, Instant now) {
  begin_call(now);
  if (state_ != State::text) return end_call();
  since_ = now;
  SendOctets piece;
  if (encoder_.feed(octets, piece.octets)) {
    actions_.emplace_back(std::move(piece));
  } else {
    // It cannot be put into words of SMTP, today or tomorrow.
    end_session({554, "5.6.0", "The message has lines that do not end in CRLF, or a NUL"});
  }
  return end_call();
}

ClientActions ClientSession::end_text(Instant now) {
  begin_call(now);
  if (state_ != State::text) return end_call();
  SendOctets piece;
  if (!encoder_.finish(piece.octets)) {
    end_session({554, "5.6.0", "The message has lines that do not end in CRLF, or a NUL"});
    return end_call();
  }
  actions_.emplace_back(std::move(piece));
  expected_.push_back(Expected::end);
  state_ = State::text_end;
  since_ = now;
  return end_call();
}

ClientActions ClientSession::break_text(const std::string& why, Instant now) {
  begin_call(now);
  if (state_ == State::text) end_session({451, "4.3.0", "The message cannot be read: " + why});
  return end_call();
}

// A server that says no before it has all of the text.
void ClientSession::take_early(const Reply& reply) {
  if (!is_answer_to_text(reply))
    return break_off("In the middle of the text the server says " + to_text(reply));
  end_session(reply);
}

void ClientSession::take_end(const Reply& reply) {
  if (reply.is_more()) return break_off("The end of the text is answered by " + to_text(reply));
  needs_reset_ = false;
  settle_rest(reply);
  end_message();
}

void ClientSession::take_empty_end(const Reply& /*reply*/) {
  end_message();
}

void ClientSession::take_said(const Reply& reply) {
  actions_.emplace_back(Said{reply});
  become_ready();
}

// The result of all recipients that have none yet, be it good or bad.
void ClientSession::settle_rest(const Reply& reply) {
  for (std::optional<Reply>& result : results_) {
    if (!result) result = reply;
  }
}

void ClientSession::end_message() {
  MessageOver over;
  over.was_heard = was_heard_;
  over.replies.reserve(places_.size());
  for (size_t i = 0; i < places_.size(); ++i) {
    POSTERN_ASSERT(results_[i].has_value());
    over.replies.emplace_back(places_[i], *results_[i]);
  }
  places_.clear();
  message_ = {};
  actions_.emplace_back(std::move(over));
  if (state_ != State::over) become_ready();
}

}  // namespace postern::mail
