// SPDX-License-Identifier: BSD-3-Clause
#include "control/log/log_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <sstream>

#include "control/log/audit_log.h"
#include "control/text_file.h"
#include "unit/control/configuration.h"
#include "unit/control/full_disk.h"

using namespace postern;

namespace {

using Clock = std::chrono::steady_clock;
constexpr uint64_t kLarge = 1 << 20;

struct Bed {
  test::TemporaryDirectory directory;
  std::string path = directory.path() + "/log/x.log";

  LogWriter::Targets targets(bool has_file, bool console = false, uint64_t bytes_max = kLarge) {
    LogWriter::Targets targets;
    if (has_file) {
      targets.file = std::make_unique<RotatedFile>(RotatedFile::Settings{path, bytes_max, 2});
      REQUIRE(targets.file->check());
    }
    targets.console = console;
    targets.lost_line = [](uint64_t lines) { return "lost " + std::to_string(lines); };
    return targets;
  }
  std::string text(const std::string& name = "x.log") {
    auto text = read_text_file(directory.path() + "/log/" + name);
    return text ? *text : "";
  }
};

void write(LogWriter& writer, int from, int to) {
  for (int i = from; i < to; ++i)
    writer.add(std::to_string(i));
}

std::string numbers(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i)
    text += std::to_string(i) + "\n";
  return text;
}

// Standard error is the writing end of a pipe that nobody reads.
class UnreadConsole {
 public:
  UnreadConsole() : before_(dup(STDERR_FILENO)) {
    REQUIRE(pipe(ends_) == 0);
    dup2(ends_[1], STDERR_FILENO);
  }
  ~UnreadConsole() {
    dup2(before_, STDERR_FILENO);
    for (int fd : {before_, ends_[0], ends_[1]})
      close(fd);
  }
  UnreadConsole(const UnreadConsole&) = delete;
  UnreadConsole& operator=(const UnreadConsole&) = delete;

  std::string read_all() const {
    std::string text(1 << 20, '\0');
    fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    size_t size = 0;
    for (ssize_t some = 0; (some = read(ends_[0], &text[size], text.size() - size)) > 0;)
      size += static_cast<size_t>(some);
    text.resize(size);
    return text;
  }

 private:
  int before_;
  int ends_[2] = {-1, -1};
};

}  // namespace

TEST_CASE("control/log: lines that a full disk does not take are counted, and told at their place",
          "[F67]") {
  Bed bed;
  LogWriter writer;
  writer.use(bed.targets(true));
  write(writer, 0, 10);
  writer.settle();
  {
    test::FullDisk full(25);  // one line more, and a part of the next
    write(writer, 10, 20);
    writer.settle();
    CHECK(writer.is_failing());
  }
  const uint64_t missing = writer.unwritten();
  CHECK(missing >= 8);
  write(writer, 20, 30);
  writer.settle();
  CHECK_FALSE(writer.is_failing());
  CHECK(writer.unwritten() == missing);
  const int gap = 20 - static_cast<int>(missing);
  CHECK(bed.text() == numbers(0, gap) + "lost " + std::to_string(missing) + "\n" + numbers(20, 30));
}

TEST_CASE("control/log: files are rotated between lines, and none is missing", "[F66]") {
  Bed bed;
  LogWriter writer;
  writer.use(bed.targets(true, false, 40));
  write(writer, 10, 50);  // 13 lines a file
  writer.settle();
  CHECK(bed.text("x.2.log") == numbers(23, 36));
  CHECK(bed.text("x.1.log") == numbers(36, 49));
  CHECK(bed.text() == numbers(49, 50));
  CHECK_FALSE(std::filesystem::exists(bed.directory.path() + "/log/x.3.log"));
  const std::string large(100, 'x');
  writer.add(large);
  writer.add("y");
  writer.settle();
  CHECK(bed.text("x.1.log") == large + "\n");
  CHECK(bed.text() == "y\n");
  CHECK(writer.unwritten() == 0);
  struct stat facts = {};
  REQUIRE(stat(bed.path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0640);
}

TEST_CASE("control/log: settings that change lose no line and mix none up", "[F66]") {
  Bed bed;
  {
    LogWriter writer;
    for (int i = 0; i < 100; ++i) {
      writer.use(bed.targets(true, false, 1000 + static_cast<uint64_t>(i)));
      write(writer, 100 + i, 101 + i);
    }
  }
  CHECK(bed.text() == numbers(100, 200));
}

TEST_CASE("control/log: a console that nobody reads holds up neither writers nor the file",
          "[F67]") {
  Bed bed;
  const std::string line(1000, 'x');
  UnreadConsole console;
  LogWriter writer;
  writer.use(bed.targets(true, true));
  const auto begin = Clock::now();
  for (int i = 0; i < 200; ++i)
    writer.add(line);
  CHECK(Clock::now() - begin < std::chrono::seconds(1));
  writer.settle();
  CHECK(bed.text().size() == 200 * 1001);
  CHECK(writer.is_failing());
  const std::string shown = console.read_all();
  CHECK(writer.unwritten() == 200 - shown.size() / 1001);
  CHECK(shown.size() % 1001 == 0);
  writer.add("again");
  writer.settle();
  CHECK(console.read_all() == "lost " + std::to_string(writer.unwritten()) + "\nagain\n");
  CHECK_FALSE(writer.is_failing());
}

TEST_CASE("control/log: a disk that does not go on holds nobody up for long", "[F67]") {
  Bed bed;
  std::filesystem::create_directory(bed.directory.path() + "/log");
  REQUIRE(mkfifo(bed.path.c_str(), 0600) == 0);
  const int reader = open(bed.path.c_str(), O_RDONLY | O_NONBLOCK);
  const std::string line(1000, 'x');
  const auto begin = Clock::now();
  {
    LogWriter writer;
    writer.use(bed.targets(true));
    for (size_t i = 0; i < 2 * LogWriter::kQueueMax; ++i)
      writer.add(line);
    CHECK(writer.unwritten() > 0);
    for (int i = 0; i < 10; ++i)
      writer.wait_for_room();  // the first one in vain, the others not at all
    writer.settle();
  }
  CHECK(Clock::now() - begin < 8 * LogWriter::kPatience);
  // The thread that was left to itself comes back, and ends.
  fcntl(reader, F_SETFL, 0);
  std::string text(1 << 20, '\0');
  while (read(reader, text.data(), text.size()) > 0)
    continue;
  close(reader);
}

TEST_CASE("control/log: what is acknowledged is in the audit log", "[F66]") {
  test::TemporaryDirectory directory;
  AuditLog audit;
  REQUIRE(audit.configure({}, directory.path(), "gw1"));
  for (int i = 0; i < 50; ++i) {
    audit.record({"alice", "pid 1", "apply", "number " + std::to_string(i)});
    const std::string text = *read_text_file(directory.path() + "/log/audit.log");
    CHECK(text.find("detail=\"number " + std::to_string(i) + "\"\n") != std::string::npos);
  }
}
