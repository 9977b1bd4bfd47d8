// SPDX-License-Identifier: BSD-3-Clause
// JobPool: threads for what would hold up the control thread: hashing passwords, judging
// configurations, waiting for the disk.
//
// Bounded: so many jobs wait, further ones are refused. The threads run with a lower priority than
// the one that made them. Thread: control; a job runs on one of the pool, its end on the loop.
#pragma once

#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace postern::io {

class JobPool {
 public:
  struct Settings {
    const char* name;  // of the threads, at most 15 characters
    unsigned threads;
    size_t jobs_max;  // that wait
  };
  JobPool(boost::asio::io_context& context, Settings settings);
  ~JobPool();  // waits for jobs that run; their ends and those that wait are forgotten
  JobPool(const JobPool&) = delete;
  JobPool& operator=(const JobPool&) = delete;

  // False: too many wait; neither is called. `work` touches nothing that the control thread does.
  bool run(std::function<void()> work, std::function<void()> then);
  // The same beyond the limit, for who has one job at a time; at the end it is forgotten, too.
  void run_surely(std::function<void()> work, std::function<void()> then);
  // Jobs that no thread has begun.
  size_t waiting() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace postern::io
