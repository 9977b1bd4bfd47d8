// SPDX-License-Identifier: BSD-3-Clause
#include "support/flow_script.h"

#include <charconv>
#include <cstdlib>
#include <optional>
#include <sstream>

#include "dataplane/packet/drop_reason.h"

namespace postern::test {
namespace {

Error bad(int line, const std::string& text) {
  return Error{ErrorCode::invalid, std::to_string(line) + ": " + text};
}

size_t indentation_of(const std::string& line) {
  const size_t first = line.find_first_not_of(' ');
  return first == std::string::npos ? line.size() : first;
}

bool is_blank(const std::string& line) {
  return line.find_first_not_of(' ') == std::string::npos;
}

// Takes the first word off `text`.
std::string take_word(std::string& text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string::npos) return text.clear(), "";
  const size_t end = text.find(' ', begin);
  std::string word = text.substr(begin, end - begin);
  text.erase(0, end);
  return word;
}

// "250ms", "30s", "2h4m"
std::optional<Duration> parse_time(std::string_view text) {
  struct Unit {
    std::string_view name;
    Duration length;
  };
  constexpr Unit kUnits[] = {{"ms", milliseconds(1)},
                             {"s", seconds(1)},
                             {"m", seconds(60)},
                             {"h", seconds(3600)},
                             {"d", seconds(86400)}};
  Duration total;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    int64_t number = 0;
    auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(read.ptr - text.data()));
    const std::string_view name = text.substr(0, text.find_first_of("0123456789"));
    text.remove_prefix(name.size());
    bool known = false;
    for (const Unit& unit : kUnits) {
      if (unit.name != name) continue;
      total = total + unit.length * number;
      known = true;
    }
    if (!known) return std::nullopt;
  }
  return total;
}

class ScriptReader {
 public:
  ScriptReader(std::string name, std::string_view text) {
    script_.name = std::move(name);
    std::istringstream in{std::string(text)};
    for (std::string line; std::getline(in, line);) {
      const size_t comment = line.find('#');
      if (comment != std::string::npos) line.erase(comment);
      line.erase(line.find_last_not_of(" \r") + 1);
      lines_.push_back(line);
    }
  }

  Result<FlowScript> read() {
    while (at_ < lines_.size()) {
      if (!is_blank(lines_[at_])) {
        auto done = read_line();
        if (!done) return done.error();
      }
      ++at_;
    }
    if (script_.steps.empty()) return bad(number(), "no step");
    for (const FlowStep& step : script_.steps) {
      const bool has_packet = step.kind == FlowStep::Kind::in || step.kind == FlowStep::Kind::send;
      if (has_packet && step.expected.empty())
        return bad(step.line, "it is not said what comes of it");
    }
    return std::move(script_);
  }

 private:
  int number() const { return static_cast<int>(at_) + 1; }

  Result<void> read_line() {
    std::string rest = lines_[at_];
    const bool is_margin = rest[0] != ' ';
    const std::string word = take_word(rest);
    if (word[0] == '@') return read_step(word.substr(1), rest);
    if (!is_margin) return read_expectation(word, rest);
    if (word == "config:") {
      script_.config_keys = take_block(0);
    } else if (word == "config") {
      script_.config_file = take_word(rest);
    } else {
      return bad(number(), "'" + word + "' is neither config nor a step, which begins with @");
    }
    return {};
  }

  Result<void> read_step(const std::string& time, std::string rest) {
    FlowStep step;
    step.line = number();
    auto at = parse_time(time);
    if (!at) return bad(number(), "'" + time + "' is no time");
    if (!script_.steps.empty() && *at < script_.steps.back().at) {
      return bad(number(), "time goes back");
    }
    step.at = *at;
    const std::string word = take_word(rest);
    if (word == "reload:" || word == "try:" || word == "refuse:") {
      step.kind = word == "refuse:" ? FlowStep::Kind::refuse : FlowStep::Kind::reload;
      step.is_on_trial = word == "try:";
      step.keys = take_block(indentation_of(lines_[at_]) + 6);
    } else if (word == "in" || word == "send" || word == "flood") {
      step.kind = word == "in"     ? FlowStep::Kind::in
                  : word == "send" ? FlowStep::Kind::send
                                   : FlowStep::Kind::flood;
      if (word == "flood") {
        step.count = static_cast<unsigned>(std::atoi(take_word(rest).c_str()));
        step.hosts = static_cast<unsigned>(std::atoi(take_word(rest).c_str()));
        if (step.count == 0 || step.hosts == 0) {
          return bad(number(), "a flood is: flood PACKETS HOSTS INTERFACE PACKET");
        }
      }
      step.interface = take_word(rest);
      auto packet = read_packet_text(rest);
      if (!packet) return bad(number(), packet.error().text);
      step.packet = *packet;
    } else if (word == "login" || word == "logout") {
      step.kind = word == "login" ? FlowStep::Kind::login : FlowStep::Kind::logout;
      auto host = parse_ipv4(take_word(rest));
      if (!host) return bad(number(), "who logs in or out does so at an address");
      step.host = *host;
      while (!rest.empty())
        step.who.push_back(take_word(rest));
      if (step.who.empty() == (word == "login")) return bad(number(), "login ADDRESS USER GROUPS");
    } else if (word != "tick") {
      return bad(
          number(),
          "'" + word + "' is not in, send, flood, tick, login, logout, reload:, try: or refuse:");
    }
    script_.steps.push_back(std::move(step));
    return {};
  }

