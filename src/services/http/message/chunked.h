// SPDX-License-Identifier: BSD-3-Clause
// The chunked transfer coding (RFC 9112 section 7.1): a decoder into which the octets are pushed as
// they come, and the little text that the encoder needs.
//
//   while (!octets.empty()) {
//     const ChunkedDecoder::Piece piece = decoder.feed(octets);
//     use(piece.data);                        // a view into `octets`
//     octets.remove_prefix(piece.taken);
//     if (piece.step != Step::more) break;    // done: what is left belongs to the next message
//   }
//
// Strict: CRLF alone ends lines, sizes are hexadecimal digits without sign, prefix or space, and
// CRLF follows the data of a chunk. Extensions are checked for control octets and dropped.
//
// Bounds: a chunk is at most 2^63-1 octets, extensions kExtensionsMax octets in all the body (else
// a body of one-octet chunks with long extensions costs a thousandfold), trailer lines kTrailerMax
// octets and kTrailerFieldsMax fields. Thread: any; nothing is shared.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "services/http/message/fields.h"
#include "services/http/message/outcome.h"

namespace postern::http {

constexpr size_t kExtensionsMax = 16384;
constexpr size_t kTrailerMax = 8192;
constexpr size_t kTrailerFieldsMax = 32;

class ChunkedDecoder {
 public:
  struct Piece {
    size_t taken = 0;       // so many octets are dealt with; 0 only behind done and refused
    std::string_view data;  // the last of them that are body; may be empty
    Step step = Step::more;
  };

  // Goes on to the end of the next piece of data, or of the body, or of `octets`.
  Piece feed(std::string_view octets);
  void restart();

  // done: the trailer fields, as views into this decoder until restart(). Framing fields and the
  // like among them mean nothing (RFC 9110 section 6.5.1): they may be dropped, never merged.
  const Fields& trailer() const { return trailer_; }
  // refused: 400; whoever decodes a response makes it 502.
  Refusal refusal() const { return refusal_; }

 private:
  enum class State : uint8_t {
    size_first,
    size,
    space,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_first,
    trailer_line,
    trailer_lf,
    end_lf,
    done,
    refused,
  };

  void take(char octet);
  void take_size(char octet);
  void take_extension(char octet);
  void take_trailer(char octet);
  void expect(char octet, char expected, State next);
  void count_extension();
  void refuse(std::string_view reason);
  void finish();

  State state_ = State::size_first;
  uint64_t left_ = 0;      // of the size that is read or of the chunk
  size_t digits_ = 0;      // of the size
  size_t extensions_ = 0;  // octets, all chunks
  std::string lines_;      // of the trailer
  Fields trailer_;
  Refusal refusal_;
};

// The text before the data of a chunk: size and CRLF. Behind the data comes kChunkEnd.
class ChunkHeader {
 public:
  // `size` is not 0: that would end the body.
  explicit ChunkHeader(uint64_t size);
  std::string_view text() const { return {text_.data() + first_, text_.size() - first_}; }

 private:
  std::array<char, 18> text_ = {};
  size_t first_ = 0;
};

constexpr std::string_view kChunkEnd = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";  // ends a body without trailer fields

}  // namespace postern::http
