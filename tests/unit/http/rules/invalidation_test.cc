// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/invalidation.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "unit/http/rules/fields_of.h"

namespace postern::http {
namespace {

using Uris = std::vector<std::string>;

constexpr std::string_view kUri = "http://www.example.com/a/b?c";

Uris invalidated(std::string_view method, unsigned status,
                 std::initializer_list<Field> fields = {}) {
  const Fields request;
  const Fields response = fields_of(fields);
  return invalidated_by(RequestView{method, kUri, &request}, ResponseView{status, &response});
}

}  // namespace

TEST_CASE("http/invalidation: an unsafe method that went well invalidates its target",
          "[RFC9111-4.4]") {
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "M-SEARCH", "get"}) {
    CAPTURE(method);
    for (const unsigned status : {200u, 204u, 299u, 303u, 304u})
      CHECK(invalidated(method, status) == Uris{std::string(kUri)});
    for (const unsigned status : {100u, 400u, 404u, 500u, 503u})
      CHECK(invalidated(method, status).empty());
  }
  for (const char* method : {"GET", "HEAD", "OPTIONS", "TRACE"})
    CHECK(invalidated(method, 200).empty());
}

TEST_CASE("http/invalidation: Location and Content-Location of the same origin go as well",
          "[RFC9111-4.4]") {
  CHECK(invalidated("POST", 201, {{"Location", "/x"}, {"Content-Location", "y"}}) ==
        Uris{std::string(kUri), "http://www.example.com/x", "http://www.example.com/a/y"});
  CHECK(invalidated("POST", 201, {{"Location", kUri}}) == Uris{std::string(kUri)});
  for (const char* other :
       {"http://other.example.com/x", "https://www.example.com/x", "//other.example.com/x",
        "http://www.example.com:8080/x", "http://user@www.example.com/x", "mailto:a@example.com",
        "http://www.example.com.example.net/x"}) {
    CAPTURE(other);
    CHECK(invalidated("POST", 201, {{"Location", other}}).size() == 1);
  }
  CHECK(invalidated("POST", 201, {{"Location", "http://WWW.example.com:80/x"}}).size() == 2);
}

TEST_CASE("http/invalidation: references are resolved", "[RFC3986-5.2]") {
  struct Case {
    const char* reference;
    const char* uri;
  };
  // The examples of RFC 3986 section 5.4 that are of hierarchical URIs.
  for (const Case& row : {Case{"g", "http://a/b/c/g"},
                          Case{"./g", "http://a/b/c/g"},
                          Case{"g/", "http://a/b/c/g/"},
                          Case{"/g", "http://a/g"},
                          Case{"//g", "http://g"},
                          Case{"?y", "http://a/b/c/d;p?y"},
                          Case{"g?y", "http://a/b/c/g?y"},
                          Case{"#s", "http://a/b/c/d;p?q"},
                          Case{"g#s", "http://a/b/c/g"},
                          Case{";x", "http://a/b/c/;x"},
                          Case{"", "http://a/b/c/d;p?q"},
                          Case{".", "http://a/b/c/"},
                          Case{"./", "http://a/b/c/"},
                          Case{"..", "http://a/b/"},
                          Case{"../g", "http://a/b/g"},
                          Case{"../..", "http://a/"},
                          Case{"../../g", "http://a/g"},
                          Case{"../../../g", "http://a/g"},
                          Case{"/./g", "http://a/g"},
                          Case{"/../g", "http://a/g"},
                          Case{"g.", "http://a/b/c/g."},
                          Case{"..g", "http://a/b/c/..g"},
                          Case{"./../g", "http://a/b/g"},
                          Case{"./g/.", "http://a/b/c/g/"},
                          Case{"g/./h", "http://a/b/c/g/h"},
                          Case{"g/../h", "http://a/b/c/h"},
                          Case{"g;x=1/../y", "http://a/b/c/y"},
                          Case{"g?y/../x", "http://a/b/c/g?y/../x"},
                          Case{"ftp://h/x", "ftp://h/x"}}) {
    CAPTURE(row.reference);
    CHECK(resolve_reference("http://a/b/c/d;p?q", row.reference) == row.uri);
  }
  CHECK(resolve_reference("http://a", "g") == "http://a/g");
  CHECK_FALSE(resolve_reference("http://a/", "g:h"));
  CHECK_FALSE(resolve_reference("/a", "g"));
  CHECK_FALSE(resolve_reference("http://a/", std::string(kUriMax, 'x')));
}

TEST_CASE("http/invalidation: an origin is scheme, host and port", "[RFC9110-4.3.1]") {
  CHECK(same_origin("http://a/x", "HTTP://A:80/y"));
  CHECK(same_origin("http://[::1]/x", "http://[::1]:80"));
  CHECK(same_origin("https://a", "https://a:443"));
  CHECK_FALSE(same_origin("http://[::1]:81/", "http://[::1]/"));
  CHECK_FALSE(same_origin("http://a", "http://a:81"));
  CHECK_FALSE(same_origin("http://a", "https://a"));
  CHECK_FALSE(same_origin("http://a", "a"));
}

}  // namespace postern::http
