// SPDX-License-Identifier: BSD-3-Clause
#include "services/portal/form.h"

#include <catch2/catch.hpp>

namespace postern::portal {

TEST_CASE("portal/form: fields are decoded byte for byte", "[F27]") {
  auto fields = parse_form("user=anna&password=a%2Bb%20c+d%26%3d%C3%A4&&empty=&bare");
  REQUIRE(fields);
  REQUIRE(fields->size() == 4);
  CHECK(find_field(*fields, "user") == "anna");
  CHECK(find_field(*fields, "password") == "a+b c d&=\xC3\xA4");
  CHECK(find_field(*fields, "empty") == "");
  CHECK(find_field(*fields, "bare") == "");
  CHECK_FALSE(find_field(*fields, "none"));
}

TEST_CASE("portal/form: what is no form is refused", "[F27]") {
  for (const char* text : {"a=%", "a=%4", "a=%4g", "%zz=1", "a=%%41"})
    CHECK_FALSE(parse_form(text));
  CHECK_FALSE(parse_form(std::string(kFormBytesMax + 1, 'a')));
  CHECK(parse_form(std::string(kFormBytesMax, 'a')));
  std::string many;
  for (size_t i = 0; i < kFieldsMax; ++i)
    many += "a=1&";
  CHECK(parse_form(many));
  CHECK_FALSE(parse_form(many + "a=1"));
  CHECK_FALSE(find_field(*parse_form("a=1&a=2"), "a"));
}

TEST_CASE("portal/form: a cookie is found among others", "[F27]") {
  CHECK(find_cookie("a=1; b=2;c=3", "a") == "1");
  CHECK(find_cookie("a=1; b=2;c=3", "b") == "2");
  CHECK(find_cookie("a=1; b=2;c=3 ", "c") == "3");
  CHECK(find_cookie("a=x=y", "a") == "x=y");
  CHECK(find_cookie("aa=1; ba=2", "a").empty());
  CHECK(find_cookie("a=1; a=2", "a").empty());
  CHECK(find_cookie("", "a").empty());
  CHECK(find_cookie(";;;", "a").empty());
  CHECK(find_cookie("a", "a").empty());
}

TEST_CASE("portal/form: nothing that HTML reads is left in a text", "[F27]") {
  CHECK(escape_html("<a href=\"x\">'&'</a>") ==
        "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  CHECK(escape_html(std::string_view("a\0\x01\x7f\xff", 5)) == "a????");
}

}  // namespace postern::portal
