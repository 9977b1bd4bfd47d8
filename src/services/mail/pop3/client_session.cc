// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/pop3/client_session.h"

#include <utility>

#include "services/mail/message/address.h"
#include "services/mail/message/octets.h"

namespace postern::mail {
namespace {

constexpr size_t kWordsMax = 200;  // octets of what a server says that are told

// What a server says, for a log.
std::string words_of(std::string_view text) {
  std::string out(trim(text).substr(0, kWordsMax));
  for (char& octet : out) {
    if (is_control(octet) || is_high(octet)) octet = '?';
  }
  return out;
}

}  // namespace

void Pop3Client::begin(bool is_secure) {
  is_secure_ = is_secure;
  state_ = State::greeting;
}

void Pop3Client::take(std::string_view octets) {
  while (!octets.empty() && state_ != State::over && state_ != State::handshake) {
    if (state_ == State::text) {
      octets.remove_prefix(take_text(octets));
      continue;
    }
    const LineReader::Piece piece = lines_.feed(octets);
    octets.remove_prefix(piece.taken);
    if (piece.step == LineStep::line) {
      take_line(piece.line);
    } else if (piece.step != LineStep::more) {
      return end(ErrorCode::invalid, "the server sends a line that is too long, or is none");
    }
  }
}

size_t Pop3Client::take_text(std::string_view octets) {
  const DataDecoder::Piece piece = decoder_.feed(octets);
  if (!piece.text.empty()) host_.text(piece.text);
  if (piece.is_done && state_ == State::text) {
    state_ = State::waiting;
    host_.retrieved({});
  }
  return piece.taken;
}

void Pop3Client::take_line(std::string_view line) {
  switch (state_) {
    case State::offers_list:
      return take_offer(line);
    case State::list_lines:
    case State::uidl_lines:
      return take_listed(line);
    case State::sasl:
    case State::sasl_response:
      if (line.starts_with('+') && !same_word(line.substr(0, 3), "+OK")) return take_challenge();
      break;
    case State::waiting:
    case State::token:
      // Servers say why before they close.
      return end(ErrorCode::unavailable, "the server says unasked: " + words_of(line));
    default:
      break;
  }
  const bool is_ok = same_word(line.substr(0, 3), "+OK");
  const bool is_no = same_word(line.substr(0, 4), "-ERR");
  if (!is_ok && !is_no) {
    return end(ErrorCode::invalid, "the server does not speak POP3: " + words_of(line));
  }
  take_answer({is_ok, trim(line.substr(is_ok ? 3 : 4))});
}

void Pop3Client::take_answer(const Answer& answer) {
  switch (state_) {
    case State::greeting:
      if (!answer.is_ok) return refused("the server does not want us now", answer.text);
      return ask_offers();
    case State::offers:
      if (!answer.is_ok) return opened();
      offer_lines_ = 0;
      state_ = State::offers_list;
      return;
    case State::stls:
      if (!answer.is_ok) return refused("the server does not begin TLS", answer.text);
      // What came with the answer is dropped, here and by the connection (RFC 2595 section 4).
      state_ = State::handshake;
      return host_.start_tls();
    case State::user:
    case State::password:
    case State::sasl:
    case State::sasl_response:
      return take_login(answer);
    case State::stat:
      return take_stat(answer);
    default:
      return take_transaction(answer);
  }
}

void Pop3Client::take_stat(const Answer& answer) {
  if (!answer.is_ok) return refused("the server does not tell what it has", answer.text);
  if (answer.text == "0" || answer.text.starts_with("0 ")) return give_listing();
  say("LIST", State::list);
}

void Pop3Client::take_transaction(const Answer& answer) {
  const Result<void> outcome =
      answer.is_ok ? Result<void>() : Error{ErrorCode::failed, words_of(answer.text)};
  switch (state_) {
    case State::list:
      if (!answer.is_ok) return refused("the server does not list its messages", answer.text);
      state_ = State::list_lines;
      return;
    case State::uidl:
      // RFC1939-7: it is an option.
      if (!answer.is_ok) return give_listing();
      state_ = State::uidl_lines;
      return;
    case State::retrieve:
      decoder_.restart();
      state_ = answer.is_ok ? State::text : State::waiting;
      if (!answer.is_ok) host_.retrieved(outcome);
      return;
    case State::remove:
      state_ = State::waiting;
      return host_.removed(outcome);
    default:
      if (!answer.is_ok) return refused("the server has not removed all", answer.text);
      return end({});
  }
}

void Pop3Client::take_listed(std::string_view line) {
  const bool is_uidl = state_ == State::uidl_lines;
  if (line != ".") {
    if (!(is_uidl ? listing_.add_uid(line) : listing_.add(line)))
      end(ErrorCode::invalid, "the list makes no sense, or is too long: " + words_of(line));
    return;
  }
  if (is_uidl) return give_listing();
  if (!listing_.finish()) return end(ErrorCode::invalid, "the list has a message twice");
  if (listing_.messages().empty()) return give_listing();
  say("UIDL", State::uidl);
}

void Pop3Client::give_listing() {
  state_ = State::waiting;
  host_.listed(std::move(listing_));
}

void Pop3Client::retrieve(uint32_t number) {
  if (state_ != State::waiting) return;
  say("RETR " + std::to_string(number), State::retrieve);
}

void Pop3Client::remove(uint32_t number) {
  if (state_ != State::waiting) return;
  say("DELE " + std::to_string(number), State::remove);
}

void Pop3Client::quit() {
  if (state_ != State::waiting) return;
  say("QUIT", State::quit);
}

void Pop3Client::lost(const std::string& why) {
  end(ErrorCode::unavailable, why);
}

void Pop3Client::say(const std::string& command, State next) {
  state_ = next;
  host_.send(command + "\r\n");
}

void Pop3Client::refused(const std::string& what, std::string_view words) {
  const std::string said = words_of(words);
  end(ErrorCode::failed, said.empty() ? what : what + ": " + said);
}

void Pop3Client::end(const Result<void>& outcome) {
  if (std::exchange(state_, State::over) == State::over) return;
  token_.clear();
  host_.over(outcome);
}

}  // namespace postern::mail
