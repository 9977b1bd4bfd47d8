// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/server/strangers.h"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>

#include "unit/mail/server/server_bed.h"

namespace postern::mail::test {
namespace {

// Keeps the one thread of a pool from its jobs until it is opened.
class Gate {
 public:
  explicit Gate(io::JobPool& jobs) {
    jobs.run_surely(
        [this] {
          std::unique_lock lock(mutex_);
          bell_.wait(lock, [this] { return is_open_; });
        },
        [] {});
  }
  ~Gate() { open(); }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    bell_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable bell_;
  bool is_open_ = false;
};

struct StrangersBed : ServerBed {
  io::JobPool pool{context, {"test", 1, 100}};
  std::optional<Strangers> strangers;

  StrangersBed() {
    settings.server.greylist.is_on = true;
    strangers.emplace(context, seams, Strangers::Files{folder, {}}, pool);
    strangers->follow(settings.server, "mx.a.example");
  }
  std::string path() const { return folder + "/greylist"; }
  void come() {
    Envelope envelope;
    envelope.client = Ipv4Address(198, 51, 100, 7);
    envelope.sender = {"joe", "b.example"};
    CHECK(strangers->check_recipient(envelope, {"anna", "a.example"}).code == 450);
  }
  void pass_a_minute() {
    ahead = ahead + Strangers::kSaveEvery;
    strangers->tick();
  }
  // Returns when what was given to the pool until now has run, and has ended.
  void drain() {
    bool is_done = false;
    pool.run_surely([] {}, [&is_done] { is_done = true; });
    CHECK(turn([&is_done] { return is_done; }));
  }
};

}  // namespace

TEST_CASE("mail/strangers: a greylist that could not be written is written later", "[F53]") {
  StrangersBed bed;
  // Where it is written first, nothing can be.
  const std::string beside = bed.path() + ".new";
  std::filesystem::create_directory(beside);
  bed.come();
  bed.pass_a_minute();
  bed.drain();
  CHECK(bed.warnings.size() == 1);
  std::filesystem::remove(beside);
  bed.pass_a_minute();
  bed.drain();
  CHECK(std::filesystem::exists(bed.path()));
  CHECK(bed.warnings.size() == 1);
}

TEST_CASE("mail/strangers: at the end the greylist is written, once and by one", "[F53]") {
  StrangersBed bed;
  Gate gate(bed.pool);
  bed.come();
  bed.pass_a_minute();  // waits behind the gate
  bed.strangers.reset();
  CHECK(std::filesystem::exists(bed.path()));
  // What waited would be older: it does not come behind.
  std::filesystem::remove(bed.path());
  gate.open();
  bed.drain();
  CHECK_FALSE(std::filesystem::exists(bed.path()));
}

}  // namespace postern::mail::test
