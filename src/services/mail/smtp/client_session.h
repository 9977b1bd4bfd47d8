// SPDX-License-Identifier: BSD-3-Clause
// ClientSession: our side of a session with an SMTP server (RFC 5321), without sockets, clocks or
// disks.
//
//   replies, messages, time  ->  ClientSession  ->  actions (client_actions.h)
//
//   start()   greeting, EHLO or else HELO, STARTTLS and EHLO again, AUTH -> ReadyForMessage
//   send()    MAIL, RCPT..., DATA -> SendText -> text()..., end_text() -> MessageOver
//             -> ReadyForMessage or SessionOver
//
// Extensions, each where the server offers it: PIPELINING (RFC 2920): MAIL, all RCPT and DATA go
// at once; SIZE (1870), 8BITMIME (6152), SMTPUTF8 (6531), DSN (3461), ENHANCEDSTATUSCODES (2034),
// STARTTLS (3207), AUTH PLAIN, LOGIN, CRAM-MD5 (4954, 2195) and XOAUTH2. A message that needs what
// the server lacks fails without being sent. What was offered in clear counts for nothing over TLS.
//
// A message is the server's when the reply to the end of its text says so, and not before: a 2xx
// that comes earlier is a fault, and what the server says to the text ahead of its end counts when
// it is no. A connection that is lost, 421 and replies that are none put the message off.
//
// A server that goes on, but too slowly, is left as well: beside one command's time it has
// kOpeningMax until the first message, and for one kMessageMax and a second for each kOctetsMin
// octets, until the end of its text is sent.
//
// Bounds: replies of kReplyLinesMax lines of kServerLineMax octets; AUTH kAuthStepsMax steps.
// Thread: that of its owner.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/mail/message/data.h"
#include "services/mail/message/lines.h"
#include "services/mail/message/reply.h"
#include "services/mail/smtp/client_actions.h"

namespace postern::mail {

// Longer than RFC 5321 section 4.5.3.1.5 has it: challenges and the words of some servers are.
constexpr size_t kServerLineMax = 4096;
constexpr size_t kAuthStepsMax = 6;
constexpr Duration kOpeningMax = seconds(600);  // without the time that a token takes
constexpr Duration kMessageMax = seconds(600);
constexpr uint64_t kOctetsMin = 1024;

// What EHLO was answered with.
struct Offers {
  bool is_pipelining = false;
  bool is_8bit = false;
  bool is_utf8 = false;
  bool is_dsn = false;
  bool is_tls = false;
  bool is_size = false;
  uint64_t size_max = 0;  // octets; 0: no limit
  bool is_plain = false;
  bool is_login = false;
  bool is_cram_md5 = false;
  bool is_xoauth2 = false;
};
// `text`: lines by "\n", the first of which is a greeting.
Offers parse_offers(std::string_view text);

class ClientSession {
 public:
  explicit ClientSession(ClientSettings settings);
  ~ClientSession();
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  // Each gives what is to be done, in order. Once SessionOver was among it there is no more.
  ClientActions start(Instant now);
  ClientActions take(std::string_view octets, Instant now);
  // The handshake is done. (Where it fails: lost().)
  ClientActions tls_is_up(Instant now);
  // Empty: there is none, `why` says why. What was not asked for changes nothing.
  ClientActions answer_token(std::string_view token, const std::string& why, Instant now);
  // Between ReadyForMessage and what is asked next.
  ClientActions send(ClientMessage message, Instant now);
  // Another command, as ETRN, without its CRLF.
  ClientActions say(const std::string& line, Instant now);
  ClientActions quit(Instant now);
  // The text with CRLFs, in pieces of any size, once SendText came and until MessageOver.
  ClientActions text(std::string_view octets, Instant now);
  ClientActions end_text(Instant now);
  // The rest of the text cannot be read: the server must not take what it has for all of it.
  ClientActions break_text(const std::string& why, Instant now);
  // The connection has ended, or never got so far.
  ClientActions lost(const std::string& why, Instant now);
  // At deadline() or later.
  ClientActions on_time(Instant now);

  std::optional<Instant> deadline() const;
  bool is_ready() const { return state_ == State::ready; }
  bool is_sending_text() const { return state_ == State::text; }
  bool is_over() const { return state_ == State::over; }
  const Offers& offers() const { return offers_; }

 private:
  enum class State : uint8_t {
    fresh,
    opening,  // until the first ReadyForMessage
    tls,
    token,
    ready,
    envelope,
    text,
    text_end,  // its end is sent
    saying,
    over,
  };
  enum class Expected : uint8_t {
    greeting,
    extended_hello,
    hello,
    start_tls,
    auth,
    reset,
    sender,
    recipient,
    data,
    end,        // of the text
    empty_end,  // of a text that nobody is to get
    said,
  };
  enum class Mechanism : uint8_t { none, plain, login, cram_md5, xoauth2 };
  using Handler = void (ClientSession::*)(const Reply& reply);
  static Handler handler_of(Expected expected);

  // client_session.cc
  void begin_call(Instant now);
  ClientActions end_call();
  void put(const std::string& line, Expected expected);
  void take_reply(const Reply& reply);
  void end_session(const Reply& reply);
  void break_off(const std::string& what);
  std::string waited_for() const;

  // client_opening.cc
  void take_greeting(const Reply& reply);
  void take_extended_hello(const Reply& reply);
  void take_hello(const Reply& reply);
  void take_start_tls(const Reply& reply);
  void opened();
  void refuse_server(const Reply& reply);
  void log_in();
  Mechanism choose_mechanism() const;
  void begin_auth(std::string_view token);
  void put_auth(std::string_view name, const std::string& response);
  void take_auth(const Reply& reply);
  void answer_challenge(const Reply& reply);
  void become_ready();

  // client_message.cc
  bool is_fit();
  void put_envelope();
  void put_sender();
  void put_recipient(size_t index);
  void take_reset(const Reply& reply);
  void take_sender(const Reply& reply);
  void take_recipient(const Reply& reply);
  void take_data(const Reply& reply);
  void take_end(const Reply& reply);
  void take_empty_end(const Reply& reply);
  void take_said(const Reply& reply);
  void take_early(const Reply& reply);
  void settle_rest(const Reply& reply);
  void end_message();
  bool has_message() const { return !places_.empty(); }

  ClientSettings settings_;
  State state_ = State::fresh;
  Instant now_;
  Instant since_;  // the last that was sent, or came
  Instant until_;  // of the opening, or the message, whatever comes
  ClientActions actions_;

  LineReader lines_{kServerLineMax};
  ReplyReader replies_;
  std::deque<Expected> expected_;

  Offers offers_;
  bool has_tls_ = false;
  Mechanism mechanism_ = Mechanism::none;
  size_t auth_step_ = 0;
  bool has_asked_again_ = false;  // for a token
  std::string response_;          // of AUTH, to the next challenge; a secret

  ClientMessage message_;
  std::vector<size_t> places_;                 // of message_; empty: no message
  std::vector<std::optional<Reply>> results_;  // of places_
  size_t asked_ = 0;                           // recipients that RCPT was sent for
  size_t answered_ = 0;                        // and those that were answered
  size_t accepted_ = 0;
  bool was_sender_taken_ = false;
  bool was_heard_ = false;
  bool needs_reset_ = false;  // the last message was left without an end
  DataEncoder encoder_;
};

}  // namespace postern::mail
