// SPDX-License-Identifier: BSD-3-Clause
// Scanner: asks milters and a command what they think of a message (F54).
//
//   scan(job) -> one of kThreads threads: each scanner in order -> the loop: `then`
//
// The first that does not let a message pass decides. One that cannot be asked does not spare the
// message the others: they may still refuse it; if none does, it is `unavailable`, and what then
// becomes of it is the configuration's and the caller's affair. That a scanner cannot be asked, and
// that it can again, is told once each by Seams::warn.
//
// Whoever sends a message waits for the answer, but not for ever, and then sends it again (RFC 5321
// section 4.5.3.2.6): what has no verdict kPatience after it was asked is `unavailable`, wherever
// it was on its way, and what a scanner says later counts for nothing.
//
// Thread: control; scanners are waited for on threads of a pool. Bounds: kThreads messages at once,
// kWaitingMax wait, further ones are `unavailable`; ScanSettings::timeout for one scanner and one
// message; kPatience for all.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/time.h"
#include "services/mail/message/envelope.h"
#include "services/mail/message/reply.h"
#include "services/mail/queue/body.h"
#include "services/mail/scan/settings.h"
#include "services/mail/seams.h"

namespace boost::asio {
class io_context;
}

namespace postern::mail {

struct ScanJob {
  std::string id;  // of the queue
  Envelope envelope;
  std::shared_ptr<const Body> body;
};

struct ScanVerdict {
  enum class Kind : uint8_t {
    clean,
    infected,     // or unwanted: the scanner says 5xx
    defer,        // the scanner says 4xx
    unavailable,  // it cannot be asked; `what` says which, and why
  };
  Kind kind = Kind::unavailable;
  // For the sender, where the configuration, or a scanner's own wish, does not say otherwise:
  // 5xx with `infected`, 4xx with `defer`, else none.
  Reply reply;
  // For the log, one line: "unix:/run/m.sock: 550 5.7.1 Eicar", "command: 550 5.7.1 ...". Empty
  // with `clean`.
  std::string what;
  std::string added;        // fields with their CRLFs, before the message
  bool is_discard = false;  // with `infected`: a milter wants it gone without a word
  bool is_hold = false;     // with `infected`: a milter wants it kept for an administrator
};

class Scanner {
 public:
  static constexpr unsigned kThreads = 8;
  static constexpr size_t kWaitingMax = 100;
  static constexpr Duration kPatience = seconds(240);

  // `patience`: another one is for tests.
  Scanner(boost::asio::io_context& context, Seams seams, Duration patience = kPatience);
  ~Scanner();  // what is under way is broken off; its `then` is not called
  Scanner(const Scanner&) = delete;
  Scanner& operator=(const Scanner&) = delete;

  // For messages from now on; what waits goes by the settings before. `host`: our name. The error:
  // the address of a milter is none, and every message is `unavailable` until other settings come.
  Result<void> follow(const ScanSettings& settings, const std::string& host);
  bool is_wanted() const;
  // `then` once, later.
  using Then = std::function<void(const ScanVerdict& verdict)>;
  void scan(ScanJob job, Then then);

 private:
  struct State;
  struct Asker;
  void wait(const std::shared_ptr<Asker>& asker);
  std::shared_ptr<State> state_;
};

}  // namespace postern::mail
