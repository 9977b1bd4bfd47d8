// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any octets as what a client of the SMTP server says; the first octet chooses
// settings and how the owner answers. At once or octet by octet the replies and the messages are
// the same; messages are sound text that ends in CRLF, replies are lines, questions come one at a
// time.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "services/mail/message/data.h"
#include "services/mail/smtp/server_session.h"

namespace mail = postern::mail;

namespace {

class Owner {
 public:
  Owner(const mail::SmtpSettings& settings, uint8_t choice)
      : choice_(choice), session_(settings, postern::Ipv4Address(192, 0, 2, 7)) {
    carry_out(session_.start(now_));
  }

  void take(std::string_view octets) {
    carry_out(session_.take(octets, now_));
    // A tarpit ends at once.
    while (!session_.is_closed() && !session_.wants_octets() && !is_handshake_) {
      now_ = *session_.deadline();
      carry_out(session_.on_time(now_));
    }
  }
  void end() { carry_out(session_.end_of_input(now_)); }

  // All that was sent and stored.
  std::string story() const { return sent_ + stored_; }
  bool is_handshake() const { return is_handshake_; }

 private:
  void carry_out(const mail::SmtpActions& actions) {
    bool is_question = false;
    for (const mail::SmtpAction& action : actions) {
      POSTERN_ASSERT(!is_question);
      POSTERN_ASSERT(!is_closed_);
      is_question = take_action(action);
    }
    POSTERN_ASSERT(is_closed_ == session_.is_closed());
    if (is_question) carry_out(session_.answer(next_answer(), now_));
  }

  bool take_action(const mail::SmtpAction& action) {
    if (const auto* send = std::get_if<mail::SendOctets>(&action)) {
      POSTERN_ASSERT(send->octets.ends_with("\r\n"));
      sent_ += send->octets;
    } else if (const auto* text = std::get_if<mail::MessageText>(&action)) {
      POSTERN_ASSERT(is_begun_);
      message_ += text->octets;
    } else if (std::holds_alternative<mail::DropMessage>(action)) {
      POSTERN_ASSERT(is_begun_);
      is_begun_ = false;
    } else if (std::holds_alternative<mail::CloseConnection>(action)) {
      is_closed_ = true;
    } else if (std::holds_alternative<mail::StartTls>(action)) {
      is_handshake_ = true;
    } else if (std::holds_alternative<mail::BeginMessage>(action)) {
      POSTERN_ASSERT(!session_.envelope().recipients.empty());
      message_.clear();
      is_begun_ = true;
      return true;
    } else if (std::holds_alternative<mail::FinishMessage>(action)) {
      store();
      return true;
    }
    return action.index() >= mail::SmtpAction(mail::AskClient{}).index() &&
           action.index() <= mail::SmtpAction(mail::AskPassword{}).index();
  }

  void store() {
    POSTERN_ASSERT(is_begun_);
    is_begun_ = false;
    POSTERN_ASSERT(message_.size() == session_.size());
    POSTERN_ASSERT(message_.empty() || message_.ends_with("\r\n"));
    mail::DataEncoder encoder;
    std::string wire;
    POSTERN_ASSERT(encoder.feed(message_, wire));
    POSTERN_ASSERT(encoder.finish(wire));
    stored_ += message_;
  }

  mail::Reply next_answer() {
    ++answers_;
    if ((choice_ & 1) != 0 && answers_ % 5 == 4) return {550, "5.7.1", "No"};
    if ((choice_ & 2) != 0 && answers_ % 7 == 5) return {451, "4.7.1", "Later"};
    return {};
  }

  uint8_t choice_;
  postern::Instant now_;
  mail::ServerSession session_;
  std::string sent_;
  std::string stored_;
  std::string message_;
  size_t answers_ = 0;
  bool is_begun_ = false;
  bool is_closed_ = false;
  bool is_handshake_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  mail::SmtpSettings settings;
  settings.host = "mx.a.example";
  settings.size_max = 1000;
  settings.header.header = 500;
  settings.text_line_max = 100;
  settings.recipients_max = 3;
  settings.offers_tls = (data[0] & 4) != 0;
  settings.offers_auth = settings.allows_auth_in_clear = (data[0] & 8) != 0;
  settings.requires_auth = (data[0] & 16) != 0;
  const std::string text(data + 1, data + size);
  Owner whole(settings, data[0]);
  whole.take(text);
  if (!whole.is_handshake()) whole.end();
  Owner slow(settings, data[0]);
  for (size_t i = 0; i < text.size() && !slow.is_handshake(); ++i)
    slow.take({text.data() + i, 1});
  // Behind STARTTLS it matters what came in one piece.
  if (settings.offers_tls) return 0;
  slow.end();
  POSTERN_ASSERT(whole.story() == slow.story());
  return 0;
}
