// SPDX-License-Identifier: BSD-3-Clause
// Queue: the messages that this gateway answers for, in memory and on the disk.
//
//   begin() -> Incoming: append ... commit -> on the disk -> `then(number)` -> "250 queued"
//   find, each; change, hold, remove: true in memory at once, on the disk soon
//
// What was committed is there after a crash at any moment, once. A change (delivered, failed, next
// try) may be lost by a crash within some milliseconds of it: then it is tried again, which is the
// duplicate that RFC 5321 section 6.1 prefers to a loss. change() and remove() tell when they are
// on the disk, for who must know.
//
// Disk trouble: commits fail, the sender keeps its message (452); what is here stays, and is tried
// to be written until that works.
//
// Bounds: QueueLimits; texts that wait for the disk are kTextsWaitMax octets. Thread: control; the
// disk is waited for on one of its own (queue_writer.h).
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "services/mail/queue/body.h"
#include "services/mail/queue/queue_writer.h"
#include "services/mail/queue/queued.h"

namespace postern::mail {

class Incoming;

struct QueueLimits {
  size_t messages = 10'000;
  uint64_t octets = uint64_t{1} << 30;           // of all texts
  uint64_t message_octets = uint64_t{50} << 20;  // of one
};

struct QueueCounters {
  uint64_t messages = 0;  // now
  uint64_t octets = 0;    // now, of those and of those that come in
  uint64_t accepted = 0;
  uint64_t refused = 0;  // by the limits or the disk
  uint64_t removed = 0;
  uint64_t commits = 0;  // transactions
  bool is_failing = false;
};

class Queue {
 public:
  static constexpr uint64_t kTextsWaitMax = uint64_t{16} << 20;
  static constexpr uint64_t kRecentMax = uint64_t{8} << 20;  // of short texts kept in memory

  struct Options {
    std::string folder;
    QueueLimits limits;
    QueueWriter::Post post;
    // A line when the disk begins to refuse; empty: it works again.
    std::function<void(const std::string& line)> on_trouble;
  };
  // Reads all that is there; takes a while for very many. The error says what to do about it.
  static Result<std::unique_ptr<Queue>> open(Options options);
  // Writes what is left. No Incoming may be there any more.
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  void set_limits(const QueueLimits& limits) { options_.limits = limits; }
  const QueueLimits& limits() const { return options_.limits; }
  // With a number of this queue a name that no message of another one has, one that stood in the
  // same folder before among them.
  const std::string& epoch() const { return epoch_; }
  QueueCounters counters() const;

  // nullptr: a limit is reached, counted. `octets`: how many the sender says they are; 0: unsaid.
  std::unique_ptr<Incoming> begin(uint64_t octets = 0);
  // For what we write ourselves about a message that is here: limits do not hold it up, for that
  // one cannot go before.
  std::unique_ptr<Incoming> begin_own();

  // nullptr: not there. Good until the message is removed.
  const QueuedMessage* find(uint64_t number) const;
  // By number, which is by arrival; false ends it.
  void each(const std::function<bool(const QueuedMessage&)>& visit) const;

  using Done = std::function<void(const Result<void>& done)>;
  using Changes = std::vector<QueueFile::Change>;
  void change(uint64_t number, Changes changes, Done then = {});
  void hold(uint64_t number, HeldBy held_by, Done then = {});
  // A scanner has seen it; `front`: lines with CRLF before the text, in place of those that are
  // there.
  void scanned(uint64_t number, std::string front, HeldBy held_by, Done then = {});
  // Others in the place of its recipients, with their progress, one for each.
  void replace(uint64_t number, std::vector<Recipient> recipients, std::vector<Progress> progress,
               Done then = {});
  // It is delivered, told of, or an administrator wants it gone.
  void remove(uint64_t number, Done then = {});

  // Its text; an error: it is not there any more, or cannot be read. May answer at once.
  using BodyThen = std::function<void(Result<std::shared_ptr<const Body>> body)>;
  void read(uint64_t number, const BodyThen& then);

 private:
  friend class Incoming;
  struct Held {
    QueuedMessage message;
    std::shared_ptr<const std::string> text;  // a short one that came lately
    std::list<uint64_t>::iterator recent;     // of that
  };
  using CommitThen = std::function<void(const Result<uint64_t>& number)>;

  explicit Queue(Options options) : options_(std::move(options)) {}
  Held* held(uint64_t number);
  void commit(Incoming& incoming, Envelope envelope, int64_t arrived_s, const CommitThen& then);
  void committed(const std::shared_ptr<Held>& fresh, const Result<void>& done,
                 const CommitThen& then);
  void abandoned(const Incoming& incoming);
  void remember(Held& held);
  void wake_writers();
  bool is_behind() const { return writer_->waiting_octets() > kTextsWaitMax; }

  Options options_;
  std::string epoch_;
  std::map<uint64_t, Held> messages_;
  std::list<uint64_t> recent_;  // those with a text in memory, oldest first
  uint64_t recent_octets_ = 0;
  uint64_t next_number_ = 1;
  uint64_t begun_ = 0;            // Incoming that are there
  uint64_t incoming_ = 0;         // messages that are under way: those, or committed
  uint64_t incoming_octets_ = 0;  // of those
  QueueCounters counters_;
  std::list<std::pair<const Incoming*, std::function<void()>>> waiting_;  // for the disk
  std::unique_ptr<QueueWriter> writer_;  // last: its thread ends first
};

// A message that comes in. One that goes without commit() never was.
class Incoming {
 public:
  ~Incoming();
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;

  // False: it is larger than may be, or than there is room; commit() will say so, too.
  bool append(std::string_view text);
  uint64_t octets() const { return octets_; }
  // The disk is behind: appended all the same, but who feeds it should wait.
  bool is_behind() const;
  // Called once, when the disk has caught up; not after the end of this.
  void when_caught_up(std::function<void()> then);

  // It waits for a scanner; before commit().
  void set_unscanned() { is_unscanned_ = true; }
  // Lines with CRLF that go before the text; before commit().
  void set_front(std::string front) { front_ = std::move(front); }
  // So many recipients, the last ones, are names that others stand for (RecipientState::expanded):
  // the sender is to be told; before commit().
  void set_expanded(size_t count) { expanded_ = count; }
  // `then` once, later: the number, or why the sender has to keep it. This may go before.
  void commit(Envelope envelope, int64_t arrived_s, const Queue::CommitThen& then);

  uint64_t number() const { return number_; }

 private:
  friend class Queue;
  Incoming(Queue& queue, uint64_t number) : queue_(queue), number_(number) {}
  void write_out();

  Queue& queue_;
  uint64_t number_;
  std::string text_;  // not handed to the disk yet
  uint64_t octets_ = 0;
  bool is_long_ = false;  // in its file
  bool is_too_large_ = false;
  bool is_unscanned_ = false;
  bool is_own_ = false;  // limits do not count
  size_t expanded_ = 0;
  std::string front_;
  bool is_committed_ = false;
};

}  // namespace postern::mail
