// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/pop3/server_session.h"

#include <fmt/format.h>

#include <utility>

#include "services/mail/message/address.h"
#include "services/mail/message/base64.h"
#include "services/mail/pop3/server_command.h"

namespace postern::mail {

void Pop3Session::begin(bool is_secure) {
  is_secure_ = is_secure;
  ok(settings_.name + " POP3 ready");
}

void Pop3Session::take(std::string_view octets) {
  if (is_closed_) return;
  input_ += octets;
  work();
}

bool Pop3Session::may_go_on() const {
  return !is_closed_ && state_ != State::waiting && state_ != State::listing && turn_ != 0 &&
         input_at_ < input_.size() && host_.has_room();
}

// Commands one after another, as far as none of them waits for the host. Each is answered, so that
// drained() comes where it ends before the input does.
void Pop3Session::work() {
  if (std::exchange(is_working_, true)) return;
  for (turn_ = kTurnMax; may_go_on(); turn_ -= turn_ != 0) {
    // The line may lie in `input_`, which stays while it is handled.
    const LineReader::Piece piece = reader_.feed(std::string_view(input_).substr(input_at_));
    input_at_ += piece.taken;
    if (piece.step == LineStep::more) break;
    if (piece.step == LineStep::line) {
      handle(piece.line);
    } else if (piece.step == LineStep::too_long) {
      fault("the line is too long");
    } else {
      refuse("a line ends with CRLF");
      end();
    }
  }
  input_.erase(0, std::exchange(input_at_, 0));
  is_working_ = false;
}

void Pop3Session::handle(std::string_view line) {
  if (state_ >= State::sasl_plain && state_ <= State::sasl_login_password) return handle_sasl(line);
  const Command command = read_command(line);
  if (command.word == "QUIT") return quit();
  if (command.word == "CAPA") return capabilities();
  if (command.word == "NOOP" && state_ == State::transaction) return ok("");
  if (state_ == State::transaction) return handle_transaction(command);
  handle_authorization(command);
}

void Pop3Session::handle_authorization(const Command& command) {
  if (command.word == "STLS") {
    if (!settings_.has_tls || is_secure_) return fault("[SYS/PERM] no TLS here");
    // What came with it was sent in the clear by whoever was on the way.
    if (input_at_ < input_.size()) {
      refuse("nothing may follow STLS before the handshake");
      return end();
    }
    ok("begin TLS");
    state_ = State::waiting;
    name_.clear();
    return host_.start_tls();
  }
  const bool is_log_in = command.word == "USER" || command.word == "PASS" || command.word == "AUTH";
  if (!is_log_in) return fault("log in first, or no such command");
  if (!may_log_in()) return refuse("[AUTH] say STLS first: passwords do not go in the clear");
  if (command.word == "AUTH") return begin_auth(command);
  if (command.word == "USER") {
    if (command.rest.empty()) return fault("USER name");
    name_ = command.rest;
    return ok("the password, please");
  }
  if (name_.empty()) return fault("say USER first");
  // A password may have spaces in it, at its ends, too (RFC 1939 section 7).
  check(std::string(command.rest));
}

void Pop3Session::begin_auth(const Command& command) {
  const std::string mechanism = std::string(command.argument(0));
  const bool has_initial = command.count() > 1;
  if (same_word(mechanism, "PLAIN")) {
    if (has_initial) return plain_response(command.argument(1));
    state_ = State::sasl_plain;
    return host_.send("+ \r\n");
  }
  if (same_word(mechanism, "LOGIN")) {
    state_ = State::sasl_login_user;
    return host_.send("+ VXNlcm5hbWU6\r\n");
  }
  if (mechanism.empty()) {
    ok("");
    return host_.send("PLAIN\r\nLOGIN\r\n.\r\n");
  }
  fault("no such mechanism; PLAIN or LOGIN");
}

void Pop3Session::handle_sasl(std::string_view line) {
  const State state = std::exchange(state_, State::authorization);
  if (line == "*") return refuse("given up");
  if (state == State::sasl_plain) return plain_response(line);
  const auto text = decode_base64(line);
  if (!text) return fault("not base 64");
  if (state == State::sasl_login_user) {
    name_ = *text;
    state_ = State::sasl_login_password;
    return host_.send("+ UGFzc3dvcmQ6\r\n");
  }
  check(*text);
}

// authzid NUL authcid NUL password (RFC 4616); nobody reads another's mailbox.
void Pop3Session::plain_response(std::string_view text) {
  state_ = State::authorization;
  const auto octets = decode_base64(text);
  const size_t first = octets ? octets->find('\0') : std::string::npos;
  const size_t second = first == std::string::npos ? first : octets->find('\0', first + 1);
  if (second == std::string::npos) return fault("not what PLAIN is");
  const std::string other = octets->substr(0, first);
  name_ = octets->substr(first + 1, second - first - 1);
  if (!other.empty() && other != name_) return refuse("[AUTH] not for somebody else");
  check(octets->substr(second + 1));
}

void Pop3Session::check(const std::string& password) {
  if (name_.empty()) return fault("a name without letters");
  state_ = State::waiting;
  host_.check_password(name_, password);
}

void Pop3Session::password_checked(Check check) {
  if (is_closed_) return;
  state_ = State::authorization;
  if (check == Check::right) {
    state_ = State::waiting;
    return host_.open_mailbox(name_);
  }
  name_.clear();
  if (check == Check::busy) {
    refuse("[SYS/TEMP] not now; try again later");
  } else {
    refuse("[AUTH] name or password are wrong");
  }
  if (++tries_ >= settings_.tries_max) return end();
  work();
}

void Pop3Session::mailbox_opened(std::vector<MailboxMessage> messages) {
  if (is_closed_) return;
  user_ = name_;
  messages_.reserve(messages.size());
  left_ = messages.size();
  for (MailboxMessage& message : messages) {
    left_octets_ += message.octets;
    messages_.push_back({std::move(message), false});
  }
  state_ = State::transaction;
  ok(fmt::format("{} messages", messages_.size()));
  work();
}

void Pop3Session::mailbox_refused(Refusal refusal, const std::string& why) {
  if (is_closed_) return;
  state_ = State::authorization;
  name_.clear();
  refuse((refusal == Refusal::in_use ? "[IN-USE] " : "[SYS/TEMP] ") + why);
  work();
}

void Pop3Session::tls_started() {
  is_secure_ = true;
  reader_.restart();
  input_.clear();
  state_ = State::authorization;
}

void Pop3Session::capabilities() {
  std::string text = "+OK\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n";
  if (state_ == State::authorization && may_log_in()) text += "USER\r\nSASL PLAIN LOGIN\r\n";
  if (state_ == State::authorization && settings_.has_tls && !is_secure_) text += "STLS\r\n";
  host_.send(text + "IMPLEMENTATION Postern\r\n.\r\n");
}

void Pop3Session::quit() {
  std::vector<MailboxMessage> gone;
  for (const Marked& one : messages_) {
    if (one.is_deleted) gone.push_back(one.message);
  }
  if (gone.empty()) {
    ok("good-bye");
    return end();
  }
  state_ = State::waiting;
  counters_.removed = gone.size();
  host_.remove(gone);
}

void Pop3Session::removed(const Result<void>& done) {
  if (is_closed_) return;
  if (done) {
    ok("good-bye");
  } else {
    refuse("[SYS/TEMP] some messages could not be removed");
  }
  end();
}

void Pop3Session::ok(std::string_view text) {
  host_.send(fmt::format("+OK{}{}\r\n", text.empty() ? "" : " ", text));
}

void Pop3Session::refuse(std::string_view text) {
  host_.send(fmt::format("-ERR {}\r\n", text));
}

void Pop3Session::fault(std::string_view text) {
  refuse(text);
  if (++faults_ >= settings_.faults_max) end();
}

void Pop3Session::end() {
  if (!std::exchange(is_closed_, true)) host_.close();
}

}  // namespace postern::mail
