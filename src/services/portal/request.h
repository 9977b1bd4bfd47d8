// SPDX-License-Identifier: BSD-3-Clause
// Requests of HTTP/1.x (RFC 9112) as far as a log-in page needs them, read piece by piece, and its
// answers. Boost.Beast reads; what it lets pass and we do not (RFC 9112 section 6) is refused on
// top: any Transfer-Encoding, a Content-Length that is no plain number, several Hosts or none.
// There is one request a connection: nothing that follows it is ever read as another.
//
// Bounds: kHeaderMax octets of header, kFormBytesMax of body. Thread: control.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::portal {

constexpr size_t kHeaderMax = 8192;
constexpr size_t kTargetMax = 256;

struct Request {
  std::string method;
  std::string target;  // begins with '/'; without a query
  std::string host;
  std::string content_type;
  std::string cookie;
  std::string origin;      // of the page that sent a form; empty: not told
  std::string fetch_site;  // Sec-Fetch-Site; empty: not told
  std::string body;
};

class RequestReader {
 public:
  enum class State { more, done, refused };

  RequestReader();
  ~RequestReader();  // overwrites what was read: it may be a password
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  // Takes what came. After `done` or `refused` nothing more is looked at.
  State feed(std::string_view octets);
  // done: what was asked.
  const Request& request() const { return request_; }
  // refused: the status to answer with.
  unsigned status() const { return status_; }

 private:
  struct Parser;
  State refuse(unsigned status);
  State finish();

  std::unique_ptr<Parser> parser_;
  std::string unread_;
  State state_ = State::more;
  unsigned status_ = 0;
  Request request_;
};

struct Response {
  unsigned status = 200;
  std::vector<std::pair<std::string, std::string>> headers;  // beside those that all answers have
  std::string body;
};

// As it goes over the wire; of a HEAD request without the body. Every answer ends its connection,
// is kept nowhere and may be in no frame of another page.
std::string encode(const Response& response, bool is_head);

}  // namespace postern::portal
