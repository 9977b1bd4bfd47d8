// SPDX-License-Identifier: BSD-3-Clause
// What a session of the SMTP server wants done: questions and their answers, and messages on their
// way into the queue.
#include <string.h>

#include <utility>

#include "services/mail/message/address.h"
#include "services/mail/message/date.h"
#include "services/mail/message/received.h"
#include "services/mail/server/smtp_connection.h"

namespace postern::mail {
namespace {

const Reply kTooBig = {552, "5.3.4", "The message is too big"};
// RFC5321-4.5.3.1.10 and 4.2.2: come again later, nothing is lost.
const Reply kNoRoom = {452, "4.3.1", "There is no room for it now; come again later"};

void wipe(std::string& secret) {
  explicit_bzero(secret.data(), secret.size());
  secret.clear();
}

}  // namespace

void SmtpConnection::act(SendOctets& action) {
  is_greeted_ = true;
  stream_->send(std::move(action.octets));
}

void SmtpConnection::act(const StartTls& /*action*/) {
  stream_->secure_as_server(rules_->tls);
}

void SmtpConnection::act(const CloseConnection& /*action*/) {
  end(true);
}

void SmtpConnection::act(const Delay& /*action*/) {}  // arm() sees to it

void SmtpConnection::act(const AskClient& /*action*/) {
  answer({});
}

void SmtpConnection::act(const AskSender& action) {
  const Envelope& envelope = session_->envelope();
  declared_ = action.size;
  sender_.reset();
  Reply reply = judge_sender(*rules_, envelope);
  if (!reply && is_stranger(*rules_, envelope)) reply = host_.strangers.admit_message(client_);
  if (reply) refuse(reply);
  answer(reply);
}

void SmtpConnection::act(const AskRecipient& action) {
  const Envelope& envelope = session_->envelope();
  const Recipient& recipient = action.recipient;
  const Reply reply = judge_recipient(*rules_, envelope, recipient.address);
  if (reply) return answer_recipient(recipient, reply);
  if (is_stranger(*rules_, envelope)) return judge_stranger(recipient);
  const bool is_elsewhere = !is_own(rules_->book, recipient.address);
  if (is_elsewhere && host_.has_way && !host_.has_way(envelope.sender, recipient.address))
    return answer_recipient(recipient, {550, "5.4.4", "There is no way to that domain from here"});
  answer_recipient(recipient, {});
}

// The DNS is asked once for a message, and not for those that nobody here would get.
void SmtpConnection::judge_stranger(const Recipient& recipient) {
  if (sender_) {
    Reply reply = sender_->refusal;
    if (!reply) reply = host_.strangers.check_recipient(session_->envelope(), recipient.address);
    return answer_recipient(recipient, reply);
  }
  host_.strangers.check_sender(
      session_->envelope(), [weak = weak_from_this(), recipient](const Strangers::Sender& sender) {
        const auto self = weak.lock();
        if (!self || self->is_over_) return;
        self->sender_ = sender;
        self->judge_stranger(recipient);
      });
}

void SmtpConnection::answer_recipient(const Recipient& recipient, const Reply& reply) {
  if (reply) refuse(reply, &recipient);
  answer(reply);
}

void SmtpConnection::act(AskPassword& action) {
  host_.seams.check_password(
      action.user, action.password, client_,
      [weak = weak_from_this(), user = action.user](PasswordCheck check) {
        const auto self = weak.lock();
        if (!self || self->is_over_) return;
        self->log_login(check, user);
        switch (check) {
          case PasswordCheck::right:
            return self->answer({});
          case PasswordCheck::wrong:
            return self->answer({535, "5.7.8", "Name or password are wrong"});
          case PasswordCheck::busy:
            return self->answer({454, "4.7.0", "Not now; try again later"});
        }
      });
  wipe(action.password);
}

void SmtpConnection::log_login(PasswordCheck check, const std::string& user) {
  const bool is_right = check == PasswordCheck::right;
  MailEvent event;
  event.kind = is_right ? MailEventKind::logged_in : MailEventKind::login_refused;
  event.by = by();
  event.client = client_;
  event.user = user;
  if (check == PasswordCheck::wrong) event.result = "wrong name or password";
  if (check == PasswordCheck::busy) event.result = "too many tries";
  host_.seams.log(event);
}

void SmtpConnection::act(const BeginMessage& /*action*/) {
  if (has_share(declared_)) incoming_ = host_.queue.begin(declared_);
  if (incoming_ && incoming_->append(trace())) return answer({});
  incoming_.reset();
  refuse(kNoRoom);
  answer(kNoRoom);
}

// Strangers leave room for clients of ours.
bool SmtpConnection::has_share(uint64_t octets) const {
  const Envelope& envelope = session_->envelope();
  if (!envelope.user.empty() || is_ours(*rules_, client_)) return true;
  const QueueLimits& limits = host_.queue.limits();
  const QueueCounters used = host_.queue.counters();
  return used.messages < share_of_strangers(limits.messages) &&
         used.octets + octets <= share_of_strangers(limits.octets);
}

// What we put in front of the text.
std::string SmtpConnection::trace() const {
  const Envelope& envelope = session_->envelope();
  ReceivedFacts facts;
  facts.helo = envelope.helo;
  facts.client = client_;
  facts.host = rules_->host;
  facts.id = to_queue_id(incoming_->number());
  if (envelope.recipients.size() == 1) facts.recipient = &envelope.recipients.front().address;
  facts.tls = session_->tls();
  facts.time_s = host_.seams.wall_s();
  facts.zone_min = host_.seams.zone_min();
  facts.is_extended = session_->is_extended();
  facts.is_utf8 = envelope.is_utf8;
  facts.is_authenticated = !envelope.user.empty();
  return (sender_ ? sender_->trace : std::string()) + received_field(facts);
}

void SmtpConnection::act(const MessageText& action) {
  if (incoming_) take_text(action.octets);
}

void SmtpConnection::take_text(std::string_view octets) {
  if (!has_share(octets.size()) || !incoming_->append(octets)) {
    const uint64_t all = incoming_->octets() + octets.size();
    const Reply& reply = all > host_.queue.limits().message_octets ? kTooBig : kNoRoom;
    incoming_.reset();
    is_behind_ = false;
    refuse(reply);
    refusal_ = reply;
    session_->refuse_message(reply);
    return;
  }
  if (is_behind_ || !incoming_->is_behind()) return;
  is_behind_ = true;
  incoming_->when_caught_up([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->is_behind_ = false;
    self->settle();
  });
}

// From here on the client may go: what becomes of the message does not depend on it.
void SmtpConnection::act(const FinishMessage& /*action*/) {
  is_behind_ = false;
  // Refused while its end stood in the same piece: the session asks for it all the same.
  if (!incoming_) return answer(refusal_);
  if (!is_stranger(*rules_, session_->envelope())) incoming_->set_front(missing_fields());
  host_.finish({std::move(incoming_), session_->envelope(), session_->header().fields(), by()},
               [weak = weak_from_this()](const Reply& reply) {
                 const auto self = weak.lock();
                 if (self) self->answer(reply);
               });
}

// RFC6409-8.2, 8.3: what a client of ours left to us.
std::string SmtpConnection::missing_fields() const {
  const HeaderFields& fields = session_->header().fields();
  std::string out;
  if (!fields.has("Date"))
    out += "Date: " + to_date(host_.seams.wall_s(), host_.seams.zone_min()) + "\r\n";
  if (!fields.has("Message-ID")) {
    const std::string id = to_queue_id(incoming_->number()) + '.' + host_.queue.epoch();
    out += "Message-ID: <" + id + '@' + rules_->host + ">\r\n";
  }
  return out;
}

void SmtpConnection::act(const DropMessage& /*action*/) {
  if (incoming_ && session_->refusal()) refuse(session_->refusal());
  incoming_.reset();
  is_behind_ = false;
}

void SmtpConnection::refuse(const Reply& reply, const Recipient* to) {
  const Envelope& envelope = session_->envelope();
  const std::string result = to_text(reply);
  MailEvent event;
  event.kind = MailEventKind::refused;
  event.from = &envelope.sender;
  event.to = to;
  event.by = by();
  event.client = client_;
  event.user = envelope.user;
  event.result = result;
  host_.seams.log(event);
}

}  // namespace postern::mail
