// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any octets as what a POP3 server says; the first octet chooses settings. The owner
// retrieves and removes all that is listed, then quits. At once or octet by octet the commands and
// the messages are the same; commands are lines, texts are sound and end in CRLF.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "services/mail/message/data.h"
#include "services/mail/pop3/client_session.h"

namespace mail = postern::mail;

namespace {

class Owner final : public mail::Pop3ClientHost {
 public:
  explicit Owner(const mail::Pop3ClientSettings& settings) : session_(settings, *this) {
    session_.begin(settings.tls == mail::TlsMode::implicit);
  }

  void take(std::string_view octets) { session_.take(octets); }
  void end() {
    session_.lost("closed");
    POSTERN_ASSERT(is_over_);
  }
  std::string story() const { return story_; }
  bool is_handshake() const { return is_handshake_; }

  void send(std::string octets) override {
    POSTERN_ASSERT(!is_over_);
    POSTERN_ASSERT(octets.ends_with("\r\n"));
    POSTERN_ASSERT(octets.find('\n') + 1 == octets.size());
    story_ += octets;
  }
  void start_tls() override { is_handshake_ = true; }
  void ask_token(bool is_again) override { session_.give_token(is_again ? "second" : "first"); }
  void listed(mail::Pop3Listing listing) override {
    listing_ = std::move(listing);
    uint32_t before = 0;
    for (const auto& one : listing_.messages()) {
      POSTERN_ASSERT(one.number > before);
      before = one.number;
      story_ += listing_.uid(one);
    }
    go_on();
  }
  void text(std::string_view octets) override { text_ += octets; }
  void retrieved(const postern::Result<void>& outcome) override {
    if (outcome) {
      POSTERN_ASSERT(text_.empty() || text_.ends_with("\r\n"));
      mail::DataEncoder encoder;
      std::string wire;
      POSTERN_ASSERT(encoder.feed(text_, wire));
      POSTERN_ASSERT(encoder.finish(wire));
      story_ += wire;
    }
    text_.clear();
    session_.remove(listing_.messages()[at_].number);
  }
  void removed(const postern::Result<void>& /*outcome*/) override {
    ++at_;
    go_on();
  }
  void over(const postern::Result<void>& outcome) override {
    POSTERN_ASSERT(!is_over_);
    is_over_ = true;
    story_ += outcome ? "over" : outcome.error().text;
  }

 private:
  void go_on() {
    if (at_ == listing_.messages().size()) return session_.quit();
    session_.retrieve(listing_.messages()[at_].number);
  }

  mail::Pop3Client session_;
  mail::Pop3Listing listing_;
  size_t at_ = 0;
  std::string story_;
  std::string text_;
  bool is_handshake_ = false;
  bool is_over_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  mail::Pop3ClientSettings settings;
  settings.user = "joe";
  settings.password = (data[0] & 1) != 0 ? "secret" : "s p\xc3\xa4";
  settings.has_token = (data[0] & 2) != 0;
  settings.tls = (data[0] & 4) != 0 ? mail::TlsMode::required : mail::TlsMode::none;
  const std::string text(data + 1, data + size);
  Owner whole(settings);
  whole.take(text);
  Owner slow(settings);
  for (size_t i = 0; i < text.size() && !slow.is_handshake(); ++i)
    slow.take({text.data() + i, 1});
  whole.end();
  slow.end();
  POSTERN_ASSERT(whole.story() == slow.story());
  return 0;
}
