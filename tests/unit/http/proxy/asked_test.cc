// SPDX-License-Identifier: BSD-3-Clause
// What the URL rules get to see of a request.
#include <catch2/catch.hpp>

#include "services/http/proxy/admission.h"
#include "unit/http/proxy/bed.h"

using namespace postern;              // NOLINT(google-build-using-namespace)
using namespace postern::http;        // NOLINT(google-build-using-namespace)
using namespace postern::http::test;  // NOLINT(google-build-using-namespace)

namespace {

struct Said {
  explicit Said(const std::string& line) : request(HeadLimits{65536, 65536}) {
    request.text = line + " HTTP/1.1\r\nHost: h\r\n\r\n";
    REQUIRE(request.reader.read(request.text) == Step::done);
    REQUIRE_FALSE(request.analyse());
  }
  Request request;
};

std::shared_ptr<const UrlRules> rules_of(std::vector<UrlRule> rules) {
  Result<UrlRules> made = UrlRules::compile(std::move(rules), UrlAction::permit);
  REQUIRE(made);
  return std::make_shared<const UrlRules>(std::move(*made));
}

}  // namespace

TEST_CASE("http/proxy/asked: rules see the normal form of a URL", "[F57]") {
  struct Row {
    const char* target;
    const char* url;
    const char* path;
    const char* loose;  // nullptr: the same
  };
  for (const Row& row : std::vector<Row>{
           {"http://h", "http://h/", "/", nullptr},
           {"http://h?x", "http://h/?x", "/?x", nullptr},
           {"HTTP://BAD.Example:80/A", "http://bad.example/A", "/A", nullptr},
           {"http://bad.example:8080/", "http://bad.example:8080/", "/", nullptr},
           {"http://bad.example./x", "http://bad.example/x", "/x", nullptr},
           {"http://bad.example.:81/x", "http://bad.example:81/x", "/x", nullptr},
           {"http://h/%67ames/x", "http://h/games/x", "/games/x", nullptr},
           {"http://h/./games/../games/x", "http://h/games/x", "/games/x", nullptr},
           {"http://h/%2e/games/x", "http://h/games/x", "/games/x", nullptr},
           {"http://h/%67ames/x?%", "http://h/%67ames/x?%", "/%67ames/x?%", "http://h/games/x?%"},
           {"http://h/a?%61%", "http://h/a?%61%", "/a?%61%", "http://h/a?a%"},
           {"http://h//games//x", "http://h//games//x", "//games//x", "http://h/games/x"},
           {"http://h/games%2fx", "http://h/games%2Fx", "/games%2Fx", "http://h/games/x"},
           {"http://h/games%5Cx", "http://h/games%5Cx", "/games%5Cx", "http://h/games/x"},
           {"http://h/a%2f%2e%2e%2fgames/x", "http://h/a%2F..%2Fgames/x", "/a%2F..%2Fgames/x",
            "http://h/games/x"},
           {"http://h/games;a=b/x;c", "http://h/games;a=b/x;c", "/games;a=b/x;c",
            "http://h/games/x"},
           {"http://h//", "http://h//", "//", "http://h/"},
           {"http://h/a%2f..", "http://h/a%2F..", "/a%2F..", "http://h/"},
           {"http://h/a%2fb/..?q%2f", "http://h/?q%2F", "/?q%2F", nullptr},
           {"http://h/a%20b?c%20d//", "http://h/a%20b?c%20d//", "/a%20b?c%20d//", nullptr},
       }) {
    INFO(row.target);
    const Said said(std::string("GET ") + row.target);
    const Asked asked(said.request);
    CHECK(asked.url() == row.url);
    CHECK(asked.path() == row.path);
    CHECK_FALSE(asked.host().ends_with('.'));
    const std::optional<Asked> loose = asked.loose();
    CHECK((loose ? std::string(loose->url()) : "same") == (row.loose ? row.loose : "same"));
    if (loose) CHECK(loose->path() == loose->url().substr(8));
  }
}

TEST_CASE("http/proxy/asked: a target that is too long to be kept is judged all the same",
          "[F57]") {
  const Said said("GET http://H./%67ames/x?" + std::string(20000, 'p'));
  CHECK_FALSE(said.request.has_key);
  const Asked asked(said.request);
  CHECK(asked.url() == "http://h/games/x?" + std::string(20000, 'p'));
  CHECK(asked.path() == "/games/x?" + std::string(20000, 'p'));
}

TEST_CASE("http/proxy/asked: of tunnels rules see host:port, said in either way", "[F57]") {
  for (const char* target : {"bad.example:443", "BAD.Example.:443"}) {
    const Said said(std::string("CONNECT ") + target);
    const Asked asked(said.request);
    CHECK(asked.url() == "bad.example:443");
    CHECK(asked.path().empty());
    CHECK_FALSE(asked.loose());
  }
  CHECK(Asked(Said("CONNECT [2001:db8::1]:443").request).url() == "[2001:db8::1]:443");
  for (const char* name : {"bad.example", "BAD.Example."}) {
    const Asked asked(name, 443);
    CHECK(asked.url() == "bad.example:443");
    CHECK_FALSE(asked.host().ends_with('.'));
    CHECK(asked.path().empty());
  }
}

TEST_CASE("http/proxy/asked: no way of writing a URL gets around a rule", "[F57]") {
  UrlRule games;
  games.path = "/games/";
  UrlRule root;
  root.host = "empty.example";
  root.path = "/*";
  UrlRule pattern;
  pattern.expression = "^http://bad\\.example/";
  UrlRule tunnel;
  tunnel.expression = "^bad\\.example:443$";
  tunnel.message = "not there";
  Bed::Plan plan;
  plan.settings.url_rules = rules_of({games, root, pattern, tunnel});
  Bed bed(std::move(plan));
  for (const std::string& url :
       {std::string("http://h/%67ames/x"), std::string("http://h/./games/x"),
        std::string("http://h//games/x"), std::string("http://h/%67ames/x?%"),
        "http://h/%67ames/x?" + std::string(9000, 'p'), std::string("http://empty.example"),
        std::string("http://empty.example?x"), std::string("http://bad.example."),
        std::string("HTTP://BAD.example:80/")}) {
    INFO(url.substr(0, 60));
    const std::string answer = bed.get(url);
    CHECK(status_of(answer) == 403);
    CHECK(has(answer, "403 denied"));
  }
  for (const char* target : {"bad.example:443", "Bad.Example.:443"}) {
    Wire wire = bed.client();
    wire.send(std::string("CONNECT ") + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(has(wire.read_response(), "not there"));
  }
  const std::vector<std::string> log = bed.log();
  REQUIRE(log.size() == 11);
  CHECK(has(log[0], "rule 0"));
  CHECK(has(log[5], "rule 1"));
  CHECK(has(log[7], "rule 2"));
  CHECK(has(log[10], "rule 3"));
}
