// SPDX-License-Identifier: BSD-3-Clause
// The heads that the proxy sends: requests to origins and parents, and responses to clients, made
// of those that came or of what is stored (RFC 9110 section 7.6, RFC 9112 section 3.2).
//
// All append to a string that its owner uses again. Thread: control.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "services/http/proxy/entry.h"
#include "services/http/proxy/request.h"
#include "services/http/proxy/settings.h"
#include "services/http/rules/cache_status.h"
#include "services/http/rules/conditional.h"
#include "services/http/rules/octets.h"

namespace postern::http {

// What is asked instead of what the client asked.
struct RequestChanges {
  const Condition* condition = nullptr;  // in place of the client's
  std::span<const Octets> ranges = {};   // in place of the client's Range and If-Range
  std::string_view if_range;
  std::string_view upgrade = {};  // the client's wish, passed on; empty: none
  bool asks_whole = false;        // without the client's Range
};

void write_request(std::string& out, const ProxySettings& settings, const Request& request,
                   const RequestChanges& changes);

// Proxy-Authorization for the parent, where it wants one.
void write_parent_credentials(std::string& out, const ProxySettings& settings);

// How the body goes to the client.
struct Delivery {
  bool has_length = false;
  uint64_t length = 0;
  bool is_chunked = false;
  bool is_persistent = false;  // the connection goes on
};

struct ResponseNotes {
  CacheStatus status;
  bool has_status = false;  // Cache-Status is sent
  int64_t now_s = 0;
};

// Of a response as it came. Content-Length and transfer coding are those of `delivery`; without
// length and chunks the Content-Length of the head goes on, as HEAD and 304 have it.
void write_response(std::string& out, const ProxySettings& settings, const ResponseHead& head,
                    const Delivery& delivery, const ResponseNotes& notes);
// The fields by which both sides go over to another protocol.
void write_upgrade(std::string& out, std::string_view protocol);
// A response with the status 101.
void write_switch(std::string& out, const ProxySettings& settings, const ResponseHead& head);
// An interim response.
void write_interim(std::string& out, const ProxySettings& settings, const ResponseHead& head);

// Of a stored response, with another status perhaps; `age_s` is its Age.
struct StoredHead {
  const Entry* entry = nullptr;  // lives during the call
  unsigned status = 200;
  int64_t age_s = 0;
  std::string_view content_range;  // empty: none
  std::string_view content_type;   // in place of the stored one; empty: none
};
void write_stored(std::string& out, const ProxySettings& settings, const StoredHead& stored,
                  const Delivery& delivery, const ResponseNotes& notes);

}  // namespace postern::http
