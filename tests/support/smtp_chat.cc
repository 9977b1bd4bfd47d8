// SPDX-License-Identifier: BSD-3-Clause
#include "support/smtp_chat.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <stdexcept>
#include <vector>

#include "services/mail/message/address.h"
#include "services/mail/smtp/server_session.h"
#include "support/chat_script.h"

namespace postern::mail {
namespace {

using Line = test::ChatLine;
using test::reply_of;
using test::unescape;

bool set_flag(SmtpSettings& settings, const std::string& name, bool value) {
  const std::map<std::string, bool*> flags = {
      {"offers_tls", &settings.offers_tls},
      {"requires_tls", &settings.requires_tls},
      {"offers_auth", &settings.offers_auth},
      {"allows_auth_in_clear", &settings.allows_auth_in_clear},
      {"requires_auth", &settings.requires_auth}};
  const auto at = flags.find(name);
  if (at != flags.end()) *at->second = value;
  return at != flags.end();
}

void set(SmtpSettings& settings, const std::string& text) {
  const size_t space = text.find(' ');
  const std::string name = text.substr(0, space);
  const std::string value = text.substr(space + 1);
  if (set_flag(settings, name, value == "yes")) return;
  const std::map<std::string, size_t*> numbers = {{"recipients_max", &settings.recipients_max},
                                                  {"command_line_max", &settings.command_line_max},
                                                  {"text_line_max", &settings.text_line_max},
                                                  {"hops_max", &settings.hops_max},
                                                  {"messages_max", &settings.messages_max},
                                                  {"commands_max", &settings.commands_max},
                                                  {"errors_tarpit", &settings.errors_tarpit},
                                                  {"errors_max", &settings.errors_max},
                                                  {"auth_tries_max", &settings.auth_tries_max},
                                                  {"header", &settings.header.header}};
  const auto at = numbers.find(name);
  if (at != numbers.end()) {
    *at->second = std::stoul(value);
  } else if (name == "size_max") {
    settings.size_max = std::stoul(value);
  } else if (name == "greet_delay_s") {
    settings.greet_delay = seconds(std::stol(value));
  } else {
    throw std::runtime_error("no such setting: " + name);
  }
}

enum class Cut : uint8_t { none, single, at };

class Chat {
 public:
  Chat(const std::vector<Line>& lines, Cut cut, size_t at) : lines_(lines), cut_(cut), at_(at) {}

  // The longest piece of the client.
  size_t longest() const { return longest_; }
  bool is_once() const { return is_once_; }

