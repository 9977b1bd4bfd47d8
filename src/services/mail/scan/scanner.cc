// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/scan/scanner.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "services/io/job_pool.h"
#include "services/mail/scan/scan_round.h"

namespace postern::mail {
namespace {

// Readable from raise() on.
class StopSign {
 public:
  StopSign() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~StopSign() {
    if (fd_ >= 0) close(fd_);
  }
  StopSign(const StopSign&) = delete;
  StopSign& operator=(const StopSign&) = delete;

  int fd() const { return fd_; }
  void raise() const {
    if (fd_ >= 0) eventfd_write(fd_, 1);
  }

 private:
  int fd_;
};

ScanVerdict unavailable(const std::string& what) {
  ScanVerdict verdict;
  verdict.what = what;
  return verdict;
}

}  // namespace

// Somebody who waits for a verdict. Timers are of the loop: a thread uses `is_late` alone.
struct Scanner::Asker {
  Asker(boost::asio::io_context& context, Then to) : then(std::move(to)), timer(context) {}

  Then then;  // empty: it was called
  boost::asio::steady_timer timer;
  std::atomic<bool> is_late = false;  // there is no need to ask any more

  void answer(const ScanVerdict& verdict) {
    timer.cancel();
    if (const Then call = std::exchange(then, {})) call(verdict);
  }
};

// Shared with what is posted to the loop, which may come after the end.
struct Scanner::State {
  State(boost::asio::io_context& on, Seams to, Duration time)
      : context(on),
        seams(std::move(to)),
        patience(time.ns),
        pool(context, {"mail-scan", kThreads, kWaitingMax}) {}

  boost::asio::io_context& context;
  const Seams seams;
  const std::chrono::nanoseconds patience;
  std::shared_ptr<const ScannerList> list;    // nullptr: nobody is asked
  std::string fault;                          // of the settings; empty: none
  std::map<std::string, std::string> faults;  // by scanner that cannot be asked
  std::set<std::string> notes;                // told
  StopSign stop;
  io::JobPool pool;  // last: its threads use the sign

  void finish(const ScanOutcome& outcome, Asker& asker);
  void tell(const ScannerState& scanner);
};

Scanner::Scanner(boost::asio::io_context& context, Seams seams, Duration patience)
    : state_(std::make_shared<State>(context, std::move(seams), patience)) {}

Scanner::~Scanner() {
  state_->stop.raise();
}

Result<void> Scanner::follow(const ScanSettings& settings, const std::string& host) {
  state_->list.reset();
  state_->fault.clear();
  if (!settings.is_wanted()) return {};
  auto list = make_scanner_list(settings, host);
  if (!list) {
    state_->fault = list.error().text;
    return std::move(list).error();
  }
  state_->list = std::make_shared<const ScannerList>(*std::move(list));
  state_->notes.clear();
  return {};
}

bool Scanner::is_wanted() const {
  return state_->list != nullptr || !state_->fault.empty();
}

void Scanner::scan(ScanJob job, Then then) {
  State* state = state_.get();  // outlives its pool
  const auto asker = std::make_shared<Asker>(state->context, std::move(then));
  const auto outcome = std::make_shared<ScanOutcome>();
  if (state->list) {
    const bool runs = state->pool.run(
        // The end, which is the loop's, holds the asker for it.
        [list = state->list, job = std::move(job), outcome, is_late = &asker->is_late,
         stop = state->stop.fd()] {
          if (!*is_late) *outcome = scan_round(*list, job, stop);
        },
        [state, outcome, asker] { state->finish(*outcome, *asker); });
    if (runs) return wait(asker);
    outcome->verdict = unavailable("too many messages wait for the scanners");
  } else if (!state->fault.empty()) {
    outcome->verdict = unavailable(state->fault);
  } else {
    outcome->verdict.kind = ScanVerdict::Kind::clean;
  }
  boost::asio::post(state->context, [weak = std::weak_ptr(state_), outcome, asker] {
    if (!weak.expired()) asker->answer(outcome->verdict);
  });
}

void Scanner::wait(const std::shared_ptr<Asker>& asker) {
  asker->timer.expires_after(state_->patience);
  asker->timer.async_wait(
      [weak = std::weak_ptr(state_), to = std::weak_ptr(asker)](boost::system::error_code error) {
        const auto waiting = to.lock();
        if (error || !waiting || weak.expired()) return;
        waiting->is_late = true;
        waiting->answer(unavailable("the scanners took too long"));
      });
}

void Scanner::State::finish(const ScanOutcome& outcome, Asker& asker) {
  for (const ScannerState& scanner : outcome.scanners)
    tell(scanner);
  for (const std::string& note : outcome.notes) {
    if (notes.insert(note).second) seams.warn("the scanner " + note);
  }
  asker.answer(outcome.verdict);
}

void Scanner::State::tell(const ScannerState& scanner) {
  const auto known = faults.find(scanner.name);
  if (scanner.fault.empty()) {
    if (known == faults.end()) return;
    faults.erase(known);
    seams.warn("the scanner " + scanner.name + " answers again");
  } else if (known == faults.end()) {
    faults.emplace(scanner.name, scanner.fault);
    seams.warn("the scanner " + scanner.name + " cannot be asked: " + scanner.fault);
  }
}

}  // namespace postern::mail
