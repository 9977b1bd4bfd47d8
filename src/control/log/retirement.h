// SPDX-License-Identifier: BSD-3-Clause
// Retirement: a thread for what ends and may have to wait for it, one job after the other, so that
// whoever ends it need not. The thread is made with the first job. Thread: one; the destructor
// waits for all jobs.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <thread>

namespace postern {

class Retirement {
 public:
  Retirement() = default;
  ~Retirement();
  Retirement(const Retirement&) = delete;
  Retirement& operator=(const Retirement&) = delete;

  void add(std::function<void()> job);
  // When all jobs so far are done; not valid: there were none.
  std::shared_future<void> done() const { return last_; }

 private:
  void run();

  std::mutex mutex_;  // of these
  std::condition_variable wake_;
  std::deque<std::packaged_task<void()>> jobs_;
  bool is_ending_ = false;

  std::shared_future<void> last_;
  std::thread thread_;
};

}  // namespace postern
