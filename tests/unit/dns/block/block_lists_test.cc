// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/block/block_lists.h"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "base/assert.h"
#include "services/dns/block/line.h"

namespace postern::dns {
namespace {

WireName wire(std::string_view text) {
  WireName name;
  POSTERN_ASSERT(to_wire_name(text, name));
  return name;
}

// A folder of lists, gone at the end.
struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("postern-block-" + std::to_string(getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  // Replaces the file in one step.
  std::string write(const std::string& name, const std::string& text) const {
    const std::string file = path / name;
    std::ofstream(file + ".new") << text;
    std::filesystem::rename(file + ".new", file);
    return file;
  }
};

LoadedBlockSet load(const BlockListSettings& settings) {
  const std::atomic<bool> stop = false;
  return load_block_set(settings, random_name_set_key(), stop);
}

TEST_CASE("dns/block: a listed name is found by labels, in any case of letters", "[P25]") {
  const Folder folder;
  const auto loaded = load({.files = {folder.write("a", "0.0.0.0 exact.example\n"),
                                      folder.write("b", "wide.example\n||ads.net^")}});
  const BlockSet& set = loaded.set;
  CHECK(set.find(wire("exact.example").view()) == 0);
  CHECK_FALSE(set.find(wire("below.exact.example").view()));
  CHECK(set.find(wire("wide.example").view()) == 1);
  CHECK(set.find(wire("a.b.c.wide.example").view()) == 1);
  CHECK_FALSE(set.find(wire("notwide.example").view()));
  CHECK_FALSE(set.find(wire("example").view()));
  CHECK(set.find(wire("x.ads.net").view()) == 1);
  WireName mixed = wire("x.ads.net");
  mixed.bytes[3] = 'A';
  CHECK(set.find(mixed.view()) == 1);
}

TEST_CASE("dns/block: bytes that are no name are not listed", "[P25]") {
  const Folder folder;
  const auto loaded = load({.files = {folder.write("a", "wide.example\n")}});
  const std::vector<std::vector<uint8_t>> bad = {{},
                                                 {0},
                                                 {1},
                                                 {1, 'a'},
                                                 {3, 'a', 0},
                                                 {0xC0, 0x0C},
                                                 {64, 'a', 0},
                                                 std::vector<uint8_t>(256, 1),
                                                 std::vector<uint8_t>(255, 63)};
  for (const auto& bytes : bad)
    CHECK_FALSE(loaded.set.find(bytes));
}

TEST_CASE("dns/block: exceptions and allow lists win over what blocks", "[P25]") {
  const Folder folder;
  const auto loaded = load({.files = {folder.write("a", "ads.example\n@@||good.ads.example^\n")},
                            .allow_files = {folder.write("b", "0.0.0.0 hosts.ads.example\n")},
                            .allow_names = {"Named.ads.example", "no name"}});
  CHECK(loaded.set.find(wire("bad.ads.example").view()) == 0);
  for (const char* name : {"good.ads.example", "x.good.ads.example", "hosts.ads.example",
                           "x.hosts.ads.example", "named.ads.example"}) {
    CHECK_FALSE(loaded.set.find(wire(name).view()));
  }
}

TEST_CASE("dns/block: a name listed twice keeps what covers most", "[P25]") {
  const Folder folder;
  const auto loaded = load({.files = {folder.write("a", "0.0.0.0 ads.example\nx.example\n"),
                                      folder.write("b", "ads.example\nx.example\n")}});
  CHECK(loaded.set.blocked.names() == 2);
  CHECK(loaded.set.find(wire("sub.ads.example").view()) == 1);
  CHECK(loaded.set.find(wire("x.example").view()) == 0);
}

TEST_CASE("dns/block: bad lines are counted and the first is shown with its place", "[P25]") {
  const Folder folder;
  const std::string file =
      folder.write("a", "good.example\n\n" + std::string(5000, 'x') + "\nhttp://x/\nlast.example");
  const auto loaded = load({.files = {file, folder.path / "missing", folder.path}});
  REQUIRE(loaded.reports.size() == 3);
  CHECK(loaded.reports[0].names == 2);
  CHECK(loaded.reports[0].bad_lines == 2);
  CHECK(loaded.reports[0].first_bad == file + ":3: the line is too long");
  CHECK(loaded.reports[1].error ==
        (folder.path / "missing").string() + ": No such file or directory");
  CHECK(loaded.reports[2].error == folder.path.string() + ": not a file");
  CHECK_FALSE(loaded.is_whole());
  CHECK(loaded.set.find(wire("last.example").view()) == 0);
}

TEST_CASE("dns/block: names beyond the limit are not taken and are counted", "[P25]") {
  const Folder folder;
  const auto loaded =
      load({.files = {folder.write("a", "a.example\nb.example\nc.example\n")}, .names_max = 2});
  CHECK(loaded.set.blocked.names() == 2);
  CHECK(loaded.reports[0].no_room == 1);
  CHECK_FALSE(loaded.set.find(wire("c.example").view()));
}

TEST_CASE("dns/block: many names take nine bytes each and all are found", "[P25]") {
  NameSetBuilder builder(random_name_set_key(), 1'000'000);
  constexpr size_t kNames = 200'000;
  const auto name = [](size_t i) { return wire("host" + std::to_string(i) + ".example.net"); };
  for (size_t i = 0; i < kNames; ++i)
    builder.add(name(i).view(), true, 3);
  const NameSet set = std::move(builder).build();
  CHECK(set.names() == kNames);
  CHECK(set.bytes() <= kNames * 9 + 64);
  size_t found = 0;
  size_t strangers = 0;
  for (size_t i = 0; i < kNames; ++i)
    found += set.find(name(i).view()) == 3;
  for (size_t i = kNames; i < 2 * kNames; ++i)
    strangers += set.find(name(i).view()).has_value();
  CHECK(found == kNames);
  CHECK(strangers == 0);
}

// Runs the context until `done` holds, two seconds at most.
template <typename Done>
bool run_until(boost::asio::io_context& context, Done done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (!done() && std::chrono::steady_clock::now() < end) {
    context.restart();
    context.run_for(std::chrono::milliseconds(5));
  }
  return done();
}

TEST_CASE("dns/block: lists are swapped whole and follow their files", "[P25]") {
  const Folder folder;
  const std::string file = folder.write("a", "old.example\n");
  boost::asio::io_context context;
  int changes = 0;
  BlockLists lists(
      context, [&] { ++changes; }, milliseconds(10));
  lists.configure({.files = {file}});
  CHECK(lists.is_loading());
  CHECK_FALSE(lists.find(wire("old.example").view()));
  REQUIRE(run_until(context, [&] { return changes == 1; }));
  CHECK(lists.find(wire("old.example").view()));

  folder.write("a", "new.example\nand.more.example\n");
  REQUIRE(run_until(context, [&] { return changes == 2; }));
  CHECK_FALSE(lists.find(wire("old.example").view()));
  CHECK(lists.find(wire("new.example").view()));

  // A file that is gone leaves what is in force, and is read when it is back.
  std::filesystem::remove(file);
  REQUIRE(run_until(context, [&] { return changes == 3; }));
  CHECK(lists.find(wire("new.example").view()));
  CHECK(lists.loads_kept() == 1);
  CHECK_FALSE(lists.reports().at(0).error.empty());
  folder.write("a", "back.example\n");
  REQUIRE(run_until(context, [&] { return changes == 4; }));
  CHECK(lists.find(wire("back.example").view()));
  CHECK(lists.loads() == 3);

  lists.configure({});
  CHECK_FALSE(lists.find(wire("back.example").view()));
  CHECK(lists.reports().empty());
}

TEST_CASE("dns/block: settings that change under a loading are the ones that count", "[P25]") {
  const Folder folder;
  std::string many;
  for (int i = 0; i < 100'000; ++i)
    many += "n" + std::to_string(i) + ".example\n";
  boost::asio::io_context context;
  int changes = 0;
  BlockLists lists(context, [&] { ++changes; });
  lists.configure({.files = {folder.write("a", many)}});
  lists.configure({.files = {folder.write("b", "b.example\n")}});
  REQUIRE(run_until(context, [&] { return changes > 0 && !lists.is_loading(); }));
  CHECK(lists.set().blocked.names() == 1);
  CHECK(lists.find(wire("b.example").view()));
  // And one that is given up altogether.
  lists.configure({.files = {folder.path / "a"}});
}

}  // namespace
}  // namespace postern::dns
