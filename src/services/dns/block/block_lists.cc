// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/block/block_lists.h"

#include <pthread.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <thread>

namespace postern::dns {
namespace asio = boost::asio;

namespace {

// What tells one content of a file from another, by all that stat() knows.
struct Stamp {
  uint64_t inode = 0;
  int64_t size = -1;  // no file
  int64_t modified_ns = 0;
  friend bool operator==(const Stamp&, const Stamp&) = default;
};

std::vector<Stamp> stamps_of(const BlockListSettings& settings) {
  std::vector<Stamp> stamps;
  for (const auto* paths : {&settings.files, &settings.allow_files}) {
    for (const std::string& path : *paths) {
      struct stat status = {};
      Stamp stamp;
      if (stat(path.c_str(), &status) == 0) {
        stamp = {status.st_ino, status.st_size,
                 status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
      }
      stamps.push_back(stamp);
    }
  }
  return stamps;
}

}  // namespace

struct BlockLists::State {
  State(asio::io_context& io, Duration every)
      : context(io), timer(io), look_every(every), key(random_name_set_key()) {}

  asio::io_context& context;
  asio::steady_timer timer;
  Duration look_every;
  NameSetKey key;
  BlockListSettings settings;
  std::vector<Stamp> read;  // as they were when the last loading began
  std::vector<Stamp> seen;  // at the last look
  std::thread thread;
  std::atomic<bool> stop = false;  // control: write, thread: read
  bool is_loading = false;
  bool must_reload = false;  // the settings changed under the thread
  bool has_taken = false;    // a set of these settings is in force
  // What is posted asks whether we are still there.
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

BlockLists::BlockLists(asio::io_context& context, std::function<void()> changed,
                       Duration look_every)
    : changed_(std::move(changed)), state_(std::make_unique<State>(context, look_every)) {}

BlockLists::~BlockLists() {
  *state_->alive = false;
  state_->stop = true;
  if (state_->thread.joinable()) state_->thread.join();
}

bool BlockLists::is_loading() const {
  return state_->is_loading;
}

void BlockLists::configure(BlockListSettings settings) {
  state_->settings = std::move(settings);
  state_->has_taken = false;
  if (state_->is_loading) {
    state_->stop = true;  // finish() begins again
    state_->must_reload = true;
  } else {
    start_loading();
  }
}

void BlockLists::start_loading() {
  State& state = *state_;
  state.timer.cancel();
  if (state.thread.joinable()) state.thread.join();
  const BlockListSettings& wanted = state.settings;
  if (wanted.files.empty()) {
    finish({});
    return;
  }
  state.read = state.seen = stamps_of(wanted);
  state.stop = false;
  state.is_loading = true;
  // Signals are the control thread's.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  state.thread = std::thread([this, wanted, alive = state.alive] {
    auto loaded =
        std::make_shared<LoadedBlockSet>(load_block_set(wanted, state_->key, state_->stop));
    asio::post(state_->context, [this, loaded, alive] {
      if (*alive) finish(std::move(*loaded));
    });
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void BlockLists::finish(LoadedBlockSet loaded) {
  State& state = *state_;
  state.is_loading = false;
  if (state.must_reload) {
    state.must_reload = false;
    start_loading();
    return;
  }
  const bool is_whole = loaded.is_whole();
  reports_ = std::move(loaded.reports);
  if (is_whole || !state.has_taken) {
    set_ = std::move(loaded.set);
    state.has_taken = true;
    ++loads_;
  } else {
    ++kept_;
  }
  if (!state.settings.files.empty()) look();
  if (changed_) changed_();
}

void BlockLists::look() {
  state_->timer.expires_after(std::chrono::nanoseconds(state_->look_every.ns));
  state_->timer.async_wait([this, alive = state_->alive](boost::system::error_code error) {
    if (error || !*alive || state_->is_loading) return;
    auto now = stamps_of(state_->settings);
    const bool is_at_rest = now == state_->seen;
    state_->seen = std::move(now);
    if (is_at_rest && state_->seen != state_->read) {
      start_loading();
    } else {
      look();
    }
  });
}

}  // namespace postern::dns
