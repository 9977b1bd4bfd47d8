// SPDX-License-Identifier: BSD-3-Clause
// Pop3Client: one POP3 connection from the client's side (RFC 1939, CAPA of RFC 2449, STLS of
// RFC 2595, AUTH PLAIN and XOAUTH2 by RFC 5034), without its socket and its clock:
//
//   begin() -> greeting, CAPA, STLS, CAPA, log in, STAT, LIST, UIDL -> Pop3ClientHost::listed()
//   retrieve(), remove() one after another, quit()                  -> over()
//
// A password goes over TLS only, unless the settings want none. What the server said before the
// handshake means nothing behind it. APOP is not spoken: MD5 proves nothing to anybody any more.
//
// One command is under way at a time. Texts pass as they come, with their lines and their end put
// right (DataStrictness::repair). A server that says what is no answer, or too much of it, ends the
// session; what was marked removed stays then, as the server sees no QUIT.
//
// Bounds: kLineMax octets a line, kOffersMax lines of CAPA, those of Pop3Listing. Thread: control.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "services/mail/message/data.h"
#include "services/mail/message/lines.h"
#include "services/mail/net/tls_use.h"
#include "services/mail/pop3/client_listing.h"

namespace postern::mail {

struct Pop3ClientSettings {
  TlsMode tls = TlsMode::required;
  std::string user;
  std::string password;
  bool has_token = false;  // XOAUTH2 instead of the password; the host is asked for it
};

// What the session tells its owner, who may call the session from within but not end it there.
class Pop3ClientHost {
 public:
  virtual ~Pop3ClientHost() = default;
  virtual void send(std::string octets) = 0;
  // What was sent goes out before. -> tls_started(), or lost()
  virtual void start_tls() = 0;
  // `is_again`: the one before was refused. -> give_token(), or break_off()
  virtual void ask_token(bool is_again) = 0;
  // Logged in, and this is there. -> retrieve(), remove() or quit(), now or later
  virtual void listed(Pop3Listing listing) = 0;
  // The next piece of the message that is retrieved; good during the call.
  virtual void text(std::string_view octets) = 0;
  // It is whole. The error: the server does not give it.
  virtual void retrieved(const Result<void>& outcome) = 0;
  virtual void removed(const Result<void>& outcome) = 0;
  // Nothing is called any more; close the connection. Without an error QUIT was answered, and what
  // was removed is gone.
  virtual void over(const Result<void>& outcome) = 0;
};

class Pop3Client {
 public:
  static constexpr size_t kLineMax = 2048;  // octets; RFC 2449 section 4 has 512, SASL needs more
  static constexpr size_t kOffersMax = 200;

  Pop3Client(Pop3ClientSettings settings, Pop3ClientHost& host)
      : settings_(std::move(settings)), host_(host) {}

  // The connection is there; `is_secure`: by TLS from the first octet.
  void begin(bool is_secure);
  void take(std::string_view octets);
  void tls_started();
  void give_token(const std::string& token);

  // --- once listed() came, each when the one before is answered
  void retrieve(uint32_t number);
  void remove(uint32_t number);
  void quit();

  // The connection has ended, or `why` to end it: told to the host by over().
  void lost(const std::string& why);
  bool is_over() const { return state_ == State::over; }
  bool is_waiting_for_owner() const { return state_ == State::waiting || state_ == State::token; }

 private:
  enum class State : uint8_t {
    fresh,
    greeting,
    offers,       // CAPA
    offers_list,  // its lines
    stls,
    handshake,
    token,  // the host looks for it
    user,
    password,
    sasl,           // "+" is to come
    sasl_response,  // the response was sent
    stat,
    list,
    list_lines,
    uidl,
    uidl_lines,
    waiting,  // for the owner
    retrieve,
    text,
    remove,
    quit,
    over,
  };
  // A line of an answer.
  struct Answer {
    bool is_ok = false;
    std::string_view text;  // behind +OK or -ERR
  };
  struct Offers {
    bool is_stls = false;
    bool is_user = false;
    bool is_plain = false;
  };

  // client_session.cc
  void take_line(std::string_view line);
  size_t take_text(std::string_view octets);
  void take_answer(const Answer& answer);
  void take_listed(std::string_view line);
  void say(const std::string& command, State next);
  void end(const Result<void>& outcome);
  void end(ErrorCode code, const std::string& why) { end(Error{code, why}); }
  void refused(const std::string& what, std::string_view words);

  // client_login.cc
  void ask_offers();
  void take_offer(std::string_view line);
  void opened();
  void log_in();
  void take_login(const Answer& answer);
  void take_challenge();
  bool prefers_plain() const;
  std::string sasl_response() const;

  // client_session.cc
  void take_stat(const Answer& answer);
  void take_transaction(const Answer& answer);
  void give_listing();

  Pop3ClientSettings settings_;
  Pop3ClientHost& host_;
  State state_ = State::fresh;
  bool is_secure_ = false;
  unsigned tokens_asked_ = 0;
  bool is_challenged_ = false;  // behind the response
  std::string token_;           // a secret
  Offers offers_;
  size_t offer_lines_ = 0;
  Pop3Listing listing_;
  LineReader lines_{kLineMax};
  DataDecoder decoder_{kTextLineMax, DataStrictness::repair};
};

}  // namespace postern::mail
