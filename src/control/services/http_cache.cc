// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/http_cache.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>

#include "control/loop.h"

namespace postern {
namespace {

constexpr size_t kJobsMax = 2;
constexpr uint64_t kMiB = uint64_t{1} << 20;

// The last folder of the path; those above it are the administrator's.
void make_folder_of(const std::string& file) {
  const size_t slash = file.rfind('/');
  if (slash != std::string::npos && slash > 0) mkdir(file.substr(0, slash).c_str(), S_IRWXU);
}

}  // namespace

// One attempt; the thread writes what is atomic, and the outcome before it ends.
struct HttpCache::Opening {
  HttpCachePlan plan;
  std::atomic<uint64_t> done = 0, all = 0;
  std::atomic<bool> is_wanted = true;
  Result<std::unique_ptr<http::Store>> outcome = Error{ErrorCode::failed, "not opened"};
};

HttpCache::HttpCache(Loop& loop, World world)
    : loop_(loop), world_(std::move(world)), pool_(loop.context(), {"http-cache", 1, kJobsMax}) {}

HttpCache::~HttpCache() {
  if (opening_) opening_->is_wanted = false;
}

http::StoreOptions HttpCache::options() {
  http::StoreOptions options;
  options.path = plan_->file;
  options.octets = plan_->octets;
  options.post = [&context = loop_.context()](std::function<void()> then) {
    boost::asio::post(context, std::move(then));
  };
  options.on_trouble = [this](const std::string& line) { trouble(line); };
  return options;
}

void HttpCache::follow(const std::optional<HttpCachePlan>& plan) {
  if (plan == plan_) return;
  if (opening_) opening_->is_wanted = false;
  close();
  plan_ = plan;
  error_.clear();
  state_ = State::off;
  // One that is under way ends first: opened() goes on with what is wanted then.
  if (plan_ && !opening_) open(false, {});
  if (plan_) state_ = State::opening;
}

// What is opened next comes behind it in the pool: it may be the same file.
void HttpCache::close() {
  if (!store_) return;
  world_.use(nullptr);
  store_->detach();
  pool_.run_surely([store = std::shared_ptr(std::move(store_))]() mutable { store.reset(); },
                   [] {});
}

void HttpCache::open(bool anew, const Done& done) {
  state_ = State::opening;
  began_ = told_ = world_.now();
  opening_ = std::make_shared<Opening>();
  opening_->plan = *plan_;
  http::StoreOptions wanted = options();
  wanted.on_progress = [opening = std::weak_ptr(opening_)](uint64_t part, uint64_t all) {
    const auto still = opening.lock();
    if (!still) return false;
    still->done = part;
    still->all = all;
    return still->is_wanted.load();
  };
  make_folder_of(plan_->file);
  auto work = [opening = opening_, wanted, anew] {
    if (!opening->is_wanted) return;
    if (anew) {
      if (auto made = http::Store::format(wanted); !made) {
        opening->outcome = std::move(made).error();
        return;
      }
    }
    opening->outcome = http::Store::open(wanted);
  };
  pool_.run_surely(std::move(work), [this, opening = opening_, done] { opened(opening, done); });
}

void HttpCache::opened(const std::shared_ptr<Opening>& opening, const Done& done) {
  opening_.reset();
  if (!plan_ || *plan_ != opening->plan) {
    opening->outcome = Error{ErrorCode::failed, "another file is wanted"};
    if (done) done(Error{ErrorCode::unavailable, "the configuration has changed meanwhile"});
    if (plan_) open(false, {});
    return;
  }
  if (!opening->outcome) {
    state_ = State::failed;
    failure_ = opening->outcome.error().code;
    error_ = "nothing is cached: " + opening->outcome.error().text;
    if (failure_ == ErrorCode::invalid) error_ += " (postern cache recreate)";
    tried_ = world_.now();
    if (done) done(opening->outcome.error());
    return;
  }
  store_ = std::move(*opening->outcome);
  state_ = State::ready;
  error_.clear();
  const Duration took = world_.now() - began_;
  world_.log(config::LogLevel::info,
             fmt::format("http: the cache is ready: {} objects, {} MiB, read in {:.1f} s",
                         store_->counters().objects, plan_->octets / kMiB,
                         static_cast<double>(took.ns) / 1e9));
  world_.use(store_.get());
  if (done) done({});
}

void HttpCache::trouble(const std::string& line) {
  const bool is_failing = store_ && store_->counters().is_failing;
  error_ = is_failing ? line : std::string();
  tried_ = world_.now();
  if (!is_failing) world_.log(config::LogLevel::info, "http: " + line);
}

void HttpCache::tick() {
  const Instant now = world_.now();
  if (store_ && store_->counters().is_failing && now - tried_ >= kRetry) {
    tried_ = now;
    store_->retry();
  }
  // A disk that had no room, or was not there yet; a wrong file stays wrong.
  const bool may_mend = state_ == State::failed && failure_ != ErrorCode::invalid;
  if (may_mend && now - tried_ >= kRetry) return open(false, {});
  if (!opening_ || now - told_ < kProgressTold) return;
  told_ = now;
  world_.log(config::LogLevel::info, fmt::format("http: {} % of the cache is read", percent()));
}

void HttpCache::recreate(const Done& done) {
  if (!plan_) return done(Error{ErrorCode::not_found, "services.http.cache is not configured"});
  if (opening_) return done(Error{ErrorCode::unavailable, "the cache is being opened; try again"});
  close();
  open(true, done);
}

unsigned HttpCache::percent() const {
  if (!opening_) return state_ == State::ready ? 100 : 0;
  const uint64_t all = opening_->all;
  return all == 0 ? 0 : static_cast<unsigned>(opening_->done * 100 / all);
}

Result<void> HttpCache::complaint() const {
  if (error_.empty()) return {};
  return Error{ErrorCode::failed, error_};
}

const char* to_word(HttpCache::State state) {
  switch (state) {
    case HttpCache::State::off:
      return "off";
    case HttpCache::State::opening:
      return "opening";
    case HttpCache::State::ready:
      return "ready";
    case HttpCache::State::failed:
      return "failed";
  }
  return "off";
}

}  // namespace postern
