// SPDX-License-Identifier: BSD-3-Clause
#include "support/pop3_client_chat.h"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <stdexcept>
#include <vector>

#include "services/mail/pop3/client_session.h"

namespace postern::mail {
namespace {

struct Line {
  size_t number = 0;
  std::string word;  // "C:", "set" ...
  std::string rest;
};

std::vector<Line> parse(std::string_view script) {
  std::vector<Line> lines;
  for (size_t number = 1; !script.empty(); ++number) {
    const size_t end = std::min(script.find('\n'), script.size());
    const std::string text(script.substr(0, end));
    script.remove_prefix(std::min(end + 1, script.size()));
    if (text.empty() || text.front() == '#') continue;
    const size_t space = std::min(text.find(' '), text.size());
    lines.push_back({number, text.substr(0, space),
                     space < text.size() ? text.substr(space + 1) : std::string()});
  }
  return lines;
}

std::string unescape(const std::string& text) {
  const std::map<char, char> signs = {{'r', '\r'}, {'n', '\n'}, {'t', '\t'}, {'0', '\0'}};
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char sign = text[++i];
    const auto at = signs.find(sign);
    if (sign == 'x') {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      out += at == signs.end() ? sign : at->second;
    }
  }
  return out;
}

void set(Pop3ClientSettings& settings, const std::string& text) {
  const std::map<std::string, TlsMode> modes = {{"none", TlsMode::none},
                                                {"opportunistic", TlsMode::opportunistic},
                                                {"required", TlsMode::required},
                                                {"implicit", TlsMode::implicit}};
  const size_t space = text.find(' ');
  const std::string name = text.substr(0, space);
  const std::string value = unescape(text.substr(space + 1));
  if (name == "tls") {
    settings.tls = modes.at(value);
  } else if (name == "user") {
    settings.user = value;
  } else if (name == "password") {
    settings.password = value;
  } else if (name == "token") {
    settings.has_token = value == "yes";
  } else {
    throw std::runtime_error("no such setting: " + name);
  }
}

enum class Cut : uint8_t { none, single, at };

class Chat final : public Pop3ClientHost {
 public:
  Chat(const std::vector<Line>& lines, Cut cut, size_t at) : lines_(lines), cut_(cut), at_(at) {
    settings_.tls = TlsMode::none;
    settings_.user = "joe";
    settings_.password = "secret";
  }

  // The longest piece of the server.
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
    if (line.word == "set") return set(settings_, line.rest);
    if (!is_begun_) {
      is_begun_ = true;
      session_ = std::make_unique<Pop3Client>(settings_, *this);
      session_->begin(settings_.tls == TlsMode::implicit);
    }
    if (line.word == "S:" || line.word == "S>") {
      pending_ += unescape(line.rest) + (line.word == "S:" ? "\r\n" : "");
    } else if (line.word == "C:" || line.word == "O:" || line.word == "T:") {
      expect(line.word + ' ' + unescape(line.rest));
    } else {
      act(line);
    }
  }

  void act(const Line& line) {
    if (line.word == "retrieve") {
      session_->retrieve(static_cast<uint32_t>(std::stoul(line.rest)));
    } else if (line.word == "remove") {
      session_->remove(static_cast<uint32_t>(std::stoul(line.rest)));
    } else if (line.word == "quit") {
      session_->quit();
    } else if (line.word == "token") {
      session_->give_token(unescape(line.rest));
    } else if (line.word == "tls") {
      session_->tls_started();
    } else if (line.word == "lost") {
      session_->lost(line.rest);
    } else {
      throw std::runtime_error("no such line");
    }
  }

  void send_pending() {
    if (pending_.empty()) return;
    demand_nothing();
    const std::string octets = std::move(pending_);
    pending_.clear();
    longest_ = std::max(longest_, octets.size());
    if (cut_ == Cut::single) {
      for (const char octet : octets)
        session_->take({&octet, 1});
      return;
    }
    const size_t at = cut_ == Cut::at ? std::min(at_, octets.size()) : octets.size();
    session_->take(octets.substr(0, at));
    if (at < octets.size()) session_->take(octets.substr(at));
  }

  void expect(const std::string& line) {
    if (events_.empty()) throw std::runtime_error("nothing came for: " + line);
    const std::string got = events_.front();
    events_.pop_front();
    if (got != line) throw std::runtime_error("got: " + got);
  }
  void demand_nothing() const {
    if (!events_.empty()) throw std::runtime_error("unexpected: " + events_.front());
  }
  void note(const std::string& event, const Result<void>& outcome) {
    events_.push_back("O: " + event + (outcome ? "" : " fails: " + outcome.error().text));
  }

  // --- Pop3ClientHost
  void send(std::string octets) override {
    const bool is_line = octets.ends_with("\r\n");
    events_.push_back("C: " + (is_line ? octets.substr(0, octets.size() - 2) : "half " + octets));
  }
  void start_tls() override { note("start_tls", {}); }
  void ask_token(bool is_again) override { note(is_again ? "ask_token_again" : "ask_token", {}); }
  void listed(Pop3Listing listing) override {
    std::string text = "listed";
    for (const Pop3Listing::Message& one : listing.messages())
      text += ' ' + std::to_string(one.number) + '=' + std::to_string(one.octets) + ',' +
              std::string(listing.uid(one));
    note(text, {});
  }
  void text(std::string_view octets) override { text_ += octets; }
  void retrieved(const Result<void>& outcome) override {
    while (!text_.empty()) {
      const size_t end = text_.find("\r\n");
      if (end == std::string::npos) throw std::runtime_error("half a line: " + text_);
      events_.push_back("T: " + text_.substr(0, end));
      text_.erase(0, end + 2);
    }
    note("retrieved", outcome);
  }
  void removed(const Result<void>& outcome) override { note("removed", outcome); }
  void over(const Result<void>& outcome) override { note("over", outcome); }

  const std::vector<Line>& lines_;
  Cut cut_;
  size_t at_;
  size_t longest_ = 0;
  bool is_begun_ = false;
  Pop3ClientSettings settings_;
  std::unique_ptr<Pop3Client> session_;
  std::deque<std::string> events_;
  std::string pending_;
  std::string text_;
};

}  // namespace
}  // namespace postern::mail

namespace postern::test {

std::string run_pop3_client_chat(std::string_view script) {
  const std::vector<mail::Line> lines = mail::parse(script);
  mail::Chat whole(lines, mail::Cut::none, 0);
  std::string fault = whole.run();
  if (fault.empty()) fault = mail::Chat(lines, mail::Cut::single, 0).run();
  for (size_t at = 1; at < whole.longest() && fault.empty(); ++at)
    fault = mail::Chat(lines, mail::Cut::at, at).run();
  return fault;
}

}  // namespace postern::test
