// SPDX-License-Identifier: BSD-3-Clause
// Answers of HTTP/1.x (RFC 9112) as far as a client of one page needs them, read piece by piece.
// Boost.Beast reads. What does not say where it ends (RFC 9112 section 6.3) is refused: nobody
// could tell whether it was cut off.
//
// Bounds: kAnswerHeadMax octets of header, kAnswerBodyMax of body. Thread: any.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern::cli {

constexpr size_t kAnswerHeadMax = 16384;
constexpr size_t kAnswerBodyMax = 65536;

struct Answer {
  unsigned status = 0;
  std::string location;              // where it sends the browser; empty: nowhere
  std::vector<std::string> cookies;  // values of the Set-Cookie headers
  std::string body;
};

class AnswerReader {
 public:
  enum class State { more, done, refused };

  AnswerReader();
  ~AnswerReader();
  AnswerReader(const AnswerReader&) = delete;
  AnswerReader& operator=(const AnswerReader&) = delete;

  // Takes what came. After `done` or `refused` nothing more is looked at.
  State feed(std::string_view octets);
  // done: what was answered.
  const Answer& answer() const { return answer_; }
  // refused: what is wrong with it.
  const char* why() const { return why_; }

 private:
  struct Parser;
  State refuse(const char* why);
  State finish();

  std::unique_ptr<Parser> parser_;
  std::string unread_;
  State state_ = State::more;
  const char* why_ = "";
  Answer answer_;
};

}  // namespace postern::cli
