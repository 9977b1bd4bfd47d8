// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/dump_queue.h"

namespace postern::admin {
namespace {

constexpr Duration kTurn = milliseconds(1);
constexpr Duration kJobTimeout = seconds(30);

}  // namespace

bool DumpQueue::add(Dataplane& dataplane, Job job) {
  if (jobs_.size() >= kJobsMax) return false;
  dataplane_ = &dataplane;
  jobs_.push_back(std::move(job));
  if (jobs_.size() == 1) begin();
  return true;
}

void DumpQueue::begin() {
  worker_ = 0;
  is_asked_ = false;
  deadline_ = dataplane_->now() + kJobTimeout;
  loop_.after(kTurn, [this] { turn(); });
}

void DumpQueue::turn() {
  Dump& dump = dataplane_->dump(worker_);
  if (dataplane_->now() > deadline_) return end(false);
  if (!is_asked_) {
    dump.poll(block_);  // what a job that timed out left behind
    is_asked_ = dump.ask(jobs_.front().what);
  } else if (dump.poll(block_)) {
    const bool goes_on = jobs_.front().on_block(worker_, block_);
    if (goes_on && !block_.is_last) {
      dump.ask_next();
    } else {
      ++worker_;
      is_asked_ = false;
      if (worker_ == dataplane_->workers()) return end(true);
    }
  }
  loop_.after(kTurn, [this] { turn(); });
}

void DumpQueue::end(bool is_complete) {
  Job job = std::move(jobs_.front());
  jobs_.pop_front();
  if (!jobs_.empty()) begin();
  job.on_end(is_complete);
}

}  // namespace postern::admin
