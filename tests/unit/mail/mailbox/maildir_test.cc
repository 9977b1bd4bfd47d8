// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/mailbox/maildir.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "services/mail/mailbox/line_ends.h"

using namespace postern;        // NOLINT(google-build-using-namespace)
using namespace postern::mail;  // NOLINT(google-build-using-namespace)

namespace {

struct Bed {
  std::string root;
  Bed() {
    std::string name = std::filesystem::temp_directory_path() / "postern-box-XXXXXX";
    REQUIRE(mkdtemp(name.data()) != nullptr);
    root = name;
  }
  ~Bed() {
    std::error_code ignored;
    std::filesystem::remove_all(root, ignored);
  }
  Bed(const Bed&) = delete;
  Bed& operator=(const Bed&) = delete;

  Maildir box() const {
    auto made = Maildir::open(root, root + "/anna/Maildir");
    REQUIRE(made);
    return std::move(*made);
  }
  void write(const std::string& file, const std::string& text) const {
    std::ofstream(root + "/anna/Maildir/" + file) << text;
  }
  size_t count(const char* folder) const {
    size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(root + "/anna/Maildir/" + folder))
      files += entry.is_regular_file() ? 1 : 0;
    return files;
  }
};

Body body(const std::string& text) {
  return Body(std::make_shared<const std::string>(text));
}

std::string text_of(const Maildir& box, const MailboxMessage& message) {
  auto read = box.read(message);
  REQUIRE(read);
  std::string text((*read)->octets(), '\0');
  CHECK((*read)->read(0, text) == text.size());
  return text;
}

std::string converted(auto change, const std::string& text, size_t split) {
  std::string out;
  change.feed(std::string_view(text).substr(0, split), out);
  change.feed(std::string_view(text).substr(split), out);
  return out;
}

}  // namespace

