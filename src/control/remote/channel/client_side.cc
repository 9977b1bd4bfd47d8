// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "control/admin/protocol.h"
#include "control/remote/channel/derive.h"

namespace postern::remote {
namespace {

void append_text(std::string& to, std::string_view text) {
  to += static_cast<char>(text.size() >> 8);
  to += static_cast<char>(text.size());
  to += text;
}

template <size_t kSize>
void append_octets(std::string& to, const std::array<uint8_t, kSize>& octets) {
  to.append(octets.begin(), octets.end());
}

}  // namespace

ClientSide::ClientSide() {
  const auto head = hello_head();
  hello_.assign(head.begin(), head.end());
  hello_.insert(hello_.end(), exchange_.own_public.begin(), exchange_.own_public.end());
  out_ = hello_;
}

size_t ClientSide::wanted() const {
  switch (state_) {
    case State::head:
      return kHelloHead;
    case State::hello:
      return kServerHello - kHelloHead;
    case State::verdict:
    case State::open:
      return channel_->opener.wanted();
    case State::choosing:
    case State::closed:
      break;
  }
  return 0;
}

ClientSide::Step ClientSide::break_off(const char* why) {
  state_ = State::closed;
  why_ = why;
  return Step::broken;
}

ClientSide::Step ClientSide::take(Bytes octets) {
  if (wanted() == 0 || octets.size() != wanted()) return break_off("it ends too early");
  if (state_ == State::head) return take_head(octets);
  if (state_ == State::hello) return take_hello(octets);
  switch (channel_->opener.take(octets)) {
    case Opener::Step::more:
      return Step::more;
    case Opener::Step::message:
      return state_ == State::verdict ? take_verdict() : Step::message;
    case Opener::Step::ended:
      if (state_ == State::verdict) break;
      state_ = State::closed;
      return Step::ended;
    case Opener::Step::broken:
      break;
  }
  return break_off("what came was changed on the way");
}

ClientSide::Step ClientSide::take_head(Bytes octets) {
  if (!std::ranges::equal(octets.first(kMagic.size()), kMagic,
                          [](uint8_t a, char b) { return a == static_cast<uint8_t>(b); })) {
    return break_off("what listens there is no posternd");
  }
  if (octets.back() != kVersion) {
    break_off("");
    why_ = fmt::format(
        "it speaks version {} of the protocol and this postern version {}; use the postern of "
        "that gateway",
        unsigned{octets.back()}, unsigned{kVersion});
    return Step::broken;
  }
  server_hello_.assign(octets.begin(), octets.end());
  state_ = State::hello;
  return Step::more;
}

ClientSide::Step ClientSide::take_hello(Bytes octets) {
  server_hello_.insert(server_hello_.end(), octets.begin(), octets.end());
  const Bytes whole(server_hello_);
  PublicKey ephemeral = {};
  Signature signature = {};
  std::copy_n(whole.data() + kHelloHead, ephemeral.size(), ephemeral.begin());
  std::copy_n(whole.data() + kHelloHead + 32, server_key_.size(), server_key_.begin());
  std::copy_n(whole.data() + kServerHelloSigned, signature.size(), signature.begin());
  transcript_ = transcript_of(hello_, whole.first(kServerHelloSigned));
  auto keys = derive(exchange_, ephemeral, transcript_);
  exchange_.own_secret = Secret<32>();
  if (!keys || !verify(server_key_, text_signed_by_server(transcript_), signature)) {
    return break_off("it does not prove that its key is its own");
  }
  Sealer sealer(keys->to_server);
  out_.insert(out_.end(), sealer.header().begin(), sealer.header().end());
  Opener opener(keys->to_client, {1, false, 0});
  channel_ = Channel{std::move(sealer), std::move(opener)};
  binding_ = std::move(keys->binding);
  state_ = State::choosing;
  return Step::hello;
}

void ClientSide::log_in(const SigningKey& key, std::string_view name) {
  std::string text(1, static_cast<char>(Method::key));
  append_text(text, name.substr(0, kNameMax));
  append_octets(text, key.public_key());
  append_octets(text, key.sign(text_signed_by_client(transcript_, binding_,
                                                     name.substr(0, kNameMax), key.public_key())));
  send_log_in(text);
}

void ClientSide::log_in(std::string_view name, std::string_view password) {
  std::string text(1, static_cast<char>(Method::password));
  text.reserve(8 + kNameMax + kPasswordMax);  // grows without leaving copies behind
  append_text(text, name.substr(0, kNameMax));
  append_text(text, password.substr(0, kPasswordMax));
  send_log_in(text);
}

void ClientSide::send_log_in(std::string& text) {
  POSTERN_ASSERT(state_ == State::choosing);
  channel_->sealer.seal(text, true, out_, kLogInClass);
  wipe(text);
  state_ = State::verdict;
}

ClientSide::Step ClientSide::take_verdict() {
  const std::string& text = channel_->opener.text();
  if (text.size() != 1) return break_off("its verdict is not understood");
  verdict_ = static_cast<Verdict>(text[0]);
  state_ = verdict_ == Verdict::welcome ? State::open : State::closed;
  channel_->opener.set_limits({admin::kResponseMax});
  return Step::verdict;
}

void ClientSide::send(std::string_view request) {
  if (state_ == State::open) channel_->sealer.seal(request, true, out_);
}

void ClientSide::send_end() {
  if (state_ == State::open) channel_->sealer.seal_end(out_);
}

}  // namespace postern::remote
