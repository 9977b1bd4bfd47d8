// SPDX-License-Identifier: BSD-3-Clause
// ServerSession: one client of the SMTP server (RFC 5321), without sockets, clocks or disks.
//
//   octets, answers, time  ->  ServerSession  ->  actions (actions.h)
//
//   session.start(now)            AskClient -> answer({}) -> the greeting
//   session.take(octets, now)     as long as wants_octets(); what comes in between is held
//   session.answer(reply, now)    to the question that stood last in the actions
//
// Extensions: PIPELINING (RFC 2920), SIZE (1870), 8BITMIME (6152), SMTPUTF8 (6531), DSN (3461),
// ENHANCEDSTATUSCODES (2034), STARTTLS (3207), AUTH PLAIN and LOGIN (4954). No CHUNKING.
//
// Commands may come many in one piece; each is answered in its turn, and a question holds those
// behind it. Two things are never taken early: octets before the greeting, and octets behind
// STARTTLS that came in clear (they would count as said under TLS). Both end the session, as do
// lone CRs, LFs and NULs in commands, BDAT, and text of a message where a command should be. A
// message with such octets is read to its end, CRLF.CRLF and nothing else, refused, and the session
// ends, so that what somebody hid in it is never read as commands.
//
// Bounds: SmtpSettings; what is held is at most kHeldMax octets more than one take() brought.
// Thread: that of its owner. The settings outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "services/mail/message/data.h"
#include "services/mail/message/header.h"
#include "services/mail/message/lines.h"
#include "services/mail/message/reply.h"
#include "services/mail/smtp/actions.h"
#include "services/mail/smtp/settings.h"

namespace postern::mail {

constexpr size_t kHeldMax = 131072;

class ServerSession {
 public:
  // `tls`: a description of the TLS session where it came before the greeting (RFC 8314), else
  // empty.
  ServerSession(const SmtpSettings& settings, Ipv4Address client, std::string_view tls = {});

  // Each gives what is to be done, in order. Once CloseConnection was among it there is no more.
  SmtpActions start(Instant now);
  SmtpActions take(std::string_view octets, Instant now);
  // The client will send no more, but may still read: what came is answered, then it is closed.
  // Who cannot be sent to any more is simply destroyed; its owner drops what BeginMessage began and
  // no FinishMessage ended.
  SmtpActions end_of_input(Instant now);
  // A reply without a code is yes. 421 and 521 end the session.
  SmtpActions answer(const Reply& reply, Instant now);
  // The handshake is done; `tls` describes it for the Received field and is not empty.
  SmtpActions tls_is_up(std::string_view tls, Instant now);
  // At deadline() or later.
  SmtpActions on_time(Instant now);
  // The server stops: 421 as soon as no message is on its way (RFC 5321 section 3.8).
  SmtpActions stop(Instant now);

  // While there is MessageText: the message is not wanted any more (the disk is full). Its owner
  // has dropped it already; its end is answered by `reply`.
  void refuse_message(const Reply& reply);

  bool wants_octets() const { return state_ == State::command || is_reading_text(); }
  // When on_time() is to be called; nothing while a question is open.
  std::optional<Instant> deadline() const;
  bool is_closed() const { return state_ == State::closed; }

  const Envelope& envelope() const { return envelope_; }
  // At FinishMessage: its header, and its octets as text.
  const HeaderScanner& header() const { return header_; }
  uint64_t size() const { return size_; }
  // At DropMessage: why the message is not wanted; without a code: the client did not end it.
  const Reply& refusal() const { return refusal_; }
  bool is_extended() const { return is_extended_; }  // EHLO
  const std::string& tls() const { return tls_; }    // empty: none

 private:
  enum class State : uint8_t { fresh, greet_delay, command, question, tarpit, tls, text, closed };
  enum class Question : uint8_t { client, sender, recipient, password, begin, finish };
  enum class Login : uint8_t { none, plain, login_user, login_password };
  using Handler = void (ServerSession::*)(std::string_view argument);
  struct Row;
  static const Row* find_row(std::string_view verb);

  // server_session.cc
  void begin_call(Instant now);
  SmtpActions end_call();
  void resume();
  std::string_view run(std::string_view octets);
  size_t take_line(std::string_view octets);
  void say(const Reply& reply);
  void fail(const Reply& reply);
  void ask(Question question, SmtpAction action);
  void close();
  void close_with(const Reply& reply);
  void greet();
  void reset();
  Instant patience() const;
  bool is_reading_text() const { return state_ == State::text; }

  // server_commands.cc
  void handle(std::string_view line);
  void handle_hello(std::string_view argument);
  void handle_extended_hello(std::string_view argument);
  void handle_noop(std::string_view argument);
  void handle_reset(std::string_view argument);
  void handle_quit(std::string_view argument);
  void handle_verify(std::string_view argument);
  void handle_missing(std::string_view argument);
  void handle_chunk(std::string_view argument);
  void handle_help(std::string_view argument);
  void handle_foreign(std::string_view argument);
  bool offers_auth() const;

  // server_mail.cc
  void handle_mail(std::string_view argument);
  void handle_recipient(std::string_view argument);
  void handle_data(std::string_view argument);
  bool may_mail();
  void answer_sender(const Reply& reply);
  void answer_recipient(const Reply& reply);
  void answer_begin(const Reply& reply);
  void answer_finish(const Reply& reply);
  size_t take_text(std::string_view octets);
  void pass_text(std::string_view text);
  void check_header();
  void end_text();
  void refuse_text(const Reply& reply);

  // server_login.cc
  void handle_start_tls(std::string_view argument);
  void handle_auth(std::string_view argument);
  void take_login(std::string_view line);
  void take_plain(std::string_view text);
  void take_login_word(std::string_view text);
  void ask_password(std::string user, std::string password);
  void answer_password(const Reply& reply);

  const SmtpSettings& settings_;
  State state_ = State::fresh;
  Question question_ = Question::client;
  Login login_ = Login::none;
  Instant now_;
  Instant since_;          // the last command, answer or text
  Instant message_since_;  // DATA
  Instant accepted_;       // the last message, or the beginning
  SmtpActions actions_;

  LineReader lines_;
  std::string held_;     // octets that wait for an answer
  std::string working_;  // those that actions look into
  size_t behind_ = 0;    // octets that came behind the line that is handled
  bool is_ended_ = false;
  bool is_stopping_ = false;
  Reply delayed_;  // for the end of the tarpit

  std::string tls_;
  bool is_extended_ = false;
  bool has_sender_ = false;
  Envelope envelope_;
  Recipient asked_;   // AskRecipient
  std::string user_;  // of a LOGIN or of AskPassword

  DataDecoder decoder_;
  HeaderScanner header_;
  uint64_t size_ = 0;       // octets of text
  uint64_t discarded_ = 0;  // octets behind the refusal
  Reply refusal_;           // of the message that is read

  size_t errors_ = 0;
  size_t commands_ = 0;
  size_t tries_ = 0;
  size_t messages_ = 0;
};

}  // namespace postern::mail
