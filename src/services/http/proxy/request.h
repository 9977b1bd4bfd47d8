// SPDX-License-Identifier: BSD-3-Clause
// Request: the head of a client's request with all that is read out of it once: target, framing,
// URL, key in the store, and what the caching rules need.
//
// Everything is views into the octets that were read. analyse() works on octets that somebody else
// keeps, keep() copies them and does it anew.
//
// Thread: control.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "services/http/message/framing.h"
#include "services/http/message/head.h"
#include "services/http/message/hop.h"
#include "services/http/message/url.h"
#include "services/http/proxy/settings.h"
#include "services/http/rules/decide.h"

namespace postern::http {

struct Request {
  explicit Request(const HeadLimits& limits) : reader(limits) {}

  std::string text;  // what the views point into, where it is ours
  RequestReader reader;
  Target target;
  RequestFraming framing;
  Url url;               // absolute, also where the target is in origin form
  CacheKey key;          // its text is the normal form of the URL without a user, but of CONNECT
  bool has_key = false;  // false: nothing is kept for this URL
  RequestFacts facts;
  Expectation expects = Expectation::none;
  std::string_view upgrade;  // what it would go over to and may be let; empty: nothing

  const RequestHead& head() const { return reader.head(); }
  bool is(std::string_view method) const { return reader.head().method == method; }
  bool has_body() const {
    return framing.body == Body::chunked || (framing.body == Body::length && framing.length != 0);
  }

  // The URL as rules and logs have it: never with a user or a password.
  std::string_view shown_url() const;

  // After the reader is done.
  Refusal analyse();
};

// Whether there is something in it by which servers are known to answer though no Vary says so: who
// sends it would choose the page that all others get.
bool has_hidden_input(const Request& request);
// Whether it logs in on the connection itself, as NTLM and Negotiate do (RFC 4559 section 6).
bool binds_connection(const Fields& fields);

HeadLimits head_limits(const ProxyLimits& limits);

// The host in small letters.
std::string host_of(const Authority& authority);

}  // namespace postern::http
