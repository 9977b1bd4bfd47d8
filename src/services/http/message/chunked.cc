// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/message/chunked.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "services/http/message/head.h"
#include "services/http/message/octets.h"

namespace postern::http {
namespace {

constexpr uint16_t kBadRequest = 400;
// Leading zeros are allowed, without end they are not.
constexpr size_t kSizeDigitsMax = 32;
constexpr uint64_t kChunkMax = std::numeric_limits<int64_t>::max();

}  // namespace

void ChunkedDecoder::restart() {
  state_ = State::size_first;
  left_ = 0;
  digits_ = extensions_ = 0;
  lines_.clear();
  trailer_.clear();
  refusal_ = {};
}

ChunkedDecoder::Piece ChunkedDecoder::feed(std::string_view octets) {
  Piece piece;
  while (piece.taken < octets.size() && state_ != State::done && state_ != State::refused) {
    if (state_ != State::data) {
      take(octets[piece.taken++]);
      continue;
    }
    const auto size = static_cast<size_t>(std::min<uint64_t>(left_, octets.size() - piece.taken));
    piece.data = octets.substr(piece.taken, size);
    piece.taken += size;
    left_ -= size;
    if (left_ == 0) state_ = State::data_cr;
    break;
  }
  if (state_ == State::done) piece.step = Step::done;
  if (state_ == State::refused) piece.step = Step::refused;
  return piece;
}

void ChunkedDecoder::take(char octet) {
  switch (state_) {
    case State::size_first:
    case State::size:
      return take_size(octet);
    case State::space:
    case State::extension:
      return take_extension(octet);
    case State::size_lf:
      return expect(octet, '\n', left_ == 0 ? State::trailer_first : State::data);
    case State::data_cr:
      return expect(octet, '\r', State::data_lf);
    case State::data_lf:
      digits_ = 0;
      return expect(octet, '\n', State::size_first);
    case State::trailer_first:
    case State::trailer_line:
    case State::trailer_lf:
      return take_trailer(octet);
    case State::end_lf:
      expect(octet, '\n', State::done);
      if (state_ == State::done) finish();
      return;
    case State::data:
    case State::done:
    case State::refused:
      return;
  }
}

void ChunkedDecoder::take_size(char octet) {
  if (is_of(octet, kHexOctet)) {
    state_ = State::size;
    // RFC9112-7.1: no size that does not fit.
    if (left_ > kChunkMax >> 4 || ++digits_ > kSizeDigitsMax) return refuse("chunk_size");
    left_ = left_ << 4 | hex_value(octet);
    return;
  }
  const bool is_extended = octet == ';' || octet == ' ' || octet == '\t';
  if (state_ == State::size_first || (octet != '\r' && !is_extended)) return refuse("chunk_size");
  if (octet == '\r') {
    state_ = State::size_lf;
    return;
  }
  state_ = octet == ';' ? State::extension : State::space;
  count_extension();
}

// White space before the ';' is bad, but to be put up with (RFC9112-7.1.1); before the end
// of the line it is neither extension nor size.
void ChunkedDecoder::take_extension(char octet) {
  if (state_ == State::space) {
    if (octet == ';') {
      state_ = State::extension;
    } else if (octet != ' ' && octet != '\t') {
      return refuse("chunk_size");
    }
  } else if (octet == '\r') {
    state_ = State::size_lf;
    return;
  } else if (is_control(octet)) {
    return refuse("chunk_extension");
  }
  count_extension();
}

void ChunkedDecoder::count_extension() {
  if (++extensions_ > kExtensionsMax) refuse("chunk_extensions");
}

void ChunkedDecoder::take_trailer(char octet) {
  if (state_ == State::trailer_first && octet == '\r') {
    state_ = State::end_lf;
    return;
  }
  if (lines_.size() == kTrailerMax) return refuse("trailer_too_large");
  lines_ += octet;
  if (state_ == State::trailer_lf) {
    expect(octet, '\n', State::trailer_first);
  } else if (octet == '\n') {
    refuse("bare_lf");
  } else {
    state_ = octet == '\r' ? State::trailer_lf : State::trailer_line;
  }
}

void ChunkedDecoder::expect(char octet, char expected, State next) {
  if (octet == expected) {
    state_ = next;
  } else {
    refuse("chunk_line_end");
  }
}

void ChunkedDecoder::finish() {
  if (const Refusal refusal = parse_field_lines(lines_, kTrailerFieldsMax, trailer_)) {
    refuse(refusal.reason);
  }
}

void ChunkedDecoder::refuse(std::string_view reason) {
  state_ = State::refused;
  refusal_ = {kBadRequest, reason};
}

ChunkHeader::ChunkHeader(uint64_t size) : first_(text_.size()) {
  POSTERN_ASSERT(size > 0);
  text_[--first_] = '\n';
  text_[--first_] = '\r';
  for (; size > 0; size >>= 4)
    text_[--first_] = "0123456789abcdef"[size & 0xf];
}

}  // namespace postern::http
