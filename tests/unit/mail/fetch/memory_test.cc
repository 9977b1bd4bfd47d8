// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/fetch/memory.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

using namespace postern;        // NOLINT(google-build-using-namespace)
using namespace postern::mail;  // NOLINT(google-build-using-namespace)

namespace {

struct Bed {
  std::string folder = std::filesystem::temp_directory_path() / "postern-fetch-XXXXXX";
  std::unique_ptr<FetchMemory> memory;

  Bed() {
    REQUIRE(mkdtemp(folder.data()) != nullptr);
    open();
  }
  ~Bed() {
    memory.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  Bed(const Bed&) = delete;
  Bed& operator=(const Bed&) = delete;

  // What is not on the disk is forgotten.
  void open() {
    memory.reset();
    auto opened = FetchMemory::open(folder + "/fetch.sqlite");
    REQUIRE(opened);
    memory = std::move(*opened);
  }
  // Of a message that goes through, its copies.
  std::vector<bool> pass(const std::string& uid, const std::vector<std::string>& keys,
                         int64_t now_s) {
    auto has_copy = memory->begin({"joe@isp", uid, 7, keys, 100});
    REQUIRE(has_copy);
    REQUIRE(memory->take("joe@isp", uid, Fate::taken, now_s));
    return *has_copy;
  }
};

Pop3Listing listing(const std::vector<std::string>& uids) {
  Pop3Listing made;
  for (size_t i = 1; i <= uids.size(); ++i)
    REQUIRE(made.add(std::to_string(i) + " 100"));
  REQUIRE(made.finish());
  for (size_t i = 1; i <= uids.size(); ++i) {
    if (!uids[i - 1].empty()) REQUIRE(made.add_uid(std::to_string(i) + ' ' + uids[i - 1]));
  }
  return made;
}

// "u" unknown, "t" taken, "l" too large, "r" refused, for each.
std::string fates(Bed& bed, const std::vector<std::string>& uids, int64_t now_s = 1000) {
  auto known = bed.memory->compare("joe@isp", listing(uids), now_s);
  REQUIRE(known);
  std::string out;
  for (const auto& one : *known)
    out += "utlr"[static_cast<size_t>(one.fate)];
  return out;
}

}  // namespace

TEST_CASE("mail/fetch/memory: what was taken is known, also after a start", "[F50][C20]") {
  Bed bed;
  CHECK(fates(bed, {"b", "a", "c"}) == "uuu");
  CHECK(bed.pass("a", {}, 500).empty());
  REQUIRE(bed.memory->take("joe@isp", "c", Fate::too_large, 600));
  REQUIRE(bed.memory->take("ann@isp", "b", Fate::taken, 600));
  bed.open();
  CHECK(fates(bed, {"b", "a", "c"}) == "utl");
  const auto known = bed.memory->compare("joe@isp", listing({"b", "a", "c"}), 1000);
  REQUIRE(known);
  CHECK((*known)[1].since_s == 500);
}

TEST_CASE("mail/fetch/memory: what the server does not list for days is forgotten", "[F50][C20]") {
  Bed bed;
  for (const char* uid : {"a", "b", "c", "d"})
    bed.pass(uid, {}, 500);
  CHECK(fates(bed, {"b", "d", "e"}) == "ttu");
  CHECK(fates(bed, {}).empty());
  CHECK(fates(bed, {"a", "b", "c", "d"}) == "tttt");
  REQUIRE(bed.memory->forget("joe@isp", {"b"}));
  CHECK(fates(bed, {"b", "d"}) == "ut");
  // What comes back in between is missed anew.
  const int64_t days = FetchMemory::kMissingKept;
  CHECK(fates(bed, {"c"}, 1000 + days / 2) == "t");
  CHECK(fates(bed, {"c"}, 1000 + days) == "t");
  CHECK(fates(bed, {"a", "c", "d"}, 1000 + days) == "utt");
  CHECK(fates(bed, {"a", "c", "d"}, 1000 + 3 * days) == "utt");
}

TEST_CASE("mail/fetch/memory: one id of two messages, and messages without one", "[F50]") {
  Bed bed;
  bed.pass("same", {}, 500);
  CHECK(fates(bed, {"same", "", "x", "same"}) == "tuut");
  // Those that have no id of the server's are not listed by the ones they have here.
  const std::string own = std::string(1, FetchMemory::kOwnUid) + "hash";
  bed.pass(own, {}, 500);
  CHECK(fates(bed, {"", ""}) == "uu");
  auto known = bed.memory->find("joe@isp", own);
  REQUIRE(known);
  CHECK(known->fate == Fate::taken);
  CHECK(fates(bed, {""}, 501 + FetchMemory::kCopiesKept) == "u");
  known = bed.memory->find("joe@isp", own);
  REQUIRE(known);
  CHECK(known->fate == Fate::unknown);
}

TEST_CASE("mail/fetch/memory: each recipient has one copy of a message", "[C20]") {
  Bed bed;
  const std::string anna = copy_key("joe@isp", "<1@a>\n", "anna");
  const std::string bert = copy_key("joe@isp", "<1@a>\n", "bert");
  const std::string other = copy_key("joe@isp", "<2@a>\n", "anna");
  CHECK(anna.size() == 32);
  CHECK(copy_key("joe@isp2", "<1@a>\n", "anna") != anna);
  CHECK(bed.pass("u1", {anna}, 500) == std::vector<bool>{false});
  bed.open();
  CHECK(bed.pass("u2", {anna, bert}, 500) == std::vector<bool>{true, false});
  CHECK(bed.pass("u3", {anna, bert}, 500) == std::vector<bool>{true, true});
  CHECK(bed.pass("u4", {other}, 500) == std::vector<bool>{false});
  // Not for ever: people do send things again.
  CHECK(fates(bed, {"u4"}, 501 + FetchMemory::kCopiesKept) == "t");
  CHECK(bed.pass("u5", {anna}, 500) == std::vector<bool>{false});
}

TEST_CASE("mail/fetch/memory: what was under way is told after a crash", "[C20]") {
  Bed bed;
  const std::string anna = copy_key("joe@isp", "<1@a>\n", "anna");
  REQUIRE(bed.memory->begin({"joe@isp", "u1", 7, {anna}, 900}));
  REQUIRE(bed.memory->begin({"ann@isp", "u2", 8, {}, 0}));
  bed.open();
  auto intents = bed.memory->open_intents();
  REQUIRE(intents);
  REQUIRE(intents->size() == 2);
  CHECK((*intents)[1].account == "joe@isp");
  CHECK((*intents)[1].uid == "u1");
  CHECK((*intents)[1].number == 7);
  CHECK((*intents)[1].octets == 900);
  CHECK((*intents)[1].keys == std::vector<std::string>{anna});
  REQUIRE(bed.memory->take("joe@isp", "u1", Fate::taken, 900));
  REQUIRE(bed.memory->give_up("ann@isp"));
  intents = bed.memory->open_intents();
  REQUIRE(intents);
  CHECK(intents->empty());
  CHECK(bed.pass("u3", {anna}, 900) == std::vector<bool>{true});
}

TEST_CASE("mail/fetch/memory: what the queue did not take leaves no copy", "[C20]") {
  Bed bed;
  const std::string anna = copy_key("joe@isp", "<1@a>\n", "anna");
  REQUIRE(bed.memory->begin({"joe@isp", "u1", 7, {anna}, 100}));
  REQUIRE(bed.memory->take("joe@isp", "u1", Fate::refused, 500));
  CHECK(bed.pass("u2", {anna}, 500) == std::vector<bool>{false});
  CHECK(fates(bed, {"u1", "u2"}) == "rt");
}

TEST_CASE("mail/fetch/memory: a file of something else is not touched", "[F50]") {
  Bed bed;
  const std::string path = bed.folder + "/other";
  std::ofstream(path) << "notes";
  const auto opened = FetchMemory::open(path);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().text.find(path) != std::string::npos);
}

TEST_CASE("mail/fetch/memory: 100,000 messages at a server are compared in one walk", "[F50]") {
  Bed bed;
  std::vector<std::string> uids;
  for (size_t i = 0; i < 100'000; ++i)
    uids.push_back("uid-" + std::to_string(i * 7919 % 100'003));
  for (size_t i = 0; i < 50; ++i)
    REQUIRE(bed.memory->take("joe@isp", uids[i * 2000], Fate::taken, 500));
  const std::string found = fates(bed, uids);
  CHECK(std::count(found.begin(), found.end(), 't') == 50);
  CHECK(found[2000] == 't');
  CHECK(found[2001] == 'u');
}