TEST_CASE("mail/maildir: a message is kept with LFs, and counted with CRLFs") {
  const Bed bed;
  Maildir box = bed.box();
  const std::string front = "Return-Path: <a@a.example>\r\n";
  REQUIRE(box.deliver({"000001-0", 1'700'000'000, front}, body("Subject: x\r\n\r\nhello\r\n")));
  const auto list = box.list();
  REQUIRE(list);
  REQUIRE(list->size() == 1);
  CHECK(list->front().octets == front.size() + 21);
  CHECK(list->front().unique == "1700000000.000001-0.postern");
  CHECK(text_of(box, list->front()) == "Return-Path: <a@a.example>\nSubject: x\n\nhello\n");
  CHECK(bed.count("tmp") == 0);
}

TEST_CASE("mail/maildir: one delivery is one message, however often it is tried") {
  const Bed bed;
  Maildir box = bed.box();
  for (int i = 0; i < 3; ++i)
    REQUIRE(box.deliver({"000001-0", 1'700'000'000 + i, ""}, body("a\r\n")));
  CHECK(box.list()->size() == 1);
  // Also when somebody has looked at it meanwhile.
  const auto list = *box.list();
  std::filesystem::rename(box.path() + "/" + list[0].file,
                          box.path() + "/cur/" + list[0].file.substr(4) + ":2,S");
  REQUIRE(box.deliver({"000001-0", 1'700'000'009, ""}, body("a\r\n")));
  REQUIRE(box.deliver({"000001-1", 1'700'000'009, ""}, body("a\r\n")));
  CHECK(box.list()->size() == 2);
}

TEST_CASE("mail/maildir: messages are listed by age, and their ids stay") {
  const Bed bed;
  Maildir box = bed.box();
  for (const int64_t time : {1'700'000'300, 1'700'000'100, 1'700'000'200, 999'999'999})
    REQUIRE(box.deliver({"id-" + std::to_string(time), time, ""}, body("x\r\n")));
  const auto before = *box.list();
  CHECK(before[0].unique.substr(0, 9) == "999999999");
  CHECK(before[3].unique.substr(0, 10) == "1700000300");
  for (const MailboxMessage& one : before)
    std::filesystem::rename(box.path() + "/" + one.file,
                            box.path() + "/cur/" + one.file.substr(4) + ":2,RS");
  const auto after = *box.list();
  REQUIRE(after.size() == 4);
  for (size_t i = 0; i < 4; ++i) {
    CHECK(after[i].unique == before[i].unique);
    CHECK(after[i].octets == before[i].octets);
  }
}

TEST_CASE("mail/maildir: messages of other tools are read once") {
  const Bed bed;
  Maildir box = bed.box();
  bed.write("new/1690000000.M1P2.host", "Subject: a\n\nb\n");
  bed.write("cur/1690000001.M1P2.host:2,S", "Subject: a\r\n\r\nb\r\n");
  bed.write("cur/\xff name with spaces", "x\n");
  bed.write("new/.hidden", "x\n");
  const auto list = *box.list();
  REQUIRE(list.size() == 3);
  std::set<std::string> ids;
  for (const MailboxMessage& message : list) {
    CHECK(message.file.find(",W=") != std::string::npos);
    CHECK(message.unique.size() <= 70);
    ids.insert(message.unique);
  }
  CHECK(ids.size() == 3);
  CHECK(list[1].octets == 17);
  CHECK(list[2].octets == 17);
  CHECK(list[2].file == "cur/1690000001.M1P2.host,W=17:2,S");
  CHECK(*box.list() == list);
}

TEST_CASE("mail/maildir: many messages of other tools are listed once each, the first time, too") {
  const Bed bed;
  Maildir box = bed.box();
  constexpr size_t kMessages = 3000;
  for (size_t i = 0; i < kMessages; ++i)
    bed.write("new/" + std::to_string(1'700'000'000 + i) + ".M1P1.other", "Subject: x\n\nhello\n");
  const auto first = box.list();
  REQUIRE(first);
  CHECK(first->size() == kMessages);
  const auto again = box.list();
  REQUIRE(again);
  CHECK(again->size() == kMessages);
}

TEST_CASE("mail/maildir: what is removed is gone, and what is gone already is no error") {
  const Bed bed;
  Maildir box = bed.box();
  for (int i = 0; i < 5; ++i)
    REQUIRE(box.deliver({"id-" + std::to_string(i), 1'700'000'000 + i, ""}, body("x\r\n")));
  auto list = *box.list();
  const std::vector<MailboxMessage> first(list.begin(), list.begin() + 2);
  REQUIRE(box.remove(first));
  REQUIRE(box.remove(first));
  CHECK(box.list()->size() == 3);
  CHECK_FALSE(box.read(first[0]));
}

TEST_CASE("mail/maildir: what cannot be written is refused, with its place") {
  const Bed bed;
  Maildir box = bed.box();
  std::filesystem::remove_all(box.path() + "/new");
  const auto done = box.deliver({"id", 1'700'000'000, ""}, body("x\r\n"));
  REQUIRE_FALSE(done);
  CHECK(done.error().text.find("/anna/Maildir/new") != std::string::npos);
  CHECK(bed.count("tmp") == 0);
}

TEST_CASE("mail/maildir: files that a crash left in tmp go after a day and a half") {
  const Bed bed;
  Maildir box = bed.box();
  bed.write("tmp/old", "half");
  bed.write("tmp/fresh", "half");
  const auto now = std::filesystem::file_time_type::clock::now();
  std::filesystem::last_write_time(box.path() + "/tmp/old", now - std::chrono::hours(37));
  REQUIRE(box.deliver({"id", std::time(nullptr), ""}, body("x\r\n")));
  CHECK(bed.count("tmp") == 1);
}

TEST_CASE("mail/line_ends: pieces may end anywhere") {
  const std::string wire = "a\r\n\r\n\rb\r\r\nc\r\n";
  const std::string kept = "a\n\n\rb\r\nc\n";
  for (size_t split = 0; split <= wire.size(); ++split)
    CHECK(converted(ToLf(), wire, split) == kept);
  for (size_t split = 0; split <= kept.size(); ++split)
    CHECK(converted(ToCrlf(), "x\ny\r\nz\n", std::min<size_t>(split, 7)) == "x\r\ny\r\nz\r\n");
}
