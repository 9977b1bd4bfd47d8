// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/dispatcher.h"

#include <catch2/catch.hpp>
#include <random>

using namespace postern;
using namespace postern::admin;

namespace {

struct Bed {
  Dispatcher dispatcher;
  std::vector<std::string> answers;
  config::Role role = config::Role::admin;

  Bed() {
    dispatcher.add("echo", [](const Json& request, const Peer& peer, Reply reply) {
      reply.done({{"text", request.at("text").get<std::string>()}, {"uid", peer.uid}});
      reply.done({{"text", "twice"}});
    });
    dispatcher.add("fail", [](const Json&, const Peer&, Reply reply) {
      reply.refuse({ErrorCode::invalid, "no"}, {{"findings", Json::array()}});
    });
  }
  Json ask(const std::string& text) {
    answers.clear();
    const Peer peer{1000, 1000, 1, role, {}};
    dispatcher.handle(text, peer, [this](std::string s) { answers.push_back(s); });
    REQUIRE(answers.size() == 1);
    return Json::parse(answers[0]);
  }
};

const Peer kSomebody{7, 7, 7, config::Role::none, {}};

std::string many_fields() {
  std::string text = "{";
  for (int i = 0; i < 100'000; ++i)
    text += "\"k" + std::to_string(i) + "\": 1, ";
  return text + "\"version\": 1}";
}

std::string many_elements() {
  std::string text;
  for (int i = 0; i < 2000; ++i)
    text += "1,";
  return text + "1";
}

}  // namespace

TEST_CASE("control/admin: only what carries a file may be large", "[F61]") {
  Bed bed;
  bed.dispatcher.add("apply", [](const Json&, const Peer&, Reply reply) { reply.done(1); });
  const std::string text(100'000, 'x');
  Json answer = bed.ask(R"({"version": 1, "command": "echo", "text": ")" + text + "\"}");
  CHECK(answer["error"]["code"] == "exhausted");
  CHECK(bed.ask(R"({"version": 1, "command": "apply", "text": ")" + text + "\"}")["ok"] == true);
}

TEST_CASE("control/admin: a password is told to no auditor", "[F61]") {
  Bed bed;
  Json kept, told;
  bed.dispatcher.add(
      "change",
      [&](const Json& request, const Peer&, Reply reply) {
        kept = request;
        reply.done(1);
      },
      Effect::changes);
  bed.dispatcher.set_auditor(
      [&](const Dispatcher::Answered& what, const Json&) { told = what.request; });
  bed.ask(R"({"version": 1, "command": "change", "password": "secret", "name": "anna"})");
  CHECK(kept["password"] == "secret");
  CHECK(told["name"] == "anna");
  CHECK_FALSE(told.contains("password"));
}

TEST_CASE("control/admin: a command is answered once, with who asked") {
  Bed bed;
  Json answer = bed.ask(R"({"version": 1, "command": "echo", "text": "hello"})");
  CHECK(answer["ok"] == true);
  CHECK(answer["result"]["text"] == "hello");
  CHECK(answer["result"]["uid"] == 1000);
}

TEST_CASE("control/admin: a refusal has code, text and details") {
  Bed bed;
  Json answer = bed.ask(R"({"version": 1, "command": "fail"})");
  CHECK(answer["ok"] == false);
  CHECK(answer["error"]["code"] == "invalid");
  CHECK(answer["error"]["text"] == "no");
  CHECK(answer["error"]["findings"].is_array());
}

TEST_CASE("control/admin: the auditor is told of changes, and of whatever is denied", "[F65]") {
  Bed bed;
  std::vector<std::string> told;
  bed.dispatcher.set_auditor([&](const Dispatcher::Answered& what, const Json& response) {
    told.push_back(what.command + (response["ok"] == true ? " done " : " refused ") +
                   (what.request.is_object() ? what.request.value("text", "") : ""));
  });
  bed.dispatcher.add(
      "change", [](const Json&, const Peer&, Reply reply) { reply.done(Json::object()); },
      Effect::changes);
  bed.dispatcher.add(
      "fail to change",
      [](const Json& request, const Peer&, Reply reply) { reply.done(request.at("nothing")); },
      Effect::changes);
  bed.ask(R"({"version": 1, "command": "echo", "text": "no"})");
  bed.ask(R"({"version": 1, "command": "fail"})");
  bed.ask(R"({"version": 1, "command": "change", "text": "a"})");
  bed.ask(R"({"version": 1, "command": "fail to change", "text": "b"})");
  bed.dispatcher.turn_away(kSomebody, {ErrorCode::denied, "no"}, [](const std::string&) {});
  bed.dispatcher.turn_away(kSomebody, {ErrorCode::exhausted, "full"}, [](const std::string&) {});
  CHECK(told == std::vector<std::string>{"change done a", "fail to change refused b", " refused "});
}

