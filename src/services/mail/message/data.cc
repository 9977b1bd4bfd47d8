// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/message/data.h"

#include "services/mail/message/octets.h"

namespace postern::mail {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

}  // namespace

std::string_view to_text(DataFault fault) {
  switch (fault) {
    case DataFault::none:
      return "none";
    case DataFault::bare_cr:
      return "bare CR";
    case DataFault::bare_lf:
      return "bare LF";
    case DataFault::nul:
      return "NUL";
    case DataFault::long_line:
      return "line too long";
  }
  return "";
}

DataDecoder::Piece DataDecoder::feed(std::string_view octets) {
  if (state_ == State::done || octets.empty()) return {0, {}, is_done()};
  switch (state_) {
    case State::line_start:
      if (octets.front() != '.') break;
      state_ = State::dot;
      line_ = 1;
      return give(1, {});
    case State::dot:
      if (octets.front() != '\r') break;  // the dot was stuffed: what follows it is the line
      state_ = State::dot_cr;
      return give(1, {});
    case State::dot_cr:
      if (octets.front() != '\n') return lone_cr();
      state_ = State::done;
      return give(1, {});
    case State::cr:
      if (octets.front() != '\n') return lone_cr();
      end_line();
      return give(1, kLineEnd);
    case State::text:
    case State::done:
      break;
  }
  state_ = State::text;
  return feed_text(octets);
}

// As many lines in one piece as there are whole ones without a dot in front.
DataDecoder::Piece DataDecoder::feed_text(std::string_view octets) {
  size_t at = 0;
  while (at < octets.size()) {
    const size_t breaker = find_breaker(octets, at);
    line_ += breaker - at;
    if (line_ > line_max_) fail(DataFault::long_line);
    at = breaker;
    if (at == octets.size()) break;
    const bool is_cr = octets[at] == '\r';
    if (is_cr && at + 1 == octets.size()) {
      state_ = State::cr;
      return give(at + 1, octets.substr(0, at));
    }
    // What stands before a lone octet is a piece of its own.
    if (!is_cr || octets[at + 1] != '\n') {
      return at == 0 ? feed_lone(octets.front()) : give(at, octets.substr(0, at));
    }
    at += kLineEnd.size();
    end_line();
    if (at == octets.size() || octets[at] == '.') break;
    state_ = State::text;
  }
  return give(at, octets.substr(0, at));
}

DataDecoder::Piece DataDecoder::feed_lone(char octet) {
  if (octet == '\r') {
    fail(DataFault::bare_cr);
  } else {
    fail(octet == '\n' ? DataFault::bare_lf : DataFault::nul);
  }
  line_ = 0;
  return give(1, octet == '\0' ? std::string_view() : kLineEnd);
}

// The CR is taken already; the octet behind it is looked at again.
DataDecoder::Piece DataDecoder::lone_cr() {
  fail(DataFault::bare_cr);
  state_ = State::text;
  line_ = 0;
  return give(0, kLineEnd);
}

void DataDecoder::end_line() {
  if (line_ + kLineEnd.size() > line_max_) fail(DataFault::long_line);
  line_ = 0;
  state_ = State::line_start;
}

DataDecoder::Piece DataDecoder::give(size_t taken, std::string_view text) const {
  if (fault_ != DataFault::none) text = {};
  return {taken, text, is_done()};
}

void DataDecoder::fail(DataFault fault) {
  if (strictness_ == DataStrictness::refuse && fault_ == DataFault::none) fault_ = fault;
}

void DataDecoder::restart() {
  line_ = 0;
  state_ = State::line_start;
  fault_ = DataFault::none;
}

bool DataEncoder::feed(std::string_view text, std::string& out) {
  size_t at = 0;
  while (at < text.size() && state_ != State::failed) {
    if (state_ == State::cr) {
      state_ = text[at] == '\n' ? State::line_start : State::failed;
      if (state_ == State::line_start) out += kLineEnd;
      ++at;
      continue;
    }
    if (state_ == State::line_start && text[at] == '.') out += '.';
    const size_t breaker = find_breaker(text, at);
    out += text.substr(at, breaker - at);
    if (breaker != at) state_ = State::text;
    at = breaker + 1;
    if (breaker < text.size()) state_ = text[breaker] == '\r' ? State::cr : State::failed;
  }
  return state_ != State::failed;
}

bool DataEncoder::finish(std::string& out) {
  if (state_ == State::failed || state_ == State::cr) return false;
  if (state_ == State::text) out += kLineEnd;
  out += ".\r\n";
  state_ = State::line_start;
  return true;
}

}  // namespace postern::mail
