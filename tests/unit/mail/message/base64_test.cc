// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/message/base64.h"

#include <catch2/catch.hpp>
#include <utility>

namespace postern::mail {
namespace {

using namespace std::string_view_literals;

TEST_CASE("mail/message/base64: the test vectors come true both ways") {
  for (const auto& [plain, text] : {std::pair{""sv, ""sv},
                                    {"f"sv, "Zg=="sv},
                                    {"fo"sv, "Zm8="sv},
                                    {"foo"sv, "Zm9v"sv},
                                    {"foob"sv, "Zm9vYg=="sv},
                                    {"fooba"sv, "Zm9vYmE="sv},
                                    {"foobar"sv, "Zm9vYmFy"sv},
                                    {"\0joe\0secret"sv, "AGpvZQBzZWNyZXQ="sv},
                                    {"\xff\xfe\xfd"sv, "//79"sv}}) {
    CHECK(encode_base64(plain) == text);
    CHECK(decode_base64(text) == plain);
  }
}

TEST_CASE("mail/message/base64: anything else is refused") {
  for (const auto* text : {"Z", "Zg", "Zg=", "Zg==Zg==", "Z===", "====", "=",
                           "Zg= =", "Zh==", "Zm9=", "Zm 9", "Zm9\n", "Zm9-", "Zm9_", "Zg==\r\n"}) {
    INFO(text);
    CHECK(!decode_base64(text));
  }
}

}  // namespace
}  // namespace postern::mail
