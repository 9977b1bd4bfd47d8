// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/mailbox/mailboxes.h"

#include <catch2/catch.hpp>
#include <filesystem>

using namespace postern;        // NOLINT(google-build-using-namespace)
using namespace postern::mail;  // NOLINT(google-build-using-namespace)

TEST_CASE("mail/mailbox: names of users and folders lead nowhere else", "[F50]") {
  std::string root = std::filesystem::temp_directory_path() / "postern-boxes-XXXXXX";
  REQUIRE(mkdtemp(root.data()) != nullptr);
  root += "/mailboxes";
  const auto opened = Mailboxes::open(root);
  REQUIRE(opened);
  const Mailboxes& boxes = *opened;
  REQUIRE(Mailboxes::open(root));

  for (const std::string& wrong :
       {std::string(), std::string("."), std::string(".."), std::string(".hidden"),
        std::string("a/b"), std::string("/etc"), std::string("a\nb"), std::string("a\0b", 3),
        std::string("a\x7f"), std::string(201, 'a')}) {
    CAPTURE(wrong);
    const auto path = boxes.path_of(wrong);
    REQUIRE_FALSE(path);
    CHECK(path.error().code == ErrorCode::invalid);
    CHECK_FALSE(boxes.mailbox(wrong));
  }

  struct Case {
    std::string folder, path;
  };
  const Case cases[] = {
      {"", "/anna.b"},
      {"Lists", "/anna.b/.Lists"},
      {"Lists/DPDK", "/anna.b/.Lists.DPDK"},
      {"..", "/anna.b/.__"},
      {"../../etc/x", "/anna.b/.__.__.etc.x"},
      {"/", "/anna.b"},
      {"//a//", "/anna.b/.a"},
      {"dev.dpdk.org", "/anna.b/.dev_dpdk_org"},
      {"a\r\nb", "/anna.b/.a__b"},
      {std::string("a\0b", 3), "/anna.b/.a_b"},
      {"Entw\xc3\xbcrfe", "/anna.b/.Entw\xc3\xbcrfe"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.folder);
    const auto path = boxes.path_of("anna.b", one.folder);
    REQUIRE(path);
    CHECK(*path == root + one.path);
  }
  const auto cut = boxes.path_of("anna", std::string(198, 'a') + "\xc3\xbc\xc3\xbc");
  REQUIRE(cut);
  CHECK(*cut == root + "/anna/." + std::string(198, 'a'));

  auto box = boxes.mailbox("anna", "Lists/DPDK");
  REQUIRE(box);
  CHECK(std::filesystem::exists(root + "/anna/.Lists.DPDK/new"));
  Delivery delivery;
  delivery.id = "4K7QX2-1";
  delivery.is_first = true;
  REQUIRE(box->deliver(delivery, Body(std::make_shared<const std::string>("a\r\n"))));
  const auto deliveries = box->deliveries();
  REQUIRE(deliveries);
  CHECK(*deliveries == std::vector<std::string>{"4K7QX2-1"});
  std::error_code ignored;
  std::filesystem::remove_all(std::filesystem::path(root).parent_path(), ignored);
}
