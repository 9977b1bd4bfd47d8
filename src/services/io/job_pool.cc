// SPDX-License-Identifier: BSD-3-Clause
#include "services/io/job_pool.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace postern::io {
namespace {

constexpr int kNice = 10;  // the control thread shares its processor with us

struct Job {
  std::function<void()> work;
  std::function<void()> then;
};

}  // namespace

struct JobPool::State {
  State(boost::asio::io_context& to, Settings wanted) : context(to), settings(wanted) {}

  boost::asio::io_context& context;
  const Settings settings;
  std::mutex mutex;
  std::condition_variable bell;
  std::deque<Job> jobs;              // under the mutex
  bool is_ending = false;            // under the mutex
  std::vector<std::thread> threads;  // control

  void add(Job job);
  void work(const std::weak_ptr<State>& self);
};

void JobPool::State::work(const std::weak_ptr<State>& self) {
  pthread_setname_np(pthread_self(), settings.name);
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);  // of this thread alone
  std::unique_lock lock(mutex);
  for (;;) {
    bell.wait(lock, [this] { return is_ending || !jobs.empty(); });
    if (is_ending) return;
    Job job = std::move(jobs.front());
    jobs.pop_front();
    lock.unlock();
    job.work();
    boost::asio::post(context, [self, then = std::move(job.then)] {
      if (!self.expired()) then();
    });
    job = {};
    lock.lock();
  }
}

JobPool::JobPool(boost::asio::io_context& context, Settings settings)
    : state_(std::make_shared<State>(context, settings)) {}

JobPool::~JobPool() {
  {
    std::lock_guard lock(state_->mutex);
    state_->is_ending = true;
  }
  state_->bell.notify_all();
  for (std::thread& thread : state_->threads)
    thread.join();
}

void JobPool::State::add(Job job) {
  std::lock_guard lock(mutex);
  jobs.push_back(std::move(job));
  bell.notify_one();
}

bool JobPool::run(std::function<void()> work, std::function<void()> then) {
  if (waiting() >= state_->settings.jobs_max) return false;
  run_surely(std::move(work), std::move(then));
  return true;
}

void JobPool::run_surely(std::function<void()> work, std::function<void()> then) {
  // Most gateways have nobody who logs in: threads come with the first job.
  while (state_->threads.size() < state_->settings.threads) {
    std::weak_ptr<State> weak = state_;
    State* state = state_.get();
    state_->threads.emplace_back([state, weak] { state->work(weak); });
  }
  state_->add({std::move(work), std::move(then)});
}

size_t JobPool::waiting() const {
  std::lock_guard lock(state_->mutex);
  return state_->jobs.size();
}

}  // namespace postern::io
