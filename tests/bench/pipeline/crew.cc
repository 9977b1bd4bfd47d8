// SPDX-License-Identifier: BSD-3-Clause
#include "bench/pipeline/crew.h"

#include <immintrin.h>
#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace postern::bench {
namespace {

// A thread on a core that does one thing after the other, and sleeps in between.
class Hand {
 public:
  explicit Hand(unsigned core) : thread_([this, core] { live(core); }) {}
  ~Hand() {
    give({});
    thread_.join();
  }
  Hand(const Hand&) = delete;
  Hand& operator=(const Hand&) = delete;

  void give(std::function<void()> task) {
    const std::lock_guard lock(mutex_);
    task_ = std::move(task);
    has_task_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !has_task_; });
  }

 private:
  void live(unsigned core) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    pthread_setaffinity_np(pthread_self(), sizeof cores, &cores);
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return has_task_; });
      if (!task_) return;
      lock.unlock();
      task_();
      lock.lock();
      has_task_ = false;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> task_;
  bool has_task_ = false;
  std::thread thread_;  // last: it uses the others
};

// One worker with its rounds; made by its own thread, so that its memory is near.
struct Desk {
  Desk(const Row& row, Site& site, WorkerId id, std::vector<Flow> flows)
      : stage(site, id, std::move(flows)), rounds(row, stage) {}
  Stage stage;
  Rounds rounds;
};

class Crew {
 public:
  Crew(const Row& row, const std::vector<unsigned>& cores)
      : row_(row),
        site_(scene_of(row), static_cast<unsigned>(cores.size())),
        members_(cores.size()) {
    for (size_t i = 0; i < members_.size(); ++i) {
      members_[i].hand = std::make_unique<Hand>(cores[i]);
      members_[i].result.core = cores[i];
      members_[i].hand->give([this, i] { settle(static_cast<WorkerId>(i)); });
    }
    wait();
  }

  void round(size_t packets, bool is_timed) {
    for (Member& member : members_) {
      member.hand->give([&member, packets, is_timed] {
        const Sum sum = member.alone->rounds.run(packets, is_timed);
        if (is_timed) member.result.alone.add(sum);
      });
      member.hand->wait();
    }
    started_ = finished_ = 0;
    for (Member& member : members_) {
      member.hand->give([this, &member, packets, is_timed] { join(member, packets, is_timed); });
    }
    wait();
  }

  size_t packets_in_round() const {
    return members_.front().together->rounds.work().packets_in_round();
  }

  std::vector<Colleague> results() {
    std::vector<Colleague> all;
    for (Member& member : members_) {
      member.result.alone.finish();
      member.result.together.finish();
      all.push_back(member.result);
    }
    return all;
  }

 private:
  struct alignas(kOwnLines) Member {
    Row row;                         // with the sessions of this one
    std::unique_ptr<Site> own_site;  // where it is alone
    std::unique_ptr<Desk> alone, together;
    Colleague result;
    std::unique_ptr<Hand> hand;  // first to go
  };

  void settle(WorkerId id) {
    Member& member = members_[id];
    std::vector<Flow> flows = flows_of(site_.shards(), id, row_.sessions);
    member.row = row_;
    member.row.sessions = member.result.sessions = static_cast<uint32_t>(flows.size());
    member.own_site = std::make_unique<Site>(scene_of(member.row), 1);
    member.alone = std::make_unique<Desk>(member.row, *member.own_site, 0, flows);
    member.together = std::make_unique<Desk>(member.row, site_, id, std::move(flows));
  }

  // Begins with the others, and goes on until the last one has its packets.
  void join(Member& member, size_t packets, bool is_timed) {
    started_.fetch_add(1);
    while (started_.load() < members_.size())
      _mm_pause();
    const Sum sum = member.together->rounds.run(packets, is_timed);
    if (is_timed) member.result.together.add(sum);
    finished_.fetch_add(1);
    while (finished_.load() < members_.size())
      member.together->rounds.run(Slots::kCount, false);
  }

  void wait() {
    for (Member& member : members_)
      member.hand->wait();
  }

  const Row& row_;
  Site site_;
  alignas(kOwnLines) std::atomic<size_t> started_{0}, finished_{0};
  alignas(kOwnLines) std::vector<Member> members_;
};

}  // namespace

std::vector<unsigned> cores_for(unsigned workers) {
  std::vector<unsigned> cores;
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return {};
  for (unsigned core = 0; core < CPU_SETSIZE && cores.size() < workers; ++core) {
    if (CPU_ISSET(core, &allowed)) cores.push_back(core);
  }
  if (cores.size() < workers) cores.clear();
  return cores;
}

std::vector<Colleague> measure(const Row& row, const std::vector<unsigned>& cores,
                               const Effort& effort) {
  Crew crew(row, cores);
  const size_t packets = effort.packets > 0 ? effort.packets : crew.packets_in_round();
  crew.round(packets, false);
  const auto start = std::chrono::steady_clock::now();
  const auto spent = [start] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  for (unsigned rounds = 0; !effort.is_spent(rounds, spent()); ++rounds)
    crew.round(packets, true);
  return crew.results();
}

}  // namespace postern::bench
