// SPDX-License-Identifier: BSD-3-Clause
#include "services/portal/request.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "services/portal/form.h"

namespace postern::portal {
namespace {

namespace http = boost::beast::http;

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 8 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

const char* reason_of(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 303:
      return "See Other";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Answer";
  }
}

// Nothing but the style sheet is loaded, nothing is run, and nobody puts the page into another.
constexpr std::string_view kHeaders =
    "Connection: close\r\n"
    "Cache-Control: no-store\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'\r\n"
    "X-Frame-Options: DENY\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: same-origin\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";

}  // namespace

struct RequestReader::Parser {
  http::request_parser<http::string_body> http;
};

RequestReader::RequestReader() : parser_(std::make_unique<Parser>()) {
  parser_->http.header_limit(kHeaderMax);
  parser_->http.body_limit(kFormBytesMax);
  parser_->http.eager(true);
  // So that no part of a form is left behind where it grew.
  unread_.reserve(kHeaderMax + kFormBytesMax);
}

RequestReader::~RequestReader() {
  wipe(unread_);
  wipe(parser_->http.get().body());
  wipe(request_.body);
}

RequestReader::State RequestReader::refuse(unsigned status) {
  status_ = status;
  return state_ = State::refused;
}

RequestReader::State RequestReader::feed(std::string_view octets) {
  if (state_ != State::more) return state_;
  unread_ += octets;
  boost::system::error_code error;
  while (!unread_.empty() && !parser_->http.is_done()) {
    const size_t taken = parser_->http.put(boost::asio::buffer(unread_), error);
    unread_.erase(0, taken);
    if (error == http::error::need_more || (!error && taken == 0)) break;
    if (error == http::error::header_limit) return refuse(431);
    if (error == http::error::body_limit) return refuse(413);
    if (error) return refuse(400);
  }
  if (parser_->http.is_done()) return finish();
  return unread_.size() > kHeaderMax ? refuse(431) : State::more;
}

RequestReader::State RequestReader::finish() {
  const auto& message = parser_->http.get();
  auto count = [&](http::field field) { return message.count(field); };
  if (message.version() != 10 && message.version() != 11) return refuse(400);
  if (count(http::field::host) != 1 || count(http::field::transfer_encoding) != 0 ||
      count(http::field::cookie) > 1 || count(http::field::content_length) > 1) {
    return refuse(400);
  }
  const std::string_view length = view(message[http::field::content_length]);
  if (count(http::field::content_length) == 1 && !is_number(length)) return refuse(400);
  const std::string_view target = view(message.target());
  if (target.size() > kTargetMax || !target.starts_with('/')) return refuse(400);
  request_.method = view(message.method_string());
  request_.target = target.substr(0, target.find('?'));
  request_.host = view(message[http::field::host]);
  request_.content_type = view(message[http::field::content_type]);
  request_.cookie = view(message[http::field::cookie]);
  request_.origin = view(message[http::field::origin]);
  request_.fetch_site = view(message["Sec-Fetch-Site"]);
  request_.body = message.body();
  return state_ = State::done;
}

std::string encode(const Response& response, bool is_head) {
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " ";
  out += reason_of(response.status);
  out += "\r\n";
  out += kHeaders;
  for (const auto& [name, value] : response.headers) {
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
  }
  out += "Content-Length: " + std::to_string(response.body.size()) + "\r\n\r\n";
  if (!is_head) out += response.body;
  return out;
}

}  // namespace postern::portal
