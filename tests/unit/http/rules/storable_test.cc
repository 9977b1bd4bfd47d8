// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/storable.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "unit/http/rules/fields_of.h"

namespace postern::http {
namespace {

constexpr std::string_view kUri = "http://www.example.com/a";

struct Exchange {
  std::string_view method = "GET";
  Fields request = {};
  unsigned status = 200;
  Fields response = {};
  int64_t octets = 10;
  bool is_cut_short = false;
};

StoreRefusal kept(const Exchange& exchange, const StoreRules& rules = {}) {
  return storable(
      RequestView{exchange.method, kUri, &exchange.request},
      ResponseView{exchange.status, &exchange.response, exchange.octets, exchange.is_cut_short},
      rules);
}

StoreRefusal kept_with(std::string_view control, unsigned status = 200) {
  return kept({.status = status, .response = fields_of({{"Cache-Control", control}})});
}

}  // namespace

TEST_CASE("http/storable: what forbids it",
          "[RFC9111-3][RFC9111-5.2.1.5][RFC9111-5.2.2.5][RFC9111-5.2.2.7]") {
  CHECK(kept_with("max-age=3600") == StoreRefusal::none);
  CHECK(kept_with("max-age=3600, no-store") == StoreRefusal::no_store);
  CHECK(kept_with("No-StOrE") == StoreRefusal::no_store);
  CHECK(kept_with("private, max-age=3600") == StoreRefusal::is_private);
  CHECK(kept_with("private=\"a\", max-age=3600") == StoreRefusal::none);
  CHECK(kept({.request = fields_of({{"Cache-Control", "no-store"}})}) == StoreRefusal::request);
}

TEST_CASE("http/storable: only methods whose rules are known", "[RFC9111-3]") {
  const Fields fresh = fields_of({{"Cache-Control", "max-age=3600"}});
  for (const char* method : {"HEAD", "PUT", "DELETE", "OPTIONS", "M-SEARCH", "get", "POST"}) {
    CAPTURE(method);
    CHECK(kept({.method = method, .response = fresh}) == StoreRefusal::method);
  }
}

TEST_CASE("http/storable: a POST serves a GET where it says that it does", "[RFC9110-9.3.3]") {
  const auto post = [](std::string_view control, std::string_view location) {
    return kept(
        {.method = "POST",
         .response = fields_of({{"Cache-Control", control}, {"Content-Location", location}})});
  };
  CHECK(post("max-age=3600", kUri) == StoreRefusal::none);
  CHECK(post("max-age=3600", "/a") == StoreRefusal::none);
  CHECK(post("max-age=3600", "/b") == StoreRefusal::method);
  CHECK(post("public", kUri) == StoreRefusal::method);
}

TEST_CASE("http/storable: only final statuses, and what allows them", "[RFC9111-3]") {
  for (const unsigned status :
       {100u, 101u, 103u, 304u, 412u, 413u, 415u, 416u, 417u, 428u, 431u, 600u})
    CHECK(kept_with("max-age=3600", status) == StoreRefusal::status);
  for (const unsigned status : {200u, 203u, 204u, 299u, 301u, 302u, 303u, 307u, 308u, 400u, 404u,
                                410u, 499u, 500u, 502u, 503u, 504u, 599u})
    CHECK(kept_with("max-age=3600", status) == StoreRefusal::none);
  const Fields nothing = fields_of({{"Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT"}});
  for (const unsigned status : {200u, 203u, 204u, 300u, 301u, 308u, 404u, 405u, 410u, 414u, 501u})
    CHECK(kept({.status = status, .response = nothing}) == StoreRefusal::none);
  for (const unsigned status : {201u, 202u, 302u, 403u, 502u, 503u, 504u, 599u})
    CHECK(kept({.status = status, .response = nothing}) == StoreRefusal::lifetime);
  CHECK(kept_with("public", 599) == StoreRefusal::none);
  CHECK(kept({.status = 599, .response = fields_of({{"Expires", "0"}})}) == StoreRefusal::none);
}

TEST_CASE("http/storable: must-understand outweighs no-store where the status is understood",
          "[RFC9111-5.2.2.3]") {
  CHECK(kept_with("max-age=3600, no-store, must-understand", 200) == StoreRefusal::none);
  CHECK(kept_with("max-age=3600, no-store, must-understand", 599) == StoreRefusal::no_store);
  CHECK(kept_with("max-age=3600, must-understand", 599) == StoreRefusal::status);
}

TEST_CASE("http/storable: answers to one user stay with that user", "[RFC9111-3.5]") {
  const auto told = [](std::string_view control) {
    return kept({.request = fields_of({{"Authorization", "Basic YTpi"}}),
                 .response = fields_of({{"Cache-Control", control}})});
  };
  CHECK(told("max-age=3600") == StoreRefusal::authorization);
  CHECK(told("max-age=3600, proxy-revalidate") == StoreRefusal::authorization);
  CHECK(told("max-age=3600, public") == StoreRefusal::none);
  CHECK(told("max-age=3600, must-revalidate") == StoreRefusal::none);
  CHECK(told("s-maxage=3600") == StoreRefusal::none);
  CHECK(told("s-maxage=3600, private") == StoreRefusal::is_private);
}

TEST_CASE("http/storable: Vary with a star is never kept", "[RFC9111-4.1]") {
  const auto varied = [](std::string_view vary) {
    return kept(
        {.response = fields_of({{"Cache-Control", "max-age=9"}, {"Vary", vary}, {"Vary", ""}})});
  };
  CHECK(varied("Foo, Bar") == StoreRefusal::none);
  for (const char* vary : {"*", "*, *", ", *", "*, Foo", "Foo, *"})
    CHECK(varied(vary) == StoreRefusal::vary);
  CHECK(varied("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p") == StoreRefusal::none);
  CHECK(varied("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q") == StoreRefusal::vary);
}

TEST_CASE("http/storable: a part is kept when it is certain which octets it has", "[RFC9111-3.3]") {
  const auto part = [](std::string_view range, int64_t octets, bool is_cut_short = false) {
    return kept({.status = 206,
                 .response = fields_of({{"Content-Range", range}}),
                 .octets = octets,
                 .is_cut_short = is_cut_short});
  };
  CHECK(part("bytes 0-4/10", 5) == StoreRefusal::none);
  CHECK(part("bytes 0-4/10", -1) == StoreRefusal::none);
  CHECK(part("bytes 0-4/10", 3, true) == StoreRefusal::none);
  CHECK(part("bytes 4-9/10", 5) == StoreRefusal::partial);
  CHECK(part("bytes 0-4/*", 5) == StoreRefusal::partial);
  CHECK(part("lines 0-4/10", 5) == StoreRefusal::partial);
  CHECK(kept({.status = 206}) == StoreRefusal::partial);
}

TEST_CASE("http/storable: what was cut short is kept when the rest can be asked for",
          "[RFC9111-3.3]") {
  Exchange exchange{.response = fields_of({{"ETag", "\"a\""}, {"Content-Length", "20"}}),
                    .is_cut_short = true};
  CHECK(kept(exchange) == StoreRefusal::none);
  exchange.response = fields_of({{"ETag", "W/\"a\""}, {"Content-Length", "20"}});
  CHECK(kept(exchange) == StoreRefusal::incomplete);
  exchange.response = fields_of({{"ETag", "\"a\""}});
  CHECK(kept(exchange) == StoreRefusal::incomplete);
  exchange.response =
      fields_of({{"ETag", "\"a\""}, {"Content-Length", "20"}, {"Accept-Ranges", "none"}});
  CHECK(kept(exchange) == StoreRefusal::incomplete);
}

TEST_CASE("http/storable: the office sets bounds, never looser ones") {
  StoreRules rules;
  rules.object_octets_max = 9;
  CHECK(kept({}, rules) == StoreRefusal::size);
  rules = {};
  rules.keeps_redirects = false;
  CHECK(kept({.status = 301}, rules) == StoreRefusal::redirect);
  CHECK(kept({.status = 404}, rules) == StoreRefusal::none);
  rules = {};
  rules.ignores_server_lifetimes = true;
  const auto ignoring = [&](std::initializer_list<Field> response) {
    return kept({.response = fields_of(response)}, rules);
  };
  CHECK(ignoring({{"Cache-Control", "no-store"}}) == StoreRefusal::no_store);
  CHECK(ignoring({{"Cache-Control", "private"}}) == StoreRefusal::is_private);
  CHECK(ignoring({{"Cache-Control", "max-age=0"}}) == StoreRefusal::none);
  CHECK(ignoring({{"Set-Cookie", "a=b"}}) == StoreRefusal::cookie);
  CHECK(ignoring({{"Set-Cookie", "a=b"}, {"Cache-Control", "public"}}) == StoreRefusal::none);
  CHECK(kept({.request = fields_of({{"Authorization", "x"}})}, rules) ==
        StoreRefusal::authorization);
}

TEST_CASE("http/storable: fields are kept but for those of one hop and withheld ones",
          "[RFC9111-3.1]") {
  const Fields response = fields_of({{"Connection", "a, b"},
                                     {"a", "1"},
                                     {"B", "2"},
                                     {"c", "3"},
                                     {"Unheard-Of", "4"},
                                     {"Keep-Alive", "5"},
                                     {"Proxy-Authenticate", "6"},
                                     {"Proxy-Authentication-Info", "7"},
                                     {"Proxy-Authorization", "8"},
                                     {"Proxy-Connection", "9"},
                                     {"TE", "10"},
                                     {"Transfer-Encoding", "chunked"},
                                     {"Upgrade", "12"},
                                     {"Set-Cookie", "a=b"},
                                     {"d", "13"},
                                     {"Content-Length", "14"},
                                     {"Cache-Control", "no-cache=\"d\""}});
  const Fields kept = kept_fields(response);
  std::string names;
  for (const Field& field : kept)
    names += std::string(field.name) + " ";
  CHECK(names == "c Unheard-Of Set-Cookie Content-Length Cache-Control ");
}

TEST_CASE("http/storable: every refusal has a word of its own") {
  std::vector<std::string_view> words;
  for (int value = 0; value <= static_cast<int>(StoreRefusal::cookie); ++value) {
    const std::string_view word = to_text(static_cast<StoreRefusal>(value));
    CHECK(std::find(words.begin(), words.end(), word) == words.end());
    words.push_back(word);
  }
}

}  // namespace postern::http
