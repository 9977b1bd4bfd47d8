// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/upload.h"

#include <algorithm>

namespace postern::http {

void Upload::begin(const Framing& framing, uint64_t bytes_max) {
  framing_ = framing;
  left_ = framing.body == Body::length ? framing.length : 0;
  bytes_ = 0;
  bytes_max_ = bytes_max;
  chunks_.restart();
  const bool has_body = framing.body == Body::chunked || left_ != 0;
  state_ = has_body ? State::more : State::done;
  if (left_ > bytes_max) {
    bytes_ = left_;
    state_ = State::refused;
  }
}

Upload::State Upload::take(std::string_view octets, size_t& taken, std::string& out) {
  taken = 0;
  if (state_ != State::more) return state_;
  if (framing_.body == Body::chunked) return take_chunks(octets, taken, out);
  taken = static_cast<size_t>(std::min<uint64_t>(left_, octets.size()));
  out += octets.substr(0, taken);
  left_ -= taken;
  bytes_ += taken;
  if (left_ == 0) state_ = State::done;
  return state_;
}

Upload::State Upload::take_chunks(std::string_view octets, size_t& taken, std::string& out) {
  while (taken < octets.size() && state_ == State::more) {
    const ChunkedDecoder::Piece piece = chunks_.feed(octets.substr(taken));
    taken += piece.taken;
    bytes_ += piece.data.size();
    if (!piece.data.empty()) {
      out += ChunkHeader(piece.data.size()).text();
      out += piece.data;
      out += kChunkEnd;
    }
    if (piece.step == Step::refused || bytes_ > bytes_max_) {
      state_ = State::refused;
    } else if (piece.step == Step::done) {
      out += kLastChunk;
      state_ = State::done;
    }
  }
  return state_;
}

}  // namespace postern::http
