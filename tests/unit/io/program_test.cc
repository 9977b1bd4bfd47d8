// SPDX-License-Identifier: BSD-3-Clause
#include "services/io/program.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <thread>

using namespace postern;
using Kind = io::ProgramEnd::Kind;
using Clock = std::chrono::steady_clock;

namespace {

io::ProgramJob shell(const std::string& script) {
  io::ProgramJob job;
  job.command = {"/bin/sh", "-c", script};
  job.environment = {"PATH=/usr/bin:/bin", "WORD=said"};
  return job;
}

// An input of so many octets.
std::function<size_t(std::span<char>)> octets(size_t count) {
  return [left = count](std::span<char> into) mutable {
    const size_t length = std::min(left, into.size());
    std::memset(into.data(), 'x', length);
    left -= length;
    return length;
  };
}

io::ProgramEnd run(const io::ProgramJob& job) {
  auto end = io::run_program(job);
  REQUIRE(end);
  return *end;
}

}  // namespace

TEST_CASE("io/program: what it gets and what it prints pass in pieces, whatever their size") {
  const size_t count = GENERATE(size_t{0}, size_t{1}, size_t{65536}, size_t{3'000'000});
  io::ProgramJob job = shell("wc -c");
  job.input = octets(count);
  CHECK(run(job).output == std::to_string(count) + "\n");
  job = shell("cat");
  job.input = octets(count);
  job.output_max = 5'000'000;
  CHECK(run(job).output == std::string(count, 'x'));
}

TEST_CASE("io/program: without input it reads an empty one, and it has our environment alone") {
  const io::ProgramEnd end = run(shell("cat; echo $WORD; echo error >&2; env | wc -l"));
  CHECK(end.kind == Kind::exited);
  CHECK(end.code == 0);
  CHECK(end.output == "said\n3\n");  // the shell adds PWD
  // Of our descriptors it has the standard ones alone: ls opens one for the directory.
  CHECK(run(shell("ls /proc/self/fd | wc -l")).output == "4\n");
}

TEST_CASE("io/program: how it ends is told") {
  io::ProgramEnd end = run(shell("exit 75"));
  CHECK(end.code == 75);
  CHECK(to_text(end) == "exit code 75");
  end = run(shell("kill -SEGV $$"));
  CHECK(end.kind == Kind::killed);
  CHECK(to_text(end) == "signal 11");
  auto none = io::run_program({{"/usr/bin/no-such-program"}, {}, {}, seconds(1)});
  REQUIRE_FALSE(none);
  CHECK(none.error().text == "not run: /usr/bin/no-such-program: No such file or directory");
  CHECK_FALSE(io::run_program({}));
}

TEST_CASE("io/program: of much that is printed the beginning is kept, and it may print it all") {
  io::ProgramJob job = shell("head -c 1000000 /dev/zero | tr '\\0' y; exit 3");
  job.output_max = 1000;
  const io::ProgramEnd end = run(job);
  CHECK(end.code == 3);
  CHECK(end.output == std::string(1000, 'y'));
  CHECK(end.is_cut);
}

TEST_CASE("io/program: one that does not read, or not all, is not waited for") {
  io::ProgramJob job = shell("exec 0<&-; sleep 0.2; echo done");
  job.input = octets(1'000'000);
  CHECK(run(job).output == "done\n");
  job = shell("head -c 3");
  job.input = octets(100'000'000);
  CHECK(run(job).output == "xxx");
  // No signal of that waits for somebody else.
  sigset_t pending;
  sigpending(&pending);
  CHECK(sigismember(&pending, SIGPIPE) == 0);
}

TEST_CASE("io/program: one that hangs is killed, with what it has started") {
  const auto begun = Clock::now();
  io::ProgramJob job = shell("echo begun; sleep 60 & wait");
  job.timeout = milliseconds(300);
  const io::ProgramEnd end = run(job);
  CHECK(end.kind == Kind::timeout);
  CHECK(end.output == "begun\n");
  CHECK(to_text(end) == "took too long and was ended");
  // What it leaves behind is neither waited for nor left alive, though it holds the pipe.
  const io::ProgramEnd left = run(shell("sleep 60 & echo $!"));
  CHECK(left.kind == Kind::exited);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const std::string pid = left.output.substr(0, left.output.find('\n'));
  CHECK(run(shell("grep '^State:.[RSD]' /proc/" + pid + "/status")).output.empty());
  CHECK(Clock::now() - begun < std::chrono::seconds(5));
}

TEST_CASE("io/program: it is ended when its owner is") {
  const int stop = eventfd(0, EFD_CLOEXEC);
  std::thread owner([stop] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const uint64_t one = 1;
    CHECK(write(stop, &one, sizeof one) == sizeof one);
  });
  io::ProgramJob job = shell("sleep 60");
  job.stop = stop;
  const auto begun = Clock::now();
  CHECK(run(job).kind == Kind::stopped);
  CHECK(Clock::now() - begun < std::chrono::seconds(5));
  owner.join();
  close(stop);
}
