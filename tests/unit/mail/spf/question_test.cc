// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/spf/question.h"

#include <catch2/catch.hpp>

using namespace postern;
using namespace postern::mail;

namespace {

constexpr Ipv4Address kClient{192, 0, 2, 66};

}  // namespace

TEST_CASE("mail/spf/question: nothing that others say ends a line of the field", "[F53]") {
  const SpfQuestion question{kClient, "a\"b", "j\r\nX: y@b.example", "mx.a.example"};
  const std::string field = received_spf_field(question, {SpfResult::fail, "so (\r\nhe) said"});
  CHECK(field ==
        "Received-SPF: fail (so ???he? said)\r\n"
        "\treceiver=mx.a.example; client-ip=192.0.2.66;\r\n"
        "\tenvelope-from=\"j??X: y@b.example\"; helo=\"a?b\"; identity=mailfrom\r\n");
}

TEST_CASE("mail/spf/question: the program reads what it is asked", "[F53]") {
  const auto arguments = spf_arguments({kClient, "a", "-joe@b.example", "mx"});
  REQUIRE(arguments);
  const auto question = parse_spf_arguments(*arguments);
  REQUIRE(question);
  CHECK(question->client == kClient);
  CHECK(question->helo == "a");
  CHECK(question->sender == "-joe@b.example");
  CHECK(question->host == "mx");
}

TEST_CASE("mail/spf/question: what cannot be said is not asked", "[F53]") {
  const std::string sender = GENERATE(as<std::string>(), std::string("a\0b", 3), "a\nb", "a\x7f",
                                      std::string(kSpfPartMax + 1, 'a'));
  CHECK_FALSE(spf_arguments({kClient, "a", sender, "mx"}));
  const std::vector<std::string> arguments = {"192.0.2.66", "a", sender, "mx"};
  CHECK_FALSE(parse_spf_arguments(arguments));
}

TEST_CASE("mail/spf/question: another number of arguments is no question", "[F53]") {
  const std::vector<std::string> arguments = {"192.0.2.66", "a", "b", "mx", "c"};
  const std::span<const std::string> all(arguments);
  CHECK(parse_spf_arguments(all.first(4)));
  CHECK_FALSE(parse_spf_arguments({}));
  CHECK_FALSE(parse_spf_arguments(all.first(3)));
  CHECK_FALSE(parse_spf_arguments(all));
  CHECK_FALSE(parse_spf_arguments(std::vector<std::string>{"192.0.2", "a", "b", "mx"}));
}

TEST_CASE("mail/spf/question: each result comes back as it was said", "[F53]") {
  const SpfResult result =
      GENERATE(SpfResult::none, SpfResult::neutral, SpfResult::pass, SpfResult::fail,
               SpfResult::softfail, SpfResult::temperror, SpfResult::permerror);
  const std::string line = encode_spf_answer({result, "it (b.example)\nsays so"});
  const auto answer = parse_spf_answer(line);
  REQUIRE(answer);
  CHECK(answer->result == result);
  CHECK(answer->why == "it ?b.example??says so");
  CHECK(parse_spf_answer(encode_spf_answer({result, ""})));
  CHECK(parse_spf_answer(encode_spf_answer({result, std::string(5000, 'x')})));
}

TEST_CASE("mail/spf/question: an answer in another form is none", "[F53]") {
  const std::string text =
      GENERATE(as<std::string>(), "", "\n", "pass", "pass\n", "pass ok", " pass ok\n", "Pass ok\n",
               "yes ok\n", "pass a\nfail b\n", "pass a\r\n", "pass a\x01\n", "pass a(b\n",
               "pass a\"b\n", "pass a\xff\n", "pass " + std::string(kSpfWhyMax + 1, 'x') + "\n",
               "pass " + std::string(70'000, 'x') + "\n", std::string("pass a\0b\n", 9),
               std::string("pass\0 a\n", 8), "passs a\n", "\xff\xff \n");
  CHECK_FALSE(parse_spf_answer(text));
}
