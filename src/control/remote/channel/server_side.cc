// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "base/assert.h"
#include "control/admin/protocol.h"
#include "control/remote/channel/derive.h"

namespace postern::remote {
namespace {

constexpr size_t kLogInMax = 1000;  // octets of the log-in record that may be used

// Takes `size` octets off the front; nothing where there are fewer.
std::optional<std::string_view> cut(std::string_view& text, size_t size) {
  if (text.size() < size) return std::nullopt;
  std::string_view front = text.substr(0, size);
  text.remove_prefix(size);
  return front;
}

// A text with its length in front: two octets, at most `max`.
std::optional<std::string_view> cut_text(std::string_view& text, size_t max) {
  auto head = cut(text, 2);
  if (!head) return std::nullopt;
  const size_t size =
      size_t{static_cast<uint8_t>((*head)[0])} << 8 | static_cast<uint8_t>((*head)[1]);
  if (size > max) return std::nullopt;
  return cut(text, size);
}

}  // namespace

size_t ServerSide::wanted() const {
  switch (state_) {
    case State::hello:
      return kClientHello;
    case State::log_in:
    case State::open:
      return channel_->opener.wanted();
    case State::deciding:
    case State::closed:
      break;
  }
  return 0;
}

ServerSide::Step ServerSide::break_off() {
  state_ = State::closed;
  return Step::broken;
}

ServerSide::Step ServerSide::take(Bytes octets) {
  if (wanted() == 0 || octets.size() != wanted()) return break_off();
  if (state_ == State::hello) return take_hello(octets);
  switch (channel_->opener.take(octets)) {
    case Opener::Step::more:
      return Step::more;
    case Opener::Step::message:
      return state_ == State::log_in ? take_log_in() : Step::message;
    case Opener::Step::ended:
      if (state_ == State::log_in) return break_off();
      send_end();
      return Step::ended;
    case Opener::Step::broken:
      break;
  }
  return break_off();
}

ServerSide::Step ServerSide::take_hello(Bytes octets) {
  const auto head = hello_head();
  out_.assign(head.begin(), head.end());
  // Of another version: ours is told, and nothing else is done for it.
  if (!std::ranges::equal(octets.first(kHelloHead), head)) return break_off();
  PublicKey client_key = {};
  std::copy_n(octets.data() + kHelloHead, client_key.size(), client_key.begin());
  KeyExchange exchange;
  out_.insert(out_.end(), exchange.own_public.begin(), exchange.own_public.end());
  out_.insert(out_.end(), key_.public_key().begin(), key_.public_key().end());
  transcript_ = transcript_of(octets, out_);
  auto keys = derive(exchange, client_key, transcript_);
  if (!keys) {
    out_.clear();
    return break_off();
  }
  const Signature signature = key_.sign(text_signed_by_server(transcript_));
  out_.insert(out_.end(), signature.begin(), signature.end());
  Sealer sealer(keys->to_client);
  out_.insert(out_.end(), sealer.header().begin(), sealer.header().end());
  Opener opener(keys->to_server, {kLogInMax, false, kLogInClass});
  channel_ = Channel{std::move(sealer), std::move(opener)};
  binding_ = std::move(keys->binding);
  state_ = State::log_in;
  return Step::more;
}

ServerSide::Step ServerSide::take_log_in() {
  std::string& text = channel_->opener.text();
  const bool is_sound = read_log_in(text);
  wipe(text);
  if (!is_sound) return break_off();
  state_ = State::deciding;
  return Step::log_in;
}

// A signature that is wrong ends it here, before anybody is looked up.
bool ServerSide::read_log_in(std::string_view text) {
  auto method = cut(text, 1);
  auto name = cut_text(text, kNameMax);
  if (!method || !name) return false;
  log_in_.name = *name;
  log_in_.method = static_cast<Method>((*method)[0]);
  if (log_in_.method == Method::password) {
    auto password = cut_text(text, kPasswordMax);
    if (!password) return false;
    log_in_.password = *password;
    return text.empty();
  }
  auto key = cut(text, log_in_.key.size());
  Signature signature = {};
  auto given = cut(text, signature.size());
  if (log_in_.method != Method::key || !key || !given || !text.empty()) return false;
  std::copy(key->begin(), key->end(), log_in_.key.begin());
  std::copy(given->begin(), given->end(), signature.begin());
  return verify(log_in_.key,
                text_signed_by_client(transcript_, binding_, log_in_.name, log_in_.key), signature);
}

void ServerSide::decide(Verdict verdict) {
  POSTERN_ASSERT(state_ == State::deciding);
  const char octet = static_cast<char>(verdict);
  channel_->sealer.seal({&octet, 1}, true, out_);
  wipe(log_in_.password);
  state_ = State::open;
  if (verdict != Verdict::welcome) return send_end();
  channel_->opener.set_limits({admin::kRequestMax});
}

void ServerSide::send(std::string_view part, bool is_last) {
  if (state_ == State::open) channel_->sealer.seal(part, is_last, out_);
}

void ServerSide::send_end() {
  if (state_ != State::open) return;
  channel_->sealer.seal_end(out_);
  state_ = State::closed;
}

}  // namespace postern::remote
