// SPDX-License-Identifier: BSD-3-Clause
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/login/kept_login.h"
#include "cli/login/page_address.h"
#include "cli/login/trust.h"

using namespace postern;
using namespace postern::cli;
using Word = KeyOpinion::Word;

namespace {

struct Directory {
  std::string path = "/tmp/postern-login-test-XXXXXX";
  Directory() { REQUIRE(mkdtemp(path.data()) != nullptr); }
  ~Directory() { std::filesystem::remove_all(path); }
};

// Of one digit, 64 times.
std::string fingerprint(char digit) {
  return *parse_fingerprint(std::string(64, digit));
}

SeenCertificate seen(char digit, bool is_verified = false) {
  return {fingerprint(digit), is_verified, is_verified ? "" : "self-signed certificate"};
}

}  // namespace

TEST_CASE("cli/login: addresses of pages", "[F27]") {
  auto page = parse_page_address("https://Gateway.Office/");
  REQUIRE(page);
  CHECK(page->key() == "gateway.office:443");
  CHECK(page->authority() == "gateway.office");
  CHECK(page->url() == "https://gateway.office/");
  page = parse_page_address("192.168.1.1:4443");
  REQUIRE(page);
  CHECK(page->authority() == "192.168.1.1:4443");
  CHECK(page->url() == "https://192.168.1.1:4443/");
  for (const char* bad : {"", "/", "https://", "https:///", "http://x/", "https://x/login", "x y",
                          "https://x?a", "https://a@x/", "x:0", "x:65536", "x:", ":1", "x:1:2",
                          "-x", ".x", "https://https://x", "x\r\nHost: y", "[::1]"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_page_address(bad));
  }
  CHECK(parse_page_address("https://anna:secret@x/").error().text.find("secret") ==
        std::string::npos);
}

TEST_CASE("cli/login: fingerprints in the forms in which they are told", "[F27]") {
  const std::string digits(64, 'a');
  const std::string wanted = fingerprint('A');
  CHECK(wanted.size() == 95);
  CHECK(wanted.starts_with("AA:AA:"));
  CHECK(*parse_fingerprint(digits) == wanted);
  CHECK(*parse_fingerprint(wanted) == wanted);
  CHECK(*parse_fingerprint("sha256:" + wanted) == wanted);
  CHECK(*parse_fingerprint("SHA256:" + digits) == wanted);
  for (const std::string& bad :
       {std::string(), std::string("sha256:"), digits + "a", digits.substr(1), "md5:" + digits,
        "x" + digits.substr(1), "a:" + digits.substr(1), digits + " "}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_fingerprint(bad));
  }
}

TEST_CASE("cli/login: who vouches for a certificate", "[F27]") {
  Directory directory;
  Trust trust{"", "", directory.path + "/known"};
  const std::string host = "gateway:443";
  auto word = [&](const SeenCertificate& certificate) {
    auto opinion = judge_certificate(trust, host, certificate);
    REQUIRE(opinion);
    CHECK(opinion->why.empty() == (opinion->word != Word::refused));
    return opinion->word;
  };
  CHECK(word(seen('1')) == Word::unknown);
  CHECK(word(seen('1', true)) == Word::known);
  REQUIRE(add_known_page(trust, "other:443", seen('2')));
  CHECK(word(seen('2')) == Word::unknown);
  REQUIRE(add_known_page(trust, host, seen('1')));
  CHECK(word(seen('1')) == Word::known);
  CHECK(word(seen('2')) == Word::refused);
  CHECK(word(seen('1', true)) == Word::known);
  CHECK(word(seen('2', true)) == Word::refused);  // whoever vouches for it
  CHECK(judge_certificate(trust, host, seen('2'))->why.find("remove line 2 of") !=
        std::string::npos);
  trust.ca_file = "/ca.pem";
  CHECK(word(seen('1')) == Word::refused);  // a file of authorities is to vouch for it
  CHECK(word(seen('2', true)) == Word::known);
  trust = {fingerprint('3'), "", trust.known_file};
  CHECK(word(seen('1', true)) == Word::refused);
  CHECK(word(seen('3')) == Word::known);
}

TEST_CASE("cli/login: a line that is no fingerprint is an error, not a stranger", "[F27]") {
  Directory directory;
  const Trust trust{"", "", directory.path + "/known"};
  std::ofstream(trust.known_file) << "# pages\ngateway:443 nonsense";
  auto opinion = judge_certificate(trust, "gateway:443", seen('1'));
  REQUIRE_FALSE(opinion);
  CHECK(opinion.error().text.find("known:2:") != std::string::npos);
  // A last line without its end is not continued.
  REQUIRE(add_known_page(trust, "other:443", seen('1')));
  CHECK(judge_certificate(trust, "other:443", seen('1'))->word == Word::known);
}

TEST_CASE("cli/login: a log-in is kept for its owner alone", "[F27]") {
  Directory directory;
  setenv("XDG_RUNTIME_DIR", directory.path.c_str(), 1);
  const PageAddress page{"gateway", 443};
  auto path = kept_login_path(page);
  REQUIRE(path);
  CHECK(find_kept_login(*path).error().code == ErrorCode::not_found);
  const std::string cookie(64, 'c');
  REQUIRE(keep_login(*path, cookie));
  struct stat found = {};
  REQUIRE(stat(path->c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
  CHECK(*find_kept_login(*path) == cookie);
  forget_login(*path);
  CHECK_FALSE(find_kept_login(*path));
  std::ofstream(*path) << "nonsense\r\nSet-Cookie: x";
  CHECK_FALSE(find_kept_login(*path));
  chmod((directory.path + "/postern").c_str(), 0755);
  CHECK_FALSE(kept_login_path(page));
  chmod((directory.path + "/postern").c_str(), 0700);
  CHECK(kept_login_path(page));
  chmod(directory.path.c_str(), 0777);
  CHECK_FALSE(kept_login_path(page));
  chmod(directory.path.c_str(), 0700);
  const std::string link = directory.path + "-link";
  REQUIRE(symlink(directory.path.c_str(), link.c_str()) == 0);
  setenv("XDG_RUNTIME_DIR", link.c_str(), 1);
  CHECK_FALSE(kept_login_path(page));
  unlink(link.c_str());
  unsetenv("XDG_RUNTIME_DIR");
}
