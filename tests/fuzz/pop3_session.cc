// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any octets as what a POP3 client says; the first octet chooses settings and how the
// host answers. At once or octet by octet the answers are the same; each is lines that end in CRLF,
// nothing is removed but by QUIT, and a message of any octets ends where its dot stands, once.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/assert.h"
#include "services/mail/pop3/message_sender.h"
#include "services/mail/pop3/server_session.h"

namespace mail = postern::mail;

namespace {

constexpr std::string_view kEnd = "\r\n.\r\n";

// The answer to RETR or TOP for a message of these octets.
std::string sent_message(const std::string& text, std::optional<uint64_t> lines) {
  auto body = std::make_shared<const mail::Body>(std::make_shared<const std::string>(text));
  mail::MessageSender sender(std::move(body), lines);
  std::string out = "+OK\r\n";
  while (sender.next(out)) {
  }
  POSTERN_ASSERT(!sender.has_failed());
  POSTERN_ASSERT(out.find(kEnd) == out.size() - kEnd.size());
  for (size_t i = 0; i < out.size(); ++i) {
    POSTERN_ASSERT(out[i] != '\n' || out[i - 1] == '\r');
    POSTERN_ASSERT(out[i] != '\r' || out[i + 1] == '\n');
  }
  return out;
}

class Host final : public mail::Pop3Host {
 public:
  Host(const mail::Pop3Settings& settings, uint8_t choice, std::string message)
      : choice_(choice), message_(std::move(message)), session_(settings, *this) {
    session_.begin((choice & 8) != 0);
  }

  void take(std::string_view octets) {
    session_.take(octets);
    while (session_.is_behind() && !is_handshake_)
      session_.drained();
  }
  const std::string& story() const { return sent_; }
  bool is_handshake() const { return is_handshake_; }

  void send(std::string_view octets) override {
    POSTERN_ASSERT(!is_closed_ && octets.ends_with("\r\n"));
    sent_ += octets;
  }
  bool has_room() const override { return true; }
  void check_password(const std::string& user, const std::string& /*password*/) override {
    POSTERN_ASSERT(!user.empty());
    const bool is_wrong = (choice_ & 16) != 0 && ++asked_ % 2 == 1;
    session_.password_checked(is_wrong ? mail::Pop3Session::Check::wrong
                                       : mail::Pop3Session::Check::right);
  }
  void open_mailbox(const std::string& /*user*/) override {
    if ((choice_ & 32) != 0 && ++opened_ == 1)
      return session_.mailbox_refused(mail::Pop3Session::Refusal::in_use, "in use");
    session_.mailbox_opened({{"new/1", "u1", 100}, {"new/2", "u2", 200}, {"cur/3", "u3", 300}});
  }
  void send_message(const mail::MailboxMessage& /*message*/,
                    std::optional<uint64_t> lines) override {
    send(sent_message(message_, lines));
    session_.message_sent(true);
  }
  void remove(const std::vector<mail::MailboxMessage>& messages) override {
    POSTERN_ASSERT(!is_removed_ && messages.size() <= 3);
    is_removed_ = true;
    for (const mail::MailboxMessage& message : messages)
      sent_ += "removed " + message.unique + "\r\n";
    session_.removed({});
  }
  void start_tls() override { is_handshake_ = true; }
  void close() override {
    POSTERN_ASSERT(!is_closed_);
    is_closed_ = true;
  }

 private:
  uint8_t choice_;
  std::string message_;
  std::string sent_;
  size_t asked_ = 0;
  size_t opened_ = 0;
  bool is_handshake_ = false;
  bool is_removed_ = false;
  bool is_closed_ = false;
  mail::Pop3Session session_;  // the last: its calls use what stands above
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  mail::Pop3Settings settings;
  settings.has_tls = (data[0] & 1) != 0;
  settings.may_use_clear = (data[0] & 2) != 0;
  const std::string text(data + 1, data + size);
  Host whole(settings, data[0], text);
  whole.take(text);
  Host slow(settings, data[0], text);
  for (size_t i = 0; i < text.size() && !slow.is_handshake(); ++i)
    slow.take({text.data() + i, 1});
  // Behind STLS it matters what came in one piece.
  if (settings.has_tls) return 0;
  POSTERN_ASSERT(whole.story() == slow.story());
  return 0;
}