  std::string run() {
    size_t number = 0;
    try {
      for (const Line& line : lines_) {
        number = line.number;
        if (line.word != "C:" && line.word != "C>") send_pending();
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
    if (!session_) open();
    if (line.word == "C:" || line.word == "C>") {
      pending_ += unescape(line.rest) + (line.word == "C:" ? "\r\n" : "");
    } else if (line.word == "S:" || line.word == "O:" || line.word == "M:") {
      expect(line.word + ' ' + unescape(line.rest));
    } else if (line.word == "answer") {
      carry_out(session_->answer(reply_of(line.rest), now_));
    } else if (line.word == "+") {
      now_ = now_ + seconds(std::stol(line.rest));
      carry_out(session_->on_time(now_));
    } else if (line.word == "eof") {
      carry_out(session_->end_of_input(now_));
    } else if (line.word == "tls") {
      carry_out(session_->tls_is_up("TLSv1.3", now_));
    } else if (line.word == "stop") {
      carry_out(session_->stop(now_));
    } else if (line.word == "fail") {
      session_->refuse_message(reply_of(line.rest));
    } else {
      throw std::runtime_error("no such line");
    }
  }

  // What is told before the dialogue, or belongs to no moment of it.
  bool is_before(const Line& line) {
    if (line.word == "set") {
      set(settings_, line.rest);
    } else if (line.word == "show") {
      shows_questions_ = true;
    } else if (line.word == "once") {
      is_once_ = true;
    } else if (line.word == "when") {
      const size_t colon = line.rest.find(": ");
      answers_[line.rest.substr(0, colon)] = line.rest.substr(colon + 2);
    } else {
      return false;
    }
    return true;
  }

  void open() {
    settings_.host = "mx.a.example";
    session_.emplace(settings_, Ipv4Address(192, 0, 2, 7));
    carry_out(session_->start(now_));
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
    const bool is_same =
        line.ends_with("...") ? got.starts_with(line.substr(0, line.size() - 3)) : got == line;
    if (!is_same) throw std::runtime_error("got: " + got);
  }

  void demand_nothing() const {
    if (!events_.empty()) throw std::runtime_error("unexpected: " + events_.front());
  }

  // Views in the actions hold until the session is called again: all are used before.
  void carry_out(const SmtpActions& actions) {
    std::optional<std::string> question;
    for (const SmtpAction& action : actions)
      std::visit([&](const auto& each) { carry_out(each, question); }, action);
    if (!question) return;
    const auto at = answers_.find(*question);
    if (at != answers_.end() && at->second == "later") return;
    const bool is_password = question->starts_with("ask_password");
    const std::string standard = is_password ? "535 5.7.8 Authentication failed" : "ok";
    carry_out(session_->answer(reply_of(at != answers_.end() ? at->second : standard), now_));
  }

  using Question = std::optional<std::string>;

  void note_question(const std::string& text, Question& question, bool is_shown = false) {
    question = text;
    if (is_shown || shows_questions_) events_.push_back("O: " + text);
  }

  void carry_out(const SendOctets& send, Question& /*question*/) {
    sent_ += send.octets;
    for (size_t end = sent_.find("\r\n"); end != std::string::npos; end = sent_.find("\r\n")) {
      events_.push_back("S: " + sent_.substr(0, end));
      sent_.erase(0, end + 2);
    }
  }
  void carry_out(const StartTls& /*action*/, Question& /*question*/) {
    events_.emplace_back("O: start_tls");
  }
  void carry_out(const CloseConnection& /*action*/, Question& /*question*/) {
    events_.emplace_back("O: close");
  }
  void carry_out(const Delay& delay, Question& /*question*/) {
    events_.push_back("O: delay " + std::to_string(delay.length.ns / 1'000'000'000) + " s");
  }
  void carry_out(const AskClient& /*action*/, Question& question) {
    note_question("ask_client", question);
  }
  void carry_out(const AskSender& ask, Question& question) {
    note_question("ask_sender " + to_path(session_->envelope().sender) +
                      (ask.size == 0 ? "" : " " + std::to_string(ask.size)),
                  question);
  }
  void carry_out(const AskRecipient& ask, Question& question) {
    note_question("ask_recipient " + to_path(ask.recipient.address), question);
  }
  void carry_out(const AskPassword& ask, Question& question) {
    note_question("ask_password " + ask.user + ' ' + ask.password, question, true);
  }
  void carry_out(const BeginMessage& /*action*/, Question& question) {
    message_.clear();
    const Envelope& envelope = session_->envelope();
    std::string text = "begin " + to_path(envelope.sender);
    for (const Recipient& recipient : envelope.recipients)
      text += ' ' + to_path(recipient.address);
    note_question(text + (envelope.user.empty() ? "" : " user=" + envelope.user), question);
  }
  void carry_out(const MessageText& text, Question& /*question*/) { message_ += text.octets; }
  void carry_out(const FinishMessage& /*action*/, Question& question) {
    if (message_.size() != session_->size()) throw std::runtime_error("another size");
    while (!message_.empty()) {
      const size_t end = message_.find("\r\n");
      if (end == std::string::npos) throw std::runtime_error("a line without its end");
      events_.push_back("M: " + message_.substr(0, end));
      message_.erase(0, end + 2);
    }
    note_question("finish", question);
  }
  void carry_out(const DropMessage& /*action*/, Question& /*question*/) {
    events_.emplace_back("O: drop");
  }

  const std::vector<Line>& lines_;
  Cut cut_;
  size_t at_;
  SmtpSettings settings_;
  std::optional<ServerSession> session_;
  Instant now_;
  std::map<std::string, std::string> answers_;
  bool shows_questions_ = false;
  bool is_once_ = false;
  std::string pending_;  // octets of the client
  size_t longest_ = 0;
  std::string sent_;  // of the server, not a whole line
  std::string message_;
  std::deque<std::string> events_;
};

}  // namespace
}  // namespace postern::mail

namespace postern::test {

std::string run_smtp_chat(std::string_view script) {
  const std::vector<ChatLine> lines = parse_chat(script);
  mail::Chat whole(lines, mail::Cut::none, 0);
  std::string fault = whole.run();
  if (!fault.empty() || whole.is_once()) return fault;
  fault = mail::Chat(lines, mail::Cut::single, 0).run();
  for (size_t at = 1; at < whole.longest() && fault.empty(); ++at)
    fault = mail::Chat(lines, mail::Cut::at, at).run();
  return fault;
}

}  // namespace postern::test