TEST_CASE("control/admin: whatever is no request is refused in one line") {
  auto [request, text] = GENERATE(table<std::string, std::string>({
      {"", "not a JSON object"},
      {"hello", "not a JSON object"},
      {"[]", "not a JSON object"},
      {"17", "not a JSON object"},
      {"{\"version\": 1", "not a JSON object"},
      {std::string("\0\xff", 2), "not a JSON object"},
      {std::string(100'000, '['), "nested too deep"},
      {"{\"version\": " + std::string(10'000'000, '['), "nested too deep"},
      {"{\"version\": " + std::string(17, '[') + std::string(17, ']') + "}", "nested too deep"},
      {many_fields(), "too many fields"},
      {"{\"version\": [" + many_elements() + "]}", "too many fields"},
      {"{\"version\": [[" + many_elements() + "]]}", "too many fields"},
      {R"({"version": 1, "command": "[[[[[[[[[[[[[[[[[[[[[\"{{"})", "unknown command"},
      {"{}", "another version"},
      {R"({"version": 2, "command": "echo"})", "another version"},
      {R"({"version": "1", "command": "echo"})", "another version"},
      {R"({"version": 1})", "unknown command ``"},
      {R"({"version": 1, "command": 7})", "unknown command ``"},
      {R"({"version": 1, "command": "ech\n"})", "unknown command `ech?`"},
      {R"({"version": 1, "command": "echo"})", "wrong type"},
      {R"({"version": 1, "command": "echo", "text": 7})", "wrong type"},
  }));
  Bed bed;
  Json answer = bed.ask(request);
  CHECK(answer["ok"] == false);
  CHECK(answer["error"]["text"].get<std::string>().find(text) != std::string::npos);
  CHECK(answer["error"]["text"].get<std::string>().find('\n') == std::string::npos);
}

TEST_CASE("control/admin: text that is no UTF-8 is answered with replacements") {
  Bed bed;
  bed.dispatcher.add("bytes", [](const Json&, const Peer&, Reply reply) {
    reply.done({{"name", "\xff\xfe"}});
  });
  CHECK(bed.ask(R"({"version": 1, "command": "bytes"})")["ok"] == true);
}

TEST_CASE("control/admin: a number is whole, and as large as it may be") {
  const NumberField field{"n", "--number", 14, 9014, 256};
  auto of = [&](const std::string& text) { return number_of(Json::parse(text), field); };
  CHECK(*of("{}") == 256);
  CHECK(*of(R"({"n": 14})") == 14);
  CHECK(*of(R"({"n": 9014})") == 9014);
  for (const char* bad :
       {R"({"n": 13})", R"({"n": 9015})", R"({"n": -1})", R"({"n": 14.5})", R"({"n": 4294967552})",
        R"({"n": "14"})", R"({"n": null})", R"({"n": 99999999999999999999})"}) {
    INFO(bad);
    auto number = of(bad);
    REQUIRE_FALSE(number);
    CHECK(number.error().code == ErrorCode::invalid);
    CHECK(number.error().text.starts_with("--number: 14 to 9014, not "));
  }
  CHECK_FALSE(number_of(Json::object(), {"n", "n", 1, 2, std::nullopt}));
}

TEST_CASE("control/admin: damaged requests are all answered") {
  const std::string good = R"({"version": 1, "command": "echo", "text": "hello"})";
  Bed bed;
  std::mt19937 random(1);
  for (int i = 0; i < 5000; ++i) {
    std::string request = good;
    for (unsigned n = random() % 4 + 1; n > 0; --n)
      request[random() % request.size()] = static_cast<char>(random());
    request.resize(random() % (request.size() + 1));
    bed.ask(request);
  }
}
