// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/client_hello.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace postern::http;  // NOLINT(google-build-using-namespace)
using State = ClientHello::State;

namespace {

std::string number(size_t value, size_t octets) {
  std::string text;
  for (size_t i = octets; i-- > 0;)
    text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

std::string counted(const std::string& text, size_t octets) {
  return number(text.size(), octets) + text;
}

std::string server_name(const std::string& name, uint8_t type = 0) {
  return number(0, 2) + counted(counted(number(type, 1) + counted(name, 2), 2), 2);
}

// `extensions`: without their length; "-": none at all.
std::string message(const std::string& extensions) {
  std::string body = "\x03\x03" + std::string(32, 'r') + counted("session", 1) +
                     counted("\x13\x01", 2) + counted(std::string(1, '\0'), 1);
  if (extensions != "-") body += counted(extensions, 2);
  return "\x01" + counted(body, 3);
}

std::string record(const std::string& body) {
  return "\x16\x03\x01" + counted(body, 2);
}

ClientHello parse(const std::string& octets) {
  return parse_client_hello({reinterpret_cast<const uint8_t*>(octets.data()), octets.size()});
}

}  // namespace

TEST_CASE("http/proxy/client_hello: the server name is found, in small letters", "[P27]") {
  const std::string grease = number(0x2a2a, 2) + counted("x", 2);
  const ClientHello hello =
      parse(record(message(grease + server_name("WWW.Example.com.") + grease)));
  CHECK(hello.state == State::named);
  CHECK(hello.name == "www.example.com");
}

TEST_CASE("http/proxy/client_hello: it may come in pieces of any kind", "[P27]") {
  const std::string whole = message(server_name("a.example"));
  std::string records;
  for (const char octet : whole)
    records += record(std::string(1, octet));
  CHECK(parse(records).name == "a.example");
  const std::string plain = record(whole);
  for (size_t size = 0; size < plain.size(); ++size) {
    INFO(size);
    CHECK(parse(plain.substr(0, size)).state == State::more);
  }
}

TEST_CASE("http/proxy/client_hello: what names no server is nameless, what is no TLS is not",
          "[P27]") {
  CHECK(parse(record(message("-"))).state == State::nameless);
  CHECK(parse(record(message(""))).state == State::nameless);
  CHECK(parse("GET / HTTP/1.1\r\n").state == State::not_tls);
  CHECK(parse("SSH-2.0-x\r\n").state == State::not_tls);
  CHECK(parse("\x16\x02").state == State::not_tls);
}

TEST_CASE("http/proxy/client_hello: what begins like TLS and is not is malformed", "[P27]") {
  const std::vector<std::string> bad = {
      record("\x02" + counted("x", 3)),                        // another message
      record(message(server_name("a") + server_name("b"))),    // two names
      record(message(server_name(""))),                        // none
      record(message(server_name("a", 1))),                    // of another type
      record(message(server_name("a b"))),                     // no name
      record(message(server_name(std::string("a\0b", 3)))),    // no name
      record(message(server_name("."))),                       // no name
      record(message(server_name(std::string(254, 'a')))),     // too long
      record(message(number(0, 2) + number(9, 2) + "short")),  // beyond its end
      record(message(number(0, 2) + counted("\x01", 2))),      // cut
      record("\x01" + number(20000, 3)),                       // too long to come
      std::string("\x16\x03\x01\x00\x00", 5),                  // an empty record
      "\x16\x03\x01\xff\xff",                                  // a record that may not be
      record("\x01") + "\x17\x03\x03" + counted("x", 2),       // other data in between
      record("\x01" + number(4, 3) + "\x03\x03xx"),            // too short for its fields
  };
  for (const std::string& octets : bad) {
    INFO(&octets - bad.data());
    CHECK(parse(octets).state == State::malformed);
  }
}

TEST_CASE("http/proxy/client_hello: a client that says too much first is malformed", "[P27]") {
  std::string records;
  while (records.size() < kClientHelloMax)
    records += record("\x01" + number(16000, 3)).substr(0, 5 + 4) + record(std::string(3000, 'x'));
  CHECK(parse(records).state == State::malformed);
}
