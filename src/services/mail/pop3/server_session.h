// SPDX-License-Identifier: BSD-3-Clause
// Pop3Session: one POP3 connection from the server's side (RFC 1939, CAPA of RFC 2449, STLS of
// RFC 2595, AUTH of RFC 5034), without its socket, its clock and the disk:
//
//   take(octets) -> calls of Pop3Host -> its answers by the methods below
//
//   authorization --USER/PASS, AUTH, lock--> transaction --QUIT--> update: removed, and only then
//
// A mailbox belongs to one session at a time (the host's open_mailbox() sees to it). What is marked
// deleted goes at QUIT, never when the connection just ends. Passwords pass over TLS only, unless
// the settings say otherwise.
//
// While an answer of the host is waited for, commands wait too (pipelining, RFC 2449
// section 6.6): kInputMax octets, then wants_input() says to read no more.
//
// Answers wait for a client that does not take them: while the host has no room no command is
// looked at, and after kTurnMax of them, or one that goes through the whole mailbox, the rest wait
// until what was said has gone out, so that no client keeps the thread.
//
// Bounds: kCommandMax octets a command, tries_max passwords, faults_max faults; long lists are made
// in pieces of kPiece. Thread: control.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "services/mail/mailbox/maildir.h"
#include "services/mail/message/lines.h"

namespace postern::mail {

struct Pop3Settings {
  std::string name = "postern";  // in the greeting
  bool has_tls = false;          // STLS is offered
  bool may_use_clear = false;    // passwords without TLS, too
  unsigned tries_max = 3;        // of passwords
  unsigned faults_max = 20;      // commands that are none
};

// What the session asks of its owner. Calls that ask are answered once, now or later.
class Pop3Host {
 public:
  virtual ~Pop3Host() = default;
  virtual void send(std::string_view octets) = 0;
  // Whether more may be sent now. Behind a no, drained() comes.
  virtual bool has_room() const = 0;
  // -> password_checked()
  virtual void check_password(const std::string& user, const std::string& password) = 0;
  // For this session alone, until its end. -> mailbox_opened(), mailbox_refused()
  virtual void open_mailbox(const std::string& user) = 0;
  // Sends the text of the message with its dots stuffed and its end; `lines`: of the body, after
  // the header; nothing: all. -> message_sent()
  virtual void send_message(const MailboxMessage& message, std::optional<uint64_t> lines) = 0;
  // -> removed()
  virtual void remove(const std::vector<MailboxMessage>& messages) = 0;
  // What was sent goes out before; no octet behind STLS is taken. -> tls_started()
  virtual void start_tls() = 0;
  // When what was sent is out. Nothing is called any more.
  virtual void close() = 0;
};

class Pop3Session {
 public:
  static constexpr size_t kCommandMax = 512;  // octets; RFC 2449 section 4 has 255
  static constexpr size_t kInputMax = 8192;
  static constexpr size_t kPiece = size_t{32} << 10;
  static constexpr unsigned kTurnMax = 64;  // commands, one after another

  Pop3Session(const Pop3Settings& settings, Pop3Host& host) : settings_(settings), host_(host) {}

  // The greeting; behind a TLS handshake where the port is for TLS only.
  void begin(bool is_secure);
  void take(std::string_view octets);
  bool wants_input() const { return input_.size() < kInputMax && !is_closed_; }
  // Commands that came wait for their turn.
  bool is_behind() const { return !input_.empty() && !is_closed_; }
  // What was sent has gone out: a long list goes on, and what waits.
  void drained();

  // --- answers of the host
  enum class Check : uint8_t { right, wrong, busy };
  void password_checked(Check check);
  void mailbox_opened(std::vector<MailboxMessage> messages);
  // It is in use, or cannot be read: "in use by another session".
  enum class Refusal : uint8_t { in_use, failed };
  void mailbox_refused(Refusal refusal, const std::string& why);
  void message_sent(bool is_whole);
  void removed(const Result<void>& done);
  void tls_started();

  // Whose mailbox it is; empty: nobody's yet.
  const std::string& user() const { return user_; }
  bool is_closed() const { return is_closed_; }
  struct Counters {
    uint64_t messages = 0;  // sent whole
    uint64_t octets = 0;    // of those, as listed
    uint64_t removed = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  enum class State : uint8_t {
    authorization,
    sasl_plain,
    sasl_login_user,
    sasl_login_password,
    transaction,
    waiting,
    listing
  };
  struct Marked {
    MailboxMessage message;
    bool is_deleted = false;
  };
  struct Command;

  static Command read_command(std::string_view line);
  void work();
  void handle(std::string_view line);
  void handle_authorization(const Command& command);
  void handle_sasl(std::string_view line);
  void begin_auth(const Command& command);
  void plain_response(std::string_view text);
  void check(const std::string& password);
  void handle_transaction(const Command& command);
  void list(const Command& command, bool is_uidl);
  void retrieve(const Command& command, bool is_top);
  void mark(const Command& command);
  void stat();
  void capabilities();
  void quit();
  void fault(std::string_view text);
  void ok(std::string_view text);
  void refuse(std::string_view text);
  void end();
  void go_on_listing();
  void unmark();
  bool may_go_on() const;
  Marked* find(std::string_view number);
  std::string line_of(size_t at) const;
  bool may_log_in() const { return is_secure_ || settings_.may_use_clear; }

  Pop3Settings settings_;
  Pop3Host& host_;
  LineReader reader_{kCommandMax};
  std::string input_;    // that waits, from input_at_ on
  size_t input_at_ = 0;  // not 0 in work() alone
  unsigned turn_ = 0;    // commands that may still be looked at in this one
  State state_ = State::authorization;
  bool is_secure_ = false;
  bool is_closed_ = false;
  bool is_working_ = false;
  bool is_updating_ = false;  // QUIT was said in the transaction
  bool is_uidl_ = false;      // of the list
  size_t listed_ = 0;
  unsigned tries_ = 0;
  unsigned faults_ = 0;
  std::string name_;  // of USER, or of AUTH, not checked yet
  std::string user_;
  std::vector<Marked> messages_;
  uint64_t left_ = 0;  // of them, not marked
  uint64_t left_octets_ = 0;
  size_t sending_ = 0;
  Counters counters_;
};

}  // namespace postern::mail
