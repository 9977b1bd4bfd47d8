// SPDX-License-Identifier: BSD-3-Clause
// The TRANSACTION state of Pop3Session (RFC 1939 section 5). Messages count from 1.
#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "services/mail/pop3/server_command.h"
#include "services/mail/pop3/server_session.h"

namespace postern::mail {
namespace {

bool read_number(std::string_view text, uint64_t& number) {
  const char* end = text.data() + text.size();
  const auto done = std::from_chars(text.data(), end, number);
  return !text.empty() && done.ec == std::errc() && done.ptr == end;
}

}  // namespace

void Pop3Session::handle_transaction(const Command& command) {
  if (command.word == "STAT") return stat();
  if (command.word == "LIST") return list(command, false);
  if (command.word == "UIDL") return list(command, true);
  if (command.word == "RETR") return retrieve(command, false);
  if (command.word == "TOP") return retrieve(command, true);
  if (command.word == "DELE") return mark(command);
  if (command.word == "RSET") {
    unmark();
    return ok("");
  }
  fault("no such command here");
}

void Pop3Session::stat() {
  ok(fmt::format("{} {}", left_, left_octets_));
}

void Pop3Session::unmark() {
  if (left_ == messages_.size()) return;
  for (Marked& one : messages_) {
    if (std::exchange(one.is_deleted, false)) left_octets_ += one.message.octets;
  }
  left_ = messages_.size();
  turn_ = 0;
}

Pop3Session::Marked* Pop3Session::find(std::string_view text) {
  uint64_t number = 0;
  if (!read_number(text, number) || number == 0 || number > messages_.size()) return nullptr;
  Marked& found = messages_[number - 1];
  return found.is_deleted ? nullptr : &found;
}

std::string Pop3Session::line_of(size_t at) const {
  const MailboxMessage& message = messages_[at].message;
  return is_uidl_ ? fmt::format("{} {}", at + 1, message.unique)
                  : fmt::format("{} {}", at + 1, message.octets);
}

void Pop3Session::list(const Command& command, bool is_uidl) {
  is_uidl_ = is_uidl;
  if (command.count() > 0) {
    const Marked* found = find(command.argument(0));
    if (found == nullptr) return refuse("no such message");
    return ok(line_of(static_cast<size_t>(found - messages_.data())));
  }
  ok("");
  listed_ = 0;
  turn_ = 0;
  state_ = State::listing;
  go_on_listing();
}

void Pop3Session::go_on_listing() {
  std::string text;
  for (; listed_ < messages_.size() && text.size() < kPiece; ++listed_) {
    if (!messages_[listed_].is_deleted) text += line_of(listed_) + "\r\n";
  }
  if (listed_ == messages_.size()) {
    text += ".\r\n";
    state_ = State::transaction;
  }
  host_.send(text);
}

void Pop3Session::drained() {
  if (is_closed_) return;
  if (state_ == State::listing) go_on_listing();
  work();
}

void Pop3Session::retrieve(const Command& command, bool is_top) {
  const Marked* found = find(command.argument(0));
  if (found == nullptr) return refuse("no such message");
  std::optional<uint64_t> lines;
  if (is_top) {
    uint64_t wanted = 0;
    if (!read_number(command.argument(1), wanted)) return fault("TOP message lines");
    lines = wanted;
  }
  sending_ = static_cast<size_t>(found - messages_.data());
  state_ = State::waiting;
  host_.send_message(found->message, lines);
}

// The host has said +OK or -ERR itself: it knows whether the file can be read.
void Pop3Session::message_sent(bool is_whole) {
  if (is_closed_) return;
  state_ = State::transaction;
  if (is_whole) {
    ++counters_.messages;
    counters_.octets += messages_[sending_].message.octets;
  }
  work();
}

void Pop3Session::mark(const Command& command) {
  Marked* found = find(command.argument(0));
  if (found == nullptr) return refuse("no such message");
  found->is_deleted = true;
  --left_;
  left_octets_ -= found->message.octets;
  ok("");
}

}  // namespace postern::mail