  Result<void> read_expectation(const std::string& word, std::string rest) {
    if (script_.steps.empty()) return bad(number(), "an expectation before the first step");
    FlowExpectation expected;
    expected.line = number();
    if (word == "expect") return read_counters(rest);
    if (word == "out" || word == "host") {
      expected.kind = word == "out" ? FlowExpectation::Kind::out : FlowExpectation::Kind::host;
      expected.interface = take_word(rest);
      auto packet = read_packet_text(rest);
      if (!packet) return bad(number(), packet.error().text);
      expected.packet = *packet;
    } else if (word == "drop") {
      expected.kind = FlowExpectation::Kind::drop;
      expected.name = take_word(rest);
      if (drop_reason_from(expected.name.c_str()) == DropReason::none) {
        return bad(number(), "'" + expected.name + "' is no drop reason");
      }
    } else if (word != "hold") {
      return bad(number(), "'" + word + "' is not out, host, drop, hold or expect");
    }
    script_.steps.back().expected.push_back(std::move(expected));
    return {};
  }

  // "sessions = 1, drop.no_mapping = 2, $x != $y, $x is even"
  Result<void> read_counters(const std::string& rest) {
    std::istringstream in(rest);
    for (std::string item; std::getline(in, item, ',');) {
      FlowExpectation expected;
      expected.kind = FlowExpectation::Kind::counter;
      expected.line = number();
      expected.name = take_word(item);
      expected.relation = take_word(item);
      expected.value = take_word(item);
      const std::string& relation = expected.relation;
      const bool is_known =
          relation == "=" || relation == "!=" || relation == "<" ||
          (relation == "is" && (expected.value == "even" || expected.value == "odd"));
      if (!is_known || expected.value.empty()) return bad(number(), "expect NAME = VALUE, ...");
      script_.steps.back().expected.push_back(std::move(expected));
    }
    return {};
  }

  // The lines behind this one that are indented by more than `margin`, or blank; less their
  // indentation.
  std::string take_block(size_t margin) {
    std::string block;
    size_t cut = std::string::npos;
    while (at_ + 1 < lines_.size()) {
      const std::string& line = lines_[at_ + 1];
      if (!is_blank(line) && indentation_of(line) <= margin) break;
      if (!is_blank(line) && cut == std::string::npos) cut = indentation_of(line);
      block += (line.size() > cut ? line.substr(cut) : "") + "\n";
      ++at_;
    }
    return block;
  }

  FlowScript script_;
  std::vector<std::string> lines_;
  size_t at_ = 0;
};

// The top-level keys of a YAML text, in order, each with its lines.
std::vector<std::pair<std::string, std::string>> sections_of(const std::string& yaml) {
  std::vector<std::pair<std::string, std::string>> sections;
  std::istringstream in(yaml);
  for (std::string line; std::getline(in, line);) {
    const bool begins = !line.empty() && line[0] != ' ' && line[0] != '#' && line[0] != '-' &&
                        line.find(':') != std::string::npos;
    if (begins) sections.emplace_back(line.substr(0, line.find(':')), "");
    if (!sections.empty()) sections.back().second += line + "\n";
  }
  return sections;
}

}  // namespace

Result<FlowScript> read_flow_script(std::string name, std::string_view text) {
  return ScriptReader(std::move(name), text).read();
}

std::string with_keys(const std::string& base, const std::string& keys) {
  auto sections = sections_of(base);
  for (auto& [key, lines] : sections_of(keys)) {
    bool is_there = false;
    for (auto& [old_key, old_lines] : sections) {
      if (old_key != key) continue;
      old_lines = lines;
      is_there = true;
    }
    if (!is_there) sections.emplace_back(key, lines);
  }
  std::string yaml;
  for (const auto& [key, lines] : sections)
    yaml += lines;
  return yaml;
}

}  // namespace postern::test
