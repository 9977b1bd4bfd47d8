// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any octets as a chunked body, the first of them as the size of the pieces in which
// the others come. In one piece or in many it is the same body; what is decoded and encoded again
// is decoded to the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "services/http/message/chunked.h"

namespace http = postern::http;

namespace {

struct Decoded {
  std::string data;
  http::Step step = http::Step::more;
  std::string_view reason;
  size_t taken = 0;
  size_t trailer_fields = 0;
};

Decoded decode(std::string_view text, size_t piece_max) {
  http::ChunkedDecoder decoder;
  Decoded decoded;
  while (decoded.taken < text.size() && decoded.step == http::Step::more) {
    const std::string_view fed = text.substr(decoded.taken, piece_max);
    const http::ChunkedDecoder::Piece piece = decoder.feed(fed);
    POSTERN_ASSERT(piece.taken > 0 && piece.taken <= fed.size());
    POSTERN_ASSERT(piece.data.empty() || piece.data.data() >= fed.data());
    POSTERN_ASSERT(piece.data.empty() ||
                   piece.data.data() + piece.data.size() <= fed.data() + piece.taken);
    decoded.data += piece.data;
    decoded.taken += piece.taken;
    decoded.step = piece.step;
  }
  decoded.reason = decoder.refusal().reason;
  decoded.trailer_fields = decoder.trailer().size();
  return decoded;
}

void demand_same(const Decoded& one, const Decoded& other) {
  POSTERN_ASSERT(one.data == other.data);
  POSTERN_ASSERT(one.step == other.step);
  POSTERN_ASSERT(one.reason == other.reason);
  POSTERN_ASSERT(one.taken == other.taken);
  POSTERN_ASSERT(one.trailer_fields == other.trailer_fields);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(data + 1, data + size);
  const Decoded whole = decode(text, text.size());
  demand_same(whole, decode(text, 1));
  demand_same(whole, decode(text, size_t{1} + data[0]));
  POSTERN_ASSERT((whole.step == http::Step::refused) == !whole.reason.empty());
  POSTERN_ASSERT(whole.trailer_fields <= http::kTrailerFieldsMax);
  if (whole.data.empty()) return 0;
  std::string encoded(http::ChunkHeader(whole.data.size()).text());
  encoded += whole.data;
  encoded += http::kChunkEnd;
  encoded += http::kLastChunk;
  const Decoded again = decode(encoded, encoded.size());
  POSTERN_ASSERT(again.step == http::Step::done);
  POSTERN_ASSERT(again.data == whole.data);
  POSTERN_ASSERT(again.taken == encoded.size());
  return 0;
}
