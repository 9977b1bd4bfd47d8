// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any octets as what an SMTP server says to us, at once and octet by octet; the first
// octet chooses settings. A message ends once, with one reply of 2xx, 4xx or 5xx for each of its
// recipients, and is taken only after its end was sent; without TLS nothing is sent where it is
// required, and no password where none may go.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/assert.h"
#include "services/mail/message/base64.h"
#include "services/mail/smtp/client_session.h"

namespace mail = postern::mail;

namespace {

constexpr size_t kMessagesMax = 3;

mail::ClientSettings settings_of(uint8_t choice) {
  mail::ClientSettings settings;
  settings.helo = "pc.a.example";
  settings.needs_tls = (choice & 1) != 0;
  settings.has_tls = (choice & 2) != 0;
  settings.allows_clear_auth = (choice & 4) != 0;
  if ((choice & 8) != 0) settings.credentials.user = "joe";
  settings.credentials.password = "secret";
  if ((choice & 16) != 0) settings.credentials.token_command = {"/bin/token"};
  return settings;
}

std::shared_ptr<const mail::Envelope> envelope() {
  auto made = std::make_shared<mail::Envelope>();
  made->sender = {"joe", "a.example"};
  made->recipients = {{{"ann", "b.example"}, 0, ""}, {{"bob", "b.example"}, 0, ""}};
  return made;
}

class Owner {
 public:
  explicit Owner(uint8_t choice) : choice_(choice), session_(settings_of(choice)) {
    is_secure_ = (choice & 2) != 0;
    carry_out(session_.start({}));
  }

  void take(std::string_view octets) {
    if (!session_.is_over()) carry_out(session_.take(octets, {}));
  }
  void end() {
    if (!session_.is_over()) carry_out(session_.lost("gone", {}));
    POSTERN_ASSERT(session_.is_over());
    POSTERN_ASSERT(!is_under_way_);
  }

 private:
  void carry_out(const mail::ClientActions& actions) {
    for (const mail::ClientAction& action : actions) {
      POSTERN_ASSERT(!is_closed_);
      take_action(action);
    }
    const Next next = next_;
    next_ = Next::nothing;
    if (next == Next::tls) {
      carry_out(session_.tls_is_up({}));
    } else if (next == Next::token) {
      carry_out(session_.answer_token((choice_ & 32) != 0 ? "" : "abc", "none", {}));
    } else if (next == Next::send && messages_ < kMessagesMax) {
      ++messages_;
      is_under_way_ = true;
      is_end_sent_ = false;
      carry_out(session_.send({envelope(), {0, 1}, 100}, {}));
    } else if (next == Next::text) {
      carry_out(session_.text("Subject: a\r\n\r\n.\r\n", {}));
      if (!session_.is_sending_text()) return;
      is_end_sent_ = true;
      carry_out(session_.end_text({}));
    }
  }

  void take_action(const mail::ClientAction& action) {
    if (const auto* send = std::get_if<mail::SendOctets>(&action)) {
      note_sent(send->octets);
    } else if (const auto* over = std::get_if<mail::MessageOver>(&action)) {
      note_over(*over);
    } else if (std::holds_alternative<mail::StartTls>(action)) {
      is_secure_ = true;
      next_ = Next::tls;
    } else if (std::holds_alternative<mail::AskToken>(action)) {
      next_ = Next::token;
    } else if (std::holds_alternative<mail::ReadyForMessage>(action)) {
      POSTERN_ASSERT(is_secure_ || (choice_ & 1) == 0);
      next_ = Next::send;
    } else if (std::holds_alternative<mail::SendText>(action)) {
      next_ = Next::text;
    } else if (std::holds_alternative<mail::SessionOver>(action)) {
      next_ = Next::nothing;
    } else if (std::holds_alternative<mail::CloseConnection>(action)) {
      is_closed_ = true;
    }
  }

  void note_sent(const std::string& octets) {
    POSTERN_ASSERT(octets.ends_with("\r\n"));
    POSTERN_ASSERT(is_secure_ || (choice_ & 1) == 0 || octets.find("MAIL") == std::string::npos);
    if (is_secure_ || (choice_ & 4) != 0) return;
    POSTERN_ASSERT(octets.find("AUTH") == std::string::npos);
    POSTERN_ASSERT(octets.find(mail::encode_base64("secret")) == std::string::npos);
  }

  void note_over(const mail::MessageOver& over) {
    POSTERN_ASSERT(is_under_way_);
    is_under_way_ = false;
    POSTERN_ASSERT(over.replies.size() == 2);
    for (size_t i = 0; i < over.replies.size(); ++i) {
      const auto& [place, reply] = over.replies[i];
      POSTERN_ASSERT(place == i);
      POSTERN_ASSERT(reply.is_ok() || reply.is_transient() || reply.is_permanent());
      POSTERN_ASSERT(!reply.is_ok() || is_end_sent_);
    }
  }

  enum class Next : uint8_t { nothing, tls, token, send, text };
  uint8_t choice_;
  mail::ClientSession session_;
  Next next_ = Next::nothing;
  size_t messages_ = 0;
  bool is_secure_ = false;
  bool is_under_way_ = false;
  bool is_end_sent_ = false;
  bool is_closed_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(data + 1, data + size);
  Owner whole(data[0]);
  whole.take(text);
  whole.end();
  Owner slow(data[0]);
  for (const char octet : text)
    slow.take({&octet, 1});
  slow.end();
  return 0;
}
