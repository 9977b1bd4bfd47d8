// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/message/framing.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string>

#include "services/http/message/hop.h"
#include "services/http/message/octets.h"

namespace postern::http {
namespace {

constexpr uint16_t kBadRequest = 400;
constexpr uint16_t kNotImplemented = 501;
constexpr uint16_t kBadGateway = 502;

// One field that must not be there twice.
struct Single {
  size_t count = 0;
  std::string_view value;

  void take(std::string_view text) {
    ++count;
    value = text;
  }
};

struct FramingFields {
  Single host;
  Single length;
  Single coding;
};

FramingFields collect(const Fields& fields) {
  FramingFields found;
  for (const auto& [name, value] : fields) {
    if (same_word(name, "host")) {
      found.host.take(value);
    } else if (same_word(name, "content-length")) {
      found.length.take(value);
    } else if (same_word(name, "transfer-encoding")) {
      found.coding.take(value);
    }
  }
  return found;
}

// `chunked` alone and once. RFC9112-6.1: another coding before it is not implemented;
// where it does not stand last, or more than once, nobody can tell where the body ends.
Refusal check_coding(const Single& coding, uint8_t minor) {
  if (minor == 0) return {kBadRequest, "coding_in_http10"};
  if (coding.count > 1) return {kBadRequest, "coding_twice"};
  if (same_word(coding.value, "chunked")) return {};
  const size_t comma = coding.value.rfind(',');
  if (comma == std::string_view::npos ||
      !same_word(trimmed(coding.value.substr(comma + 1)), "chunked")) {
    return {kBadRequest, "coding"};
  }
  ListWalk walk(coding.value.substr(0, comma));
  bool has_other = false;
  while (const auto member = walk.next()) {
    if (!all_of(*member, kTokenOctet) || same_word(*member, "chunked")) {
      return {kBadRequest, "coding"};
    }
    has_other = true;
  }
  return has_other ? Refusal{kNotImplemented, "coding"} : Refusal{kBadRequest, "coding"};
}

// What both kinds of messages have in common: Transfer-Encoding and Content-Length. RFC 9112
// section 6.3 lets a proxy mend a message with both, and one with the same length twice or as a
// list; we refuse, as no sound sender makes one and each is how a request is hidden from one of two
// readers.
Refusal frame_body(const FramingFields& found, uint8_t minor, Framing& framing) {
  if (found.coding.count > 0) {
    if (const Refusal refusal = check_coding(found.coding, minor)) return refusal;
    if (found.length.count > 0) return {kBadRequest, "coding_and_length"};
    framing.body = Body::chunked;
    return {};
  }
  if (found.length.count == 0) return {};
  if (found.length.count > 1) return {kBadRequest, "length_twice"};
  if (!parse_length(found.length.value, framing.length)) return {kBadRequest, "length"};
  framing.body = Body::length;
  return {};
}

// RFC 9112 section 6.3, the fourth item: behind a coding that is not chunked the body of a response
// goes on until the server closes. We pass it on as it is where the coding is a word that no server
// codes by ("identity", "binary", ...): of gzip and the like the client could not know, and what
// looks like chunked may be chunks.
bool is_idle_coding(const FramingFields& found, uint8_t minor) {
  constexpr std::array<std::string_view, 6> kCodings = {"gzip",    "x-gzip",     "compress",
                                                        "deflate", "x-compress", "br"};
  const std::string_view coding = found.coding.value;
  if (minor == 0 || found.coding.count != 1 || found.length.count != 0) return false;
  if (coding.empty() || !all_of(coding, kTokenOctet)) return false;
  std::string lower(coding);
  for (char& letter : lower) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + ('a' - 'A'));
  }
  return lower.find("chunk") == std::string::npos &&
         std::find(kCodings.begin(), kCodings.end(), lower) == kCodings.end();
}

bool has_octets(const Framing& framing) {
  return framing.body == Body::chunked || framing.length > 0;
}

Refusal find_host(const Single& host, uint8_t minor, const Target& target, Authority& found) {
  if (host.count > 1) return {kBadRequest, "host_twice"};
  if (host.count == 0 && minor > 0) return {kBadRequest, "host_missing"};
  if (host.count == 1) {
    const auto authority = parse_authority(host.value);
    if (!authority) return {kBadRequest, "host"};
    found = *authority;
  }
  if (target.form == TargetForm::absolute || target.form == TargetForm::authority) {
    found = target.url.authority;
  }
  return {};
}

Refusal frame_checked_response(const ResponseHead& head, std::string_view method,
                               Framing& framing) {
  const Connection connection(head.fields);
  if (connection.is_broken()) return {kBadGateway, "connection"};
  const FramingFields found = collect(head.fields);
  if (!is_idle_coding(found, head.minor)) {
    if (const Refusal refusal = frame_body(found, head.minor, framing)) return refusal;
  }
  framing.is_persistent =
      !connection.has_close() && (head.minor > 0 || connection.has_keep_alive());
  if (found.coding.count > 0 && framing.body != Body::chunked) framing.is_persistent = false;
  const bool is_interim = head.status < 200;
  if (head.status == 101) return {kBadGateway, "upgrade"};
  if (is_interim && has_octets(framing)) return {kBadGateway, "interim_body"};
  const bool is_tunnel = method == "CONNECT" && head.status < 300;
  if (is_interim || is_tunnel || method == "HEAD" || head.status == 204 || head.status == 304) {
    // A server that announces octets behind a 204 may send them, too.
    if (head.status == 204 && has_octets(framing)) framing.is_persistent = false;
    framing.body = Body::none;
    framing.length = 0;
  } else if (framing.body == Body::none) {
    framing.body = Body::until_close;
    framing.is_persistent = false;
  }
  return {};
}

}  // namespace

bool parse_length(std::string_view text, uint64_t& length) {
  if (!all_of(text, kDigitOctet)) return false;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), length);
  return read.ec == std::errc() &&
         length <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
}

Refusal frame_request(const RequestHead& head, const Target& target, RequestFraming& framing) {
  framing = RequestFraming();
  const FramingFields found = collect(head.fields);
  if (const Refusal refusal = find_host(found.host, head.minor, target, framing.host)) {
    return refusal;
  }
  const Connection connection(head.fields);
  if (connection.is_broken()) return {kBadRequest, "connection"};
  if (const Refusal refusal = frame_body(found, head.minor, framing)) return refusal;
  // RFC 9110 sections 9.3.6 and 9.3.8: what stands behind them is no body, or is not to be sent.
  if ((head.method == "CONNECT" || head.method == "TRACE") && has_octets(framing)) {
    return {kBadRequest, "body"};
  }
  // RFC9112-9.3: a proxy does not keep the connection of an HTTP/1.0 client.
  framing.is_persistent = head.minor > 0 && !connection.has_close();
  return {};
}

Refusal frame_response(const ResponseHead& head, std::string_view method, Framing& framing) {
  framing = Framing();
  Refusal refusal = frame_checked_response(head, method, framing);
  if (refusal) refusal.status = kBadGateway;
  return refusal;
}

}  // namespace postern::http
