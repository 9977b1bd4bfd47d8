// SPDX-License-Identifier: BSD-3-Clause
// SmtpConnection: one client of the SMTP server with its socket, and the answers to what its
// ServerSession asks (RFC 5321, RFC 6409).
//
//   Stream -> ServerSession -> actions -> rules, strangers, passwords, the queue -> answers
//
// Backpressure, so that a message of any size passes in bounded memory: nothing is read while the
// queue's disk is behind, while kUnsentMax octets of replies wait, and while octets wait for the
// answer to a question. Before the greeting everything is read: who talks then is refused.
//
// Bounds: those of ServerSession, Stream and the queue; kHandshakeMax for TLS that comes first,
// kLeavingMax for the last reply to be taken. Thread: control.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/time.h"
#include "services/mail/net/stream.h"
#include "services/mail/queue/queue.h"
#include "services/mail/seams.h"
#include "services/mail/server/smtp_rules.h"
#include "services/mail/server/strangers.h"
#include "services/mail/smtp/server_session.h"

namespace postern::mail {

// A message that is whole, as Intake::finish() takes it.
struct FinishedMessage {
  std::unique_ptr<Incoming> incoming;
  const Envelope& envelope;
  const HeaderFields& fields;
  std::string_view by;  // smtp, submission
};

// What all connections have in common, and outlives them.
struct SmtpHost {
  using Answer = std::function<void(const Reply& reply)>;

  boost::asio::io_context& context;
  Seams seams;
  Queue& queue;
  Strangers& strangers;
  // `then` once, perhaps at once, perhaps when nobody waits any more.
  std::function<void(FinishedMessage message, const Answer& then)> finish;
  // Whether there is a way to an address elsewhere; empty: there always is.
  std::function<bool(const Address& sender, const Address& recipient)> has_way;
};

class SmtpConnection : public std::enable_shared_from_this<SmtpConnection> {
 public:
  static constexpr Duration kHandshakeMax = seconds(60);
  static constexpr Duration kLeavingMax = seconds(10);
  static constexpr size_t kUnsentMax = size_t{64} << 10;

  // `over`: it is, and is to be let go of; what was sent may still go out by the stream.
  using Over = std::function<void(SmtpConnection& connection, std::shared_ptr<Stream> stream)>;
  SmtpConnection(SmtpHost& host, std::shared_ptr<const SmtpRules> rules, SmtpPort port,
                 Ipv4Address client, Over over);
  ~SmtpConnection();
  SmtpConnection(const SmtpConnection&) = delete;
  SmtpConnection& operator=(const SmtpConnection&) = delete;

  // Owns `fd`.
  void begin(int fd);
  // 421 as soon as no message is on its way.
  void stop();

 private:
  void open_session(std::string_view tls);
  void receive(std::string_view octets);
  void perform(SmtpActions actions);
  void answer(const Reply& reply);
  void settle();
  void arm();
  void on_timer();
  void end(bool was_told);

  // Each action of the session; smtp_connection_actions.cc
  void act(SendOctets& action);
  void act(const StartTls& action);
  void act(const CloseConnection& action);
  void act(const Delay& action);
  void act(const AskClient& action);
  void act(const AskSender& action);
  void act(const AskRecipient& action);
  void act(AskPassword& action);
  void act(const BeginMessage& action);
  void act(const MessageText& action);
  void act(const FinishMessage& action);
  void act(const DropMessage& action);

  void judge_stranger(const Recipient& recipient);
  void answer_recipient(const Recipient& recipient, const Reply& reply);
  void take_text(std::string_view octets);
  bool has_share(uint64_t octets) const;
  std::string trace() const;
  std::string missing_fields() const;
  void refuse(const Reply& reply, const Recipient* to = nullptr);
  void log_login(PasswordCheck check, const std::string& user);
  std::string_view by() const { return port_ == SmtpPort::mail ? "smtp" : "submission"; }
  Instant now() const { return host_.seams.now(); }

  SmtpHost& host_;
  std::shared_ptr<const SmtpRules> rules_;
  SmtpPort port_;
  Ipv4Address client_;
  Over over_;
  SmtpSettings settings_;
  std::shared_ptr<Stream> stream_;
  std::optional<ServerSession> session_;     // behind the handshake, where that comes first
  std::unique_ptr<Incoming> incoming_;       // the message that is read
  Reply refusal_;                            // of its text, where that could not be taken
  uint64_t declared_ = 0;                    // octets of it, as MAIL said; 0: it did not
  std::optional<Strangers::Sender> sender_;  // what SPF says of the envelope's; nothing: not asked

  boost::asio::steady_timer timer_;
  std::optional<Instant> armed_;      // when it goes off
  std::optional<Instant> handshake_;  // until when

  std::optional<Reply> ready_;  // to a question that was answered at once
  bool is_performing_ = false;
  bool is_greeted_ = false;
  bool is_held_ = false;    // octets came while a question was open
  bool is_behind_ = false;  // the disk is
  bool is_over_ = false;
};

}  // namespace postern::mail
