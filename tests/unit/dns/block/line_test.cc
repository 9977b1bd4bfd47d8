// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/block/line.h"

#include <catch2/catch.hpp>
#include <string>

namespace postern::dns {
namespace {

// "name", "name." for a name with those below it, "@name." for an exception; by spaces.
class Listed : public NameSink {
 public:
  void take(const ListedName& name) override {
    if (!text.empty()) text += ' ';
    if (name.is_exception) text += '@';
    for (size_t at = 0; name.wire[at] != 0; at += name.wire[at] + 1u) {
      if (at != 0) text += '.';
      text.append(name.wire.begin() + static_cast<long>(at) + 1,
                  name.wire.begin() + static_cast<long>(at) + 1 + name.wire[at]);
    }
    if (name.with_subdomains) text += '.';
  }
  std::string text;
};

std::string listed(std::string_view line) {
  Listed sink;
  const char* wrong = parse_block_line(line, sink);
  return wrong == nullptr ? sink.text : std::string("bad: ") + wrong;
}

bool is_bad(std::string_view line) {
  return listed(line).starts_with("bad: ");
}

TEST_CASE("dns/block: lines of the three formats give their names", "[P25]") {
  CHECK(listed("0.0.0.0 ads.example.com") == "ads.example.com");
  CHECK(listed("127.0.0.1\tads.example.com b.example  # both\r") == "ads.example.com b.example");
  CHECK(listed("::1 localhost ip6-localhost loop.example") == "loop.example");
  CHECK(listed(":: a.example") == "a.example");
  CHECK(listed("0.0.0.0 0.0.0.0").empty());
  CHECK(listed("Ads.Example.COM.") == "ads.example.com.");
  CHECK(listed("*.ads.example.com # why") == "ads.example.com.");
  CHECK(listed("_tcp.under_score.example") == "_tcp.under_score.example.");
  CHECK(listed("||ads.example.com^") == "ads.example.com.");
  CHECK(listed("||ads.example.com^|") == "ads.example.com.");
  CHECK(listed("||ads.example.com") == "ads.example.com.");
  CHECK(listed("||zip^$important") == "zip.");
  CHECK(listed("@@||good.example.com^") == "@good.example.com.");
  CHECK(listed("\xEF\xBB\xBF||bom.example^") == "bom.example.");
}

TEST_CASE("dns/block: comments, titles and empty lines give nothing", "[P25]") {
  for (const char* line : {"", "  \t", "# ads.example.com", "! Title: a list", "[Adblock Plus 2.0]",
                           "   # behind space", "127.0.0.1 localhost.localdomain"}) {
    CAPTURE(line);
    CHECK(listed(line).empty());
  }
}

TEST_CASE("dns/block: lines that mean more than a name, or none, are bad", "[P25]") {
  const std::string label63(63, 'a');
  const std::string label64(64, 'a');
  std::string name253;  // 63 + 1 + 63 + 1 + 63 + 1 + 61
  for (int i = 0; i < 3; ++i)
    name253 += label63 + ".";
  name253 += label63.substr(2);
  CHECK(listed("||" + name253 + "^") == name253 + ".");
  const std::string bad[] = {"example.com##.banner",
                             "||example.com^$third-party",
                             "||example.com/path^",
                             "||exa*ple.com^",
                             "/banner[0-9]+/",
                             "@@/banner/",
                             "https://example.com/",
                             "example.com/ads",
                             "-com..example",
                             ".example.com",
                             "a..example",
                             "||^",
                             "||.^",
                             "*.",
                             "com",
                             "0.0.0.0 com",
                             "0.0.0.0",
                             "0.0.0.0 # only a comment",
                             "192.168.1.9 nas.example",
                             "2001:db8::1 nas.example",
                             "a.example b.example",
                             "||a.example^ b.example",
                             "b\xC3\xBC"
                             "cher.example",
                             "0.0.0.0 good.example b@d.example",
                             label64 + ".example",
                             "||" + name253 + "a^",
                             std::string("a\0b.example", 11),
                             "...",
                             "@@example.com",
                             "@@"};
  for (const std::string& line : bad) {
    CAPTURE(line);
    CHECK(is_bad(line));
  }
}

}  // namespace
}  // namespace postern::dns
