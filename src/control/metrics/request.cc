// SPDX-License-Identifier: BSD-3-Clause
#include "control/metrics/request.h"

#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <cstdlib>

namespace postern::metrics {
namespace http = boost::beast::http;

namespace {

using Parser = http::request_parser<http::empty_body>;
using Head = Parser::value_type;

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

// What the parser lets through although readers differ about it.
bool has_sound_lines(std::string_view head) {
  for (size_t i = 0; i < head.size(); ++i) {
    const bool has_return = i > 0 && head[i - 1] == '\r';
    if (head[i] == '\0' || (head[i] == '\n') != has_return) return false;
    const bool begins_line = i > 0 && head[i - 1] == '\n';
    if (begins_line && (head[i] == ' ' || head[i] == '\t')) return false;  // obs-fold
  }
  return head.ends_with("\r\n\r\n");
}

// RFC 9112 3.2 and 6: whose request it is, and where it ends.
bool has_sound_fields(const Head& head) {
  const size_t hosts = head.count(http::field::host);
  const bool is_named = hosts == 1 || (hosts == 0 && head.version() == 10);
  const bool has_length = head.count(http::field::content_length) > 0;
  const bool has_body = has_length && view(head[http::field::content_length]) != "0";
  return is_named && !has_body && head.count(http::field::content_length) <= 1 &&
         head.count(http::field::transfer_encoding) == 0;
}

// The path of a target in origin form or absolute form, without its query.
std::string_view path_of(std::string_view target) {
  constexpr std::string_view kScheme = "http://";
  if (target.starts_with(kScheme)) {
    const size_t slash = target.find('/', kScheme.size());
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  return target.substr(0, target.find('?'));
}

// The weight of an element of Accept, in thousandths (RFC 9110 12.4.2); what is no weight is 0.
int weight_of(std::string_view text) {
  const std::string number(text.substr(0, 5));
  char* end = nullptr;
  const double weight = std::strtod(number.c_str(), &end);
  const bool is_sound =
      !number.empty() && (number[0] == '0' || number[0] == '1') && *end == '\0' && text.size() <= 5;
  return is_sound && weight >= 0 && weight <= 1 ? static_cast<int>(weight * 1000) : 0;
}

struct Wish {
  int weight = 1000;
  bool is_other_version = false;  // than the one of OpenMetrics that we write
};

Wish wish_of(const http::param_list& parameters) {
  Wish wish;
  for (const auto& [key, value] : parameters) {
    std::string_view text = view(value);
    if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"')) {
      text = text.substr(1, text.size() - 2);
    }
    if (boost::beast::iequals(key, "q")) wish.weight = weight_of(text);
    if (boost::beast::iequals(key, "version")) wish.is_other_version = text != "1.0.0";
  }
  return wish;
}

// The next element of a list with commas, quoted strings left whole; `list` is shortened by it.
std::string_view take_element(std::string_view& list) {
  bool is_quoted = false;
  size_t end = 0;
  for (; end < list.size() && (is_quoted || list[end] != ','); ++end) {
    if (list[end] == '"') is_quoted = !is_quoted;
  }
  const std::string_view element = list.substr(0, end);
  list.remove_prefix(end < list.size() ? end + 1 : end);
  return element;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t'))
    text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t'))
    text.remove_suffix(1);
  return text;
}

}  // namespace

Format choose_format(std::string_view accept) {
  int open_metrics = 0;
  int other = 0;
  while (!accept.empty()) {
    const std::string_view element = take_element(accept);
    const size_t semicolon = element.find(';');
    const std::string_view type = trimmed(element.substr(0, semicolon));
    const std::string_view rest =
        semicolon == std::string_view::npos ? "" : element.substr(semicolon);
    const Wish wish = wish_of(http::param_list({rest.data(), rest.size()}));
    const bool is_open =
        boost::beast::iequals({type.data(), type.size()}, "application/openmetrics-text");
    if (is_open && wish.is_other_version) continue;
    int& best = is_open ? open_metrics : other;
    if (wish.weight > best) best = wish.weight;
  }
  return open_metrics > 0 && open_metrics >= other ? Format::open_metrics : Format::text;
}

Request read_request(std::string_view head) {
  Request request;
  if (head.size() > kHeadMax) {
    request.status = Status::head_too_large;
    return request;
  }
  if (!has_sound_lines(head)) return request;
  Parser parser;
  parser.header_limit(kHeadMax);
  boost::system::error_code error;
  const size_t taken = parser.put(boost::asio::buffer(head.data(), head.size()), error);
  if (error || !parser.is_header_done() || taken != head.size()) return request;
  const Head& read = parser.get();
  if (!has_sound_fields(read)) return request;
  if (read.method() != http::verb::get && read.method() != http::verb::head) {
    request.status = Status::not_allowed;
    return request;
  }
  request.wants_body = read.method() == http::verb::get;
  request.keeps_open = read.keep_alive();
  request.format = choose_format(view(read[http::field::accept]));
  request.status = path_of(view(read.target())) == "/metrics" ? Status::ok : Status::not_found;
  return request;
}

std::string_view explanation(Status status) {
  switch (status) {
    case Status::ok:
      return "OK";
    case Status::bad_request:
      return "Bad Request";
    case Status::not_found:
      return "Not Found";
    case Status::not_allowed:
      return "Method Not Allowed";
    case Status::head_too_large:
      return "Request Header Fields Too Large";
  }
  return "";
}

std::string response_head(const Request& request, size_t body_bytes) {
  const bool is_ok = request.status == Status::ok;
  return fmt::format(
      "HTTP/1.1 {} {}\r\n"
      "Content-Type: {}\r\n"
      "Content-Length: {}\r\n"
      "Cache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\n"
      "Vary: Accept\r\n"
      "{}"
      "Connection: {}\r\n"
      "\r\n",
      static_cast<unsigned>(request.status), explanation(request.status),
      is_ok ? content_type(request.format) : "text/plain; charset=utf-8", body_bytes,
      request.status == Status::not_allowed ? "Allow: GET, HEAD\r\n" : "",
      request.keeps_open ? "keep-alive" : "close");
}

}  // namespace postern::metrics
