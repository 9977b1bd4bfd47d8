// SPDX-License-Identifier: BSD-3-Clause
#include "control/remote/channel/keys.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "control/text_file.h"
#include "unit/control/configuration.h"

using namespace postern;
using namespace postern::remote;

TEST_CASE("remote/keys: a key file is read back, and is its owner's alone", "[F59]") {
  test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/key";
  const SigningKey key = SigningKey::generate();
  REQUIRE(write_key_file(path, key));
  struct stat facts = {};
  REQUIRE(stat(path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 0600);
  auto read = read_key_file(path);
  REQUIRE(read);
  CHECK(read->public_key() == key.public_key());
  SECTION("it is not written over") {
    auto again = write_key_file(path, SigningKey::generate());
    REQUIRE_FALSE(again);
    CHECK(again.error().code == ErrorCode::denied);
    CHECK(read_key_file(path)->public_key() == key.public_key());
  }
  SECTION("others could read it: refused") {
    REQUIRE(chmod(path.c_str(), 0640) == 0);
    auto open = read_key_file(path);
    REQUIRE_FALSE(open);
    CHECK(open.error().text.find("chmod 600") != std::string::npos);
  }
  SECTION("what is no key is refused") {
    std::string text = *read_text_file(path);
    const std::string bad = GENERATE_COPY(
        std::string(), std::string("postern-key-1 \n"), text.substr(0, 40), text + "more",
        std::string("postern-key-2") + text.substr(13), text.substr(0, 20) + "*" + text.substr(21));
    REQUIRE(write_text_file(path, bad));
    REQUIRE(chmod(path.c_str(), 0600) == 0);
    CHECK(read_key_file(path).error().code == ErrorCode::invalid);
  }
}

TEST_CASE("remote/keys: no file is told apart from a bad one", "[F59]") {
  test::TemporaryDirectory directory;
  CHECK(read_key_file(directory.path() + "/none").error().code == ErrorCode::not_found);
  CHECK(read_key_file(directory.path()).error().code == ErrorCode::invalid);
}

TEST_CASE("remote/keys: public keys as text", "[F59]") {
  const SigningKey key = SigningKey::generate();
  const std::string text = to_text(key.public_key());
  CHECK(text.size() == 8 + 44);
  CHECK(text.starts_with("ed25519:"));
  CHECK(parse_public_key(text) == key.public_key());
  for (const std::string& bad :
       {std::string(), text.substr(1), text + "A", text + "\n", " " + text, text.substr(8),
        "ed25519:" + std::string(43, 'A') + "=", "ed25519:" + std::string(44, '=')}) {
    CHECK_FALSE(parse_public_key(bad));
  }
}

TEST_CASE("remote/keys: a signature is of one text and one key", "[F59]") {
  const SigningKey key = SigningKey::generate(), other = SigningKey::generate();
  const std::array<uint8_t, 3> text = {1, 2, 3}, changed = {1, 2, 4};
  const Signature signature = key.sign(text);
  CHECK(verify(key.public_key(), text, signature));
  CHECK_FALSE(verify(key.public_key(), changed, signature));
  CHECK_FALSE(verify(other.public_key(), text, signature));
}
