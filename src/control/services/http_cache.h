// SPDX-License-Identifier: BSD-3-Clause
// HttpCache: the store of the proxy in the daemon: opened, made anew and looked after.
//
//   follow() -> a thread opens the file and reads its index -> use(store)
//
// That takes seconds for a large file; until then, and when it cannot be had, use(nullptr) holds
// and the proxy passes everything through (C19). A file of another size or form is left alone:
// recreate() is for the administrator to say. When the disk fails, that is told once, and tried
// again every kRetry.
//
// Thread: control, which never waits for the disk while the daemon runs: a file is opened, and one
// that is let go of is written out and closed, on a thread of its own, one after another. A disk
// that hangs holds up that thread alone, until the daemon is to stop.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "control/config/model_logging.h"
#include "control/loop.h"
#include "control/services/http_settings.h"
#include "services/http/store/store.h"
#include "services/io/job_pool.h"

namespace postern {

class HttpCache {
 public:
  static constexpr Duration kRetry = seconds(30);
  static constexpr Duration kProgressTold = seconds(5);

  struct World {
    std::function<Instant()> now;
    // The store that is there from now on, or nullptr: after that nothing holds on to the one
    // before.
    std::function<void(http::Store* store)> use;
    std::function<void(config::LogLevel level, const std::string& line)> log;
  };
  HttpCache(Loop& loop, World world);
  ~HttpCache();
  HttpCache(const HttpCache&) = delete;
  HttpCache& operator=(const HttpCache&) = delete;

  // What is wanted from now on.
  void follow(const std::optional<HttpCachePlan>& plan);
  // Once a second.
  void tick();

  using Done = std::function<void(const Result<void>& done)>;
  // Makes the file anew, whatever is there. An error: there is none wanted, or one is being opened.
  void recreate(const Done& done);

  enum class State : uint8_t {
    off,      // not wanted
    opening,  // or being made anew
    ready,
    failed,  // see error()
  };
  State state() const { return state_; }
  const std::string& file() const { return plan_ ? plan_->file : nothing_; }
  uint64_t octets() const { return plan_ ? plan_->octets : 0; }
  http::Store* store() const { return store_.get(); }  // nullptr unless ready
  // Of the index that is being read: 0 to 100.
  unsigned percent() const;
  // Why there is no store, or why nothing is stored; empty: all is well.
  const std::string& error() const { return error_; }
  // The same, for `postern status` and, once, for the error log.
  Result<void> complaint() const;

 private:
  struct Opening;

  http::StoreOptions options();
  void close();
  void open(bool anew, const Done& done);
  void opened(const std::shared_ptr<Opening>& opening, const Done& done);
  void trouble(const std::string& line);

  Loop& loop_;
  World world_;
  std::optional<HttpCachePlan> plan_;
  State state_ = State::off;
  std::string error_;
  ErrorCode failure_ = ErrorCode::failed;  // of the last attempt to open it
  std::string nothing_;
  std::shared_ptr<Opening> opening_;  // shared with the thread that opens
  Instant began_, told_, tried_;
  std::unique_ptr<http::Store> store_;
  io::JobPool pool_;  // last: its thread ends first
};

const char* to_word(HttpCache::State state);

}  // namespace postern
