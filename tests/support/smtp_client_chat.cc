// SPDX-License-Identifier: BSD-3-Clause
#include "support/smtp_client_chat.h"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include "services/mail/message/address.h"
#include "services/mail/message/parameters.h"
#include "services/mail/smtp/client_session.h"
#include "support/chat_script.h"

namespace postern::mail {
namespace {

using Line = test::ChatLine;
using test::unescape;

enum class Cut : uint8_t { none, single, at };

class ClientChat {
 public:
  ClientChat(const std::vector<Line>& lines, Cut cut, size_t at)
      : lines_(lines), cut_(cut), at_(at) {
    settings_.helo = "pc.a.example";
  }

  size_t longest() const { return longest_; }

  std::string run() {
    size_t number = 0;
    try {
      for (const Line& line : lines_) {
        number = line.number;
        if (line.word != "S:" && line.word != "S>") send_pending();
        take(line);
      }
      send_pending();
      demand_nothing();
    } catch (const std::exception& error) {
      const std::string how = cut_ == Cut::none     ? "whole"
                              : cut_ == Cut::single ? "octet by octet"
                                                    : "cut at " + std::to_string(at_);
      return "line " + std::to_string(number) + ", " + how + ": " + error.what();
    }
    return "";
  }

 private:
  void take(const Line& line) {
    if (is_before(line)) return;
    if (!session_) {
      session_ = std::make_unique<ClientSession>(settings_);
      carry_out(session_->start(now_));
    }
    if (line.word == "S:" || line.word == "S>") {
      pending_ += unescape(line.rest) + (line.word == "S:" ? "\r\n" : "");
    } else if (line.word == "C:" || line.word == "O:") {
      expect(line.word + ' ' + unescape(line.rest));
    } else if (!take_message(line) && !take_event(line)) {
      throw std::runtime_error("no such line");
    }
  }

  bool is_before(const Line& line) {
    if (line.word != "set") return false;
    const size_t space = line.rest.find(' ');
    const std::string name = line.rest.substr(0, space);
    const std::string value = line.rest.substr(space + 1);
    const std::map<std::string, bool*> flags = {{"starts_tls", &settings_.starts_tls},
                                                {"needs_tls", &settings_.needs_tls},
                                                {"has_tls", &settings_.has_tls},
                                                {"clear_auth", &settings_.allows_clear_auth}};
    const std::map<std::string, std::string*> texts = {
        {"helo", &settings_.helo},
        {"user", &settings_.credentials.user},
        {"password", &settings_.credentials.password}};
    if (const auto flag = flags.find(name); flag != flags.end()) {
      *flag->second = value == "yes";
    } else if (const auto text = texts.find(name); text != texts.end()) {
      *text->second = unescape(value);
    } else if (name == "token") {
      settings_.credentials.token_command = {"/bin/token"};
    } else {
      throw std::runtime_error("no such setting: " + name);
    }
    return true;
  }

  bool take_message(const Line& line) {
    if (line.word == "mail") {
      envelope_ = Envelope();
      std::string_view rest = line.rest;
      MailParameters parameters;
      envelope_.sender = read_path(rest);
      if (parse_mail_parameters(rest, false, parameters) != ParameterFault::none)
        throw std::runtime_error("no parameters of MAIL");
      envelope_.returns = parameters.returns;
      envelope_.id = parameters.id;
      envelope_.is_8bit = parameters.is_8bit;
      envelope_.is_utf8 = parameters.is_utf8;
      size_ = parameters.size.value_or(0);
    } else if (line.word == "rcpt") {
      std::string_view rest = line.rest;
      RcptParameters parameters;
      Recipient recipient;
      recipient.address = read_path(rest);
      if (parse_rcpt_parameters(rest, parameters) != ParameterFault::none)
        throw std::runtime_error("no parameters of RCPT");
      recipient.notify = parameters.notify;
      recipient.original = parameters.original;
      envelope_.recipients.push_back(recipient);
    } else if (line.word == "send") {
      ClientMessage message{std::make_shared<Envelope>(envelope_), {}, size_};
      for (size_t i = 0; i < envelope_.recipients.size(); ++i)
        message.places.push_back(i);
      carry_out(session_->send(std::move(message), now_));
    } else if (line.word == "T:" || line.word == "T>") {
      carry_out(session_->text(unescape(line.rest) + (line.word == "T:" ? "\r\n" : ""), now_));
    } else if (line.word == "end") {
      carry_out(session_->end_text(now_));
    } else if (line.word == "break") {
      carry_out(session_->break_text(line.rest, now_));
    } else {
      return false;
    }
    return true;
  }

