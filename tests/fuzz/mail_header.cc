// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any octets as the text of a message. At once or in pieces the header is the same,
// its bounds hold, its addresses are sound; what is text comes through the encoder and the decoder
// of DATA as it was, and what the repairing decoder makes of any octets is text.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "services/mail/message/address.h"
#include "services/mail/message/data.h"
#include "services/mail/message/header.h"

namespace mail = postern::mail;

namespace {

void demand_same_header(std::string_view text) {
  const mail::HeaderLimits limits = {1000, 20};
  mail::HeaderScanner whole(limits);
  whole.feed(text);
  whole.finish();
  mail::HeaderScanner pieces(limits);
  for (size_t at = 0; at < text.size();) {
    const size_t length = 1 + at % 7;
    pieces.feed(text.substr(at, length));
    at += length;
  }
  pieces.finish();
  POSTERN_ASSERT(whole.fields() == pieces.fields());
  POSTERN_ASSERT(whole.length() == pieces.length());
  POSTERN_ASSERT(whole.is_cut() == pieces.is_cut());
  POSTERN_ASSERT(whole.fields().size() <= limits.fields);
  POSTERN_ASSERT(whole.length() <= limits.header);
  for (const mail::HeaderField& field : whole.fields()) {
    POSTERN_ASSERT(!field.name.empty());
    POSTERN_ASSERT(field.value.find('\n') == std::string::npos);
    for (const mail::Address& address : whole.fields().addresses(field.name)) {
      POSTERN_ASSERT(address.local.size() <= mail::kLocalMax);
      POSTERN_ASSERT(!address.domain.empty());
      mail::Address again;
      const auto fault = mail::parse_mailbox(mail::to_text(address), true, again);
      // Quotes may make it longer than a path is, and controls of Unicode are not for paths.
      POSTERN_ASSERT(fault != mail::AddressFault::none || again == address);
    }
  }
}

std::string decode(std::string_view wire, mail::DataDecoder& decoder, size_t step) {
  std::string text;
  while (!wire.empty() && !decoder.is_done()) {
    std::string_view part = wire.substr(0, step);
    while (!part.empty() && !decoder.is_done()) {
      const mail::DataDecoder::Piece piece = decoder.feed(part);
      text += piece.text;
      part.remove_prefix(piece.taken);
      wire.remove_prefix(piece.taken);
    }
  }
  return text;
}

void demand_round(std::string_view text) {
  mail::DataEncoder encoder;
  std::string wire;
  if (!encoder.feed(text, wire) || !encoder.finish(wire)) return;
  mail::DataDecoder decoder(100000);
  std::string back = decode(wire, decoder, wire.size());
  POSTERN_ASSERT(decoder.is_done());
  POSTERN_ASSERT(decoder.fault() == mail::DataFault::none);
  POSTERN_ASSERT(back == text || back == std::string(text) + "\r\n");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(data, data + size);
  demand_same_header(text);
  demand_round(text);
  mail::DataDecoder repair(1000, mail::DataStrictness::repair);
  const std::string repaired = decode(text, repair, text.size());
  mail::DataDecoder slow(1000, mail::DataStrictness::repair);
  POSTERN_ASSERT(decode(text, slow, 1) == repaired);
  POSTERN_ASSERT(slow.is_done() == repair.is_done());
  if (repair.is_done()) {
    mail::DataEncoder encoder;
    std::string wire;
    POSTERN_ASSERT(encoder.feed(repaired, wire));
    POSTERN_ASSERT(encoder.finish(wire));
  }
  std::vector<mail::Address> list;
  mail::parse_address_list(text, list);
  POSTERN_ASSERT(list.size() <= mail::kHeaderAddressesMax);
  return 0;
}
