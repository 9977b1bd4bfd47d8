// SPDX-License-Identifier: BSD-3-Clause
#include "cli/login/answer.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace postern::cli {
namespace {

namespace http = boost::beast::http;

std::string text(boost::beast::string_view view) {
  return {view.data(), view.size()};
}

}  // namespace

struct AnswerReader::Parser {
  http::response_parser<http::string_body> http;
};

AnswerReader::AnswerReader() : parser_(std::make_unique<Parser>()) {
  parser_->http.header_limit(kAnswerHeadMax);
  parser_->http.body_limit(kAnswerBodyMax);
  parser_->http.eager(true);
}

AnswerReader::~AnswerReader() = default;

AnswerReader::State AnswerReader::refuse(const char* why) {
  why_ = why;
  return state_ = State::refused;
}

AnswerReader::State AnswerReader::feed(std::string_view octets) {
  if (state_ != State::more) return state_;
  unread_ += octets;
  boost::system::error_code error;
  while (!unread_.empty() && !parser_->http.is_done()) {
    const size_t taken = parser_->http.put(boost::asio::buffer(unread_), error);
    unread_.erase(0, taken);
    if (parser_->http.is_header_done() && parser_->http.need_eof()) {
      return refuse("it does not say where it ends");
    }
    if (error == http::error::need_more || (!error && taken == 0)) break;
    if (error == http::error::header_limit) return refuse("its head is too long");
    if (error == http::error::body_limit) return refuse("it is too long");
    if (error) return refuse("it is no HTTP");
  }
  if (parser_->http.is_done()) return finish();
  return unread_.size() > kAnswerHeadMax ? refuse("its head is too long") : State::more;
}

AnswerReader::State AnswerReader::finish() {
  const auto& message = parser_->http.get();
  answer_.status = message.result_int();
  // 1xx: another answer would follow (RFC 9110 section 15.2); nobody asked for one.
  if (answer_.status < 200) return refuse("it is none yet");
  answer_.location = text(message[http::field::location]);
  const auto cookies = message.equal_range(http::field::set_cookie);
  for (auto at = cookies.first; at != cookies.second; ++at)
    answer_.cookies.push_back(text(at->value()));
  answer_.body = message.body();
  return state_ = State::done;
}

}  // namespace postern::cli