  bool take_event(const Line& line) {
    if (line.word == "tls") {
      carry_out(session_->tls_is_up(now_));
    } else if (line.word == "token") {
      carry_out(session_->answer_token(line.rest, "", now_));
    } else if (line.word == "no_token") {
      carry_out(session_->answer_token("", line.rest, now_));
    } else if (line.word == "lost") {
      carry_out(session_->lost(line.rest, now_));
    } else if (line.word == "quit") {
      carry_out(session_->quit(now_));
    } else if (line.word == "say") {
      carry_out(session_->say(line.rest, now_));
    } else if (line.word == "+") {
      now_ = now_ + seconds(std::stol(line.rest));
      carry_out(session_->on_time(now_));
    } else {
      return false;
    }
    return true;
  }

  static Address read_path(std::string_view& text) {
    Path path;
    const PathRules rules{true, true, true};
    if (parse_path(text, rules, path) != AddressFault::none) throw std::runtime_error("no path");
    return path.address;
  }

  void send_pending() {
    if (pending_.empty()) return;
    demand_nothing();
    const std::string octets = std::move(pending_);
    pending_.clear();
    longest_ = std::max(longest_, octets.size());
    if (cut_ == Cut::single) {
      for (const char octet : octets)
        carry_out(session_->take({&octet, 1}, now_));
      return;
    }
    const size_t at = cut_ == Cut::at ? std::min(at_, octets.size()) : octets.size();
    carry_out(session_->take(octets.substr(0, at), now_));
    if (at < octets.size()) carry_out(session_->take(octets.substr(at), now_));
  }

  void expect(const std::string& line) {
    if (events_.empty()) throw std::runtime_error("nothing came for: " + line);
    const std::string got = events_.front();
    events_.pop_front();
    if (got != line) throw std::runtime_error("got: " + got);
  }

  void demand_nothing() const {
    if (!events_.empty()) throw std::runtime_error("unexpected: " + events_.front());
    if (!sent_.empty()) throw std::runtime_error("not a whole line: " + sent_);
  }

  void carry_out(const ClientActions& actions) {
    for (const ClientAction& action : actions)
      std::visit([this](const auto& each) { carry_out(each); }, action);
  }
  void note(const std::string& event) { events_.push_back("O: " + event); }

  void carry_out(const SendOctets& send) {
    sent_ += send.octets;
    for (size_t end = sent_.find("\r\n"); end != std::string::npos; end = sent_.find("\r\n")) {
      events_.push_back("C: " + sent_.substr(0, end));
      sent_.erase(0, end + 2);
    }
  }
  void carry_out(const StartTls& /*action*/) { note("start_tls"); }
  void carry_out(const CloseConnection& /*action*/) {
    sent_.clear();  // a text that is broken off
    note("close");
  }
  void carry_out(const AskToken& ask) { note(ask.is_again ? "ask_token_again" : "ask_token"); }
  void carry_out(const ReadyForMessage& /*action*/) { note("ready"); }
  void carry_out(const SendText& /*action*/) { note("text"); }
  void carry_out(const MessageOver& over) {
    for (const auto& [place, reply] : over.replies) {
      note("over " + std::to_string(place) + (over.was_heard ? " " : " unheard ") + to_text(reply));
    }
  }
  void carry_out(const Said& said) { note("said " + to_text(said.reply)); }
  void carry_out(const SessionOver& over) { note("session_over " + to_text(over.reply)); }

  const std::vector<Line>& lines_;
  Cut cut_;
  size_t at_;
  ClientSettings settings_;
  std::unique_ptr<ClientSession> session_;
  Instant now_;
  Envelope envelope_;
  uint64_t size_ = 0;
  std::string pending_;  // octets of the server
  size_t longest_ = 0;
  std::string sent_;  // by the client, not a whole line
  std::deque<std::string> events_;
};

}  // namespace
}  // namespace postern::mail

namespace postern::test {

std::string run_smtp_client_chat(std::string_view script) {
  const std::vector<ChatLine> lines = parse_chat(script);
  mail::ClientChat whole(lines, mail::Cut::none, 0);
  std::string fault = whole.run();
  if (!fault.empty()) return fault;
  fault = mail::ClientChat(lines, mail::Cut::single, 0).run();
  for (size_t at = 1; at < whole.longest() && fault.empty(); ++at)
    fault = mail::ClientChat(lines, mail::Cut::at, at).run();
  return fault;
}

}  // namespace postern::test
