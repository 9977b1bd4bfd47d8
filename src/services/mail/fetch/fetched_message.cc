// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/fetch/fetched_message.h"

#include <algorithm>
#include <array>

#include "services/mail/message/address.h"
#include "services/mail/message/date.h"
#include "services/mail/message/octets.h"

namespace postern::mail {

std::string fetched_field(const FetchedFacts& facts, const std::string& id) {
  const std::string address = '[' + to_text(facts.address) + ']';
  const bool is_name = is_host(facts.server) && !parse_ipv4(facts.server);
  std::string out = "Received: from " + (is_name ? facts.server : address);
  out += " (" + address + ")\r\n";
  if (!facts.tls.empty()) out += "\t(using " + facts.tls + ")\r\n";
  out += "\tby " + facts.host + " with POP3 id " + id + "\r\n";
  return out + "\t; " + to_date(facts.time_s, facts.zone_min) + "\r\n";
}

FetchedMessage::FetchedMessage(std::unique_ptr<Incoming> incoming, uint64_t octets_max)
    : incoming_(std::move(incoming)), number_(incoming_->number()), octets_max_(octets_max) {
  crypto_hash_sha256_init(&hashing_);
  crypto_hash_sha256_init(&body_hashing_);
}

std::unique_ptr<FetchedMessage> FetchedMessage::begin(Queue& queue, uint64_t octets,
                                                      uint64_t octets_max,
                                                      const FetchedFacts& facts) {
  auto incoming = queue.begin(octets);
  if (!incoming) return nullptr;
  if (!incoming->append(fetched_field(facts, to_queue_id(incoming->number())))) return nullptr;
  return std::unique_ptr<FetchedMessage>(new FetchedMessage(std::move(incoming), octets_max));
}

bool FetchedMessage::feed(std::string_view text) {
  octets_ += text.size();
  if (is_too_large()) return false;
  header_.feed(text);
  is_8bit_ = is_8bit_ || std::any_of(text.begin(), text.end(), is_high);
  crypto_hash_sha256_update(&hashing_, reinterpret_cast<const unsigned char*>(text.data()),
                            text.size());
  feed_body(text);
  return incoming_->append(text);
}

// The body begins behind the first empty line, however the text comes in pieces.
void FetchedMessage::feed_body(std::string_view text) {
  size_t at = 0;
  for (; at < text.size() && !is_body_; ++at) {
    is_body_ = text[at] == '\n' && is_line_empty_;
    is_line_empty_ = text[at] == '\n' || (is_line_empty_ && text[at] == '\r');
  }
  text.remove_prefix(at);
  crypto_hash_sha256_update(&body_hashing_, reinterpret_cast<const unsigned char*>(text.data()),
                            text.size());
}

void FetchedMessage::finish() {
  header_.finish();
  std::array<unsigned char, crypto_hash_sha256_BYTES> octets = {};
  crypto_hash_sha256_final(&hashing_, octets.data());
  std::array<char, 2 * crypto_hash_sha256_BYTES + 1> text = {};
  sodium_bin2hex(text.data(), text.size(), octets.data(), octets.size());
  hash_ = text.data();
  for (const std::string_view name : {"Date", "From", "Subject"}) {
    const std::string value = std::string(header_.fields().find(name)) + '\0';
    crypto_hash_sha256_update(&body_hashing_, reinterpret_cast<const unsigned char*>(value.data()),
                              value.size());
  }
  content_.resize(crypto_hash_sha256_BYTES);
  crypto_hash_sha256_final(&body_hashing_, reinterpret_cast<unsigned char*>(content_.data()));
}

}  // namespace postern::mail
