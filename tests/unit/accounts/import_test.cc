// SPDX-License-Identifier: BSD-3-Clause
#include "control/accounts/import.h"

#include <catch2/catch.hpp>

using namespace postern;
using namespace postern::accounts;

namespace {

const std::string kSha512 = "$6$saltsalt$" + std::string(86, 'a');

Import read(ImportFormat format, std::string_view text, std::string_view shadow = "") {
  return read_import(format, text, shadow, {});
}

std::string bad_of(const Import& import) {
  std::string out;
  for (const Import::Bad& bad : import.bad)
    out += std::to_string(bad.line) + ": " + bad.text + "\n";
  return out;
}

}  // namespace

TEST_CASE("accounts/import: people of a passwd file with the hashes of its shadow file", "[F70]") {
  Import import = read(ImportFormat::passwd,
                       "root:x:0:0:root:/root:/bin/bash\n"
                       "# people\n"
                       "alice:x:1000:1000:Alice Smith,Room 1,,:/home/alice:/bin/bash\n"
                       "Bob:x:1001:1001::/home/bob:/bin/bash\n"
                       "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"
                       "carol:x:100x:1002::/:/bin/sh\n"
                       "dave:x:1003:1003\n",
                       "root:*:19000::::::\nalice:" + kSha512 + ":19000:0:99999:7:::\n" + "Bob:!" +
                           kSha512 + ":19000::::::\n");
  CHECK(import.left_out == 2);
  CHECK(bad_of(import) ==
        "6: is no line of a passwd file: seven fields with : between\n"
        "7: is no line of a passwd file: seven fields with : between\n");
  REQUIRE(import.users.size() == 2);
  CHECK(import.users[0].user.description == "Alice Smith");
  CHECK(import.users[0].user.password == kSha512);
  CHECK(import.users[1].user.name == "bob");
  CHECK_FALSE(import.users[1].user.enabled);
  CHECK(import.users[1].user.password.empty());
}

TEST_CASE("accounts/import: htpasswd, with the lines that cannot be used", "[F70]") {
  Import import =
      read(ImportFormat::htpasswd, "alice:" + kSha512 +
                                       "\r\n\nbob:$apr1$abcdefgh$0123456789012345678901\n"
                                       "carol\nalice:" +
                                       kSha512 + "\n");
  CHECK(import.users.size() == 1);
  CHECK(import.bad_count == 3);
  CHECK(bad_of(import).find("3: bob has a password that is a hash of Apache's MD5") == 0);
  CHECK(bad_of(import).find("5: alice is there twice") != std::string::npos);
}

TEST_CASE("accounts/import: CSV with quotes, groups and passwords in clear", "[F70]") {
  Import import = read(ImportFormat::csv,
                       "Name,description,password,role,groups,enabled\r\n"
                       "alice,\"Smith, \"\"Al\"\"\",correct-horse1,viewer,staff;Sales,yes\r\n"
                       "bob,\"two\nlines\",correct-horse1,,,\r\n"
                       "carol,Carol,short,,,\r\n"
                       "\r\n"
                       "dave,D,,root,,\r\n"
                       "erin,E,,,,no\r\n"
                       "frank,F\r\n"
                       "grace,\"G\r\n");
  CHECK(bad_of(import) ==
        "3: bob has a description of more than 255 bytes or with control characters\n"
        "5: carol: the password is too short: at least 8 bytes with a digit and a special "
        "character is asked for\n"
        "7: 'root' is no role: none, viewer, operator, admin\n"
        "9: has 2 fields, not 6, or an open quote\n"
        "10: has 2 fields, not 6, or an open quote\n");
  REQUIRE(import.users.size() == 2);
  CHECK(import.users[0].user.description == "Smith, \"Al\"");
  CHECK(import.users[0].password == "correct-horse1");
  CHECK(import.users[0].user.role == config::Role::viewer);
  CHECK(import.groups == std::vector<std::string>{"sales", "staff"});
  CHECK_FALSE(import.users[1].user.enabled);
  CHECK(read(ImportFormat::csv, "login;description\na;b\n").bad_count == 1);
  CHECK(read(ImportFormat::csv, "name;hash\nalice;" + kSha512 + "\n").users.size() == 1);
}

TEST_CASE("accounts/import: people and groups of a directory", "[F70]") {
  Import import = read(ImportFormat::ldif,
                       "version: 1\n"
                       "# the tree\n"
                       "dn: ou=people,dc=example\n"
                       "objectClass: organizationalUnit\n"
                       "\n"
                       "dn: uid=alice,ou=people,dc=example\n"
                       "objectClass: inetOrgPerson\n"
                       "uid: alice\n"
                       "cn:: QWxpY2UgU8O2ZGVy\n"
                       "userPassword: {CRYPT}$6$saltsalt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
                       " aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
                       "\n"
                       "dn: CN=Bob,DC=example\n"
                       "sAMAccountName: Bob\n"
                       "displayName: Bob Jones\n"
                       "userAccountControl: 514\n"
                       "memberOf: CN=Domain Users,CN=Users,DC=example\n"
                       "\n"
                       "dn: cn=staff,dc=example\n"
                       "objectClass: posixGroup\n"
                       "cn: staff\n"
                       "memberUid: alice\n"
                       "memberUid: Bob\n"
                       "\n"
                       "dn: cn=bosses,dc=example\n"
                       "objectClass: groupOfNames\n"
                       "cn: Bosses\n"
                       "member: uid=alice,ou=people,dc=example\n"
                       "\n"
                       "dn: uid=carol,dc=example\n"
                       "changetype: delete\n"
                       "\n"
                       "dn: uid=dave,dc=example\n"
                       "uid:: !!!\n");
  CHECK(bad_of(import) == "30: is a change, not an entry\n33: has a value that is no base64\n");
  CHECK(import.left_out == 1);
  REQUIRE(import.users.size() == 2);
  CHECK(import.users[0].user.description ==
        "Alice S\xC3\xB6"
        "der");
  CHECK(import.users[0].user.groups == std::vector<std::string>{"bosses", "staff"});
  CHECK(import.users[0].user.password.size() == 7 + kSha512.size());
  CHECK(import.users[1].user.groups == std::vector<std::string>{"domain-users", "staff"});
  CHECK_FALSE(import.users[1].user.enabled);
}

TEST_CASE("accounts/import: 500 people", "[F70]") {
  std::string text = "name,description,groups\n";
  for (int i = 0; i < 500; ++i)
    text += "user" + std::to_string(i) + ",User " + std::to_string(i) + ",staff\n";
  Import import = read(ImportFormat::csv, text);
  CHECK(import.users.size() == 500);
  CHECK(import.bad_count == 0);
}
