// SPDX-License-Identifier: BSD-3-Clause
// DeliveryBed: intake and dispatcher on a queue and mailboxes in a folder of their own, with next
// hops and a scanner that say what the test wants, and a clock that the test turns.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <ctime>
#include <deque>
#include <filesystem>

#include "services/mail/delivery/intake.h"
#include "services/mail/message/address.h"
#include "services/mail/scan/scanner.h"
#include "unit/mail/queue/queue_bed.h"

namespace postern::mail::test {

class FakeHops final : public NextHops {
 public:
  struct Sent {
    std::string hop;
    RelayJob job;
    std::string text;
    Then then;
  };
  // Answers at once where `answer` is set; else what was sent waits in `sent`.
  std::function<RelayResult(const Sent& sent)> answer;
  std::deque<Sent> sent;
  size_t room = 4;
  size_t most = 0;
  size_t asked_room = 0;
  bool is_time = true;
  bool has_way = true;
  std::string prefix = "by ";  // of the hop's name

  std::string hop_of(const Address&, const Address& recipient) const override {
    return has_way ? prefix + recipient.domain : "";
  }
  bool has_room(const std::string&) const override {
    ++const_cast<FakeHops*>(this)->asked_room;
    return sent.size() < room;
  }
  void send(const std::string& hop, RelayJob job, const Then& then) override {
    Sent one{hop, std::move(job), "", then};
    one.text = one.job.front;
    one.text.resize(one.job.front.size() + one.job.body->octets());
    CHECK(one.job.body->read(0, std::span(one.text).subspan(one.job.front.size())) ==
          one.job.body->octets());
    if (answer) return then(answer(one));
    sent.push_back(std::move(one));
    most = std::max(most, sent.size());
  }
  bool may_go_now() const override { return is_time; }

  // To all recipients of the first that waits.
  void reply(const Reply& reply, bool has_dsn = false) {
    REQUIRE(!sent.empty());
    const Sent one = std::move(sent.front());
    sent.pop_front();
    one.then(result(one, reply, has_dsn));
  }
  static RelayResult result(const Sent& sent, const Reply& reply, bool has_dsn = false) {
    RelayResult made;
    for (const size_t place : sent.job.places)
      made.replies.emplace_back(place, reply);
    made.remote = "mx.isp.example[192.0.2.25]:25";
    made.has_dsn = has_dsn;
    return made;
  }
};

struct SeenEvent {
  MailEventKind kind;
  std::string id, to, by, remote, result;
};

struct DeliveryBed {
  std::string root = temporary_folder();
  boost::asio::io_context context;
  int64_t now_s = std::time(nullptr);
  int64_t set_s = 0;  // by so much the clock of the day was set
  FakeHops hops;
  MailSettings settings;
  std::vector<SeenEvent> events;
  bool keeps_events = true;
  std::deque<std::function<void(const ScanVerdict&)>> scans;
  std::vector<std::string> scanned;
  std::unique_ptr<Queue> queue;
  std::unique_ptr<Mailboxes> mailboxes;
  std::unique_ptr<Dispatcher> dispatcher;
  std::unique_ptr<Intake> intake;

  DeliveryBed() {
    settings.host = "gw.office.example";
    settings.book.own_domain = "office.example";
    settings.book.domains = {"office.example"};
    settings.book.users = {"anna", "bert", "carl"};
    settings.book.postmaster = "anna";
    settings.queue.messages = 100'000;
    open();
  }
  ~DeliveryBed() {
    close();
    std::error_code ignored;
    std::filesystem::remove_all(root, ignored);
  }
  DeliveryBed(const DeliveryBed&) = delete;
  DeliveryBed& operator=(const DeliveryBed&) = delete;

  Seams seams() {
    Seams made;
    made.log = [this](const MailEvent& event) {
      if (!keeps_events) return;
      events.push_back(
          {event.kind, std::string(event.id), event.to == nullptr ? "" : to_text(event.to->address),
           std::string(event.by), std::string(event.remote), std::string(event.result)});
    };
    made.warn = [](const std::string&) {};
    made.now = [this] { return Instant{now_s * 1'000'000'000}; };
    made.wall_s = [this] { return now_s + set_s; };
    made.zone_min = [] { return 0; };
    return made;
  }
  void open() {
    Queue::Options options;
    options.folder = root + "/queue";
    options.limits = settings.queue;
    options.post = [this](std::function<void()> task) {
      boost::asio::post(context, std::move(task));
    };
    options.on_trouble = [](const std::string&) {};
    auto opened = Queue::open(std::move(options));
    REQUIRE(opened);
    queue = std::move(*opened);
    auto boxes = Mailboxes::open(root + "/mailboxes");
    REQUIRE(boxes);
    mailboxes = std::make_unique<Mailboxes>(*boxes);
    dispatcher =
        std::make_unique<Dispatcher>(context, Dispatcher::Parts{*queue, *mailboxes, hops}, seams());
    intake = std::make_unique<Intake>(
        *queue, *dispatcher,
        [this](const ScanJob& job, const std::function<void(const ScanVerdict&)>& then) {
          scanned.push_back(job.id);
          scans.push_back(then);
        },
        seams());
    follow();
  }
  void close() {
    intake.reset();
    dispatcher.reset();
    queue.reset();
    context.restart();
    context.poll();
    scans.clear();
    hops.sent.clear();
  }
  void reopen() {
    close();
    open();
  }
  void follow() {
    dispatcher->follow(settings);
    intake->follow(settings);
  }
  void tick() {
    dispatcher->tick();
    intake->tick();
  }
  // So many seconds later.
  void pass(int64_t s) {
    now_s += s;
    tick();
  }

  // Threads work for it, too: it waits for them.
  auto keep_running() { return boost::asio::make_work_guard(context); }
  template <typename Condition>
  bool run_until(Condition is_true, int seconds_max = 20) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds_max);
    const auto guard = keep_running();
    context.restart();
    while (!is_true()) {
      if (std::chrono::steady_clock::now() > end) return false;
      context.run_one_for(std::chrono::milliseconds(50));
    }
    return true;
  }
  // Whatever is under way has come to its end, or to somebody else.
  void settle() {
    const auto guard = keep_running();
    context.restart();
    for (int quiet = 0; quiet < 4;) {
      quiet = context.run_one_for(std::chrono::milliseconds(15)) == 0 ? quiet + 1 : 0;
    }
  }

  Reply put(const Envelope& from_to, const std::string& text, const std::string& by = "smtp") {
    auto incoming = queue->begin();
    REQUIRE(incoming);
    HeaderScanner scanner;
    scanner.feed(text);
    scanner.finish();
    incoming->append(text);
    Reply said;
    intake->finish(std::move(incoming), from_to, scanner.fields(), by,
                   [&said](const Reply& reply) { said = reply; });
    REQUIRE(run_until([&said] { return said.code != 0; }));
    return said;
  }
  Reply put(const std::string& from, const std::vector<std::string>& to,
            const std::string& text = "Subject: a\r\n\r\ntext\r\n") {
    return put(envelope(from, to), text);
  }
  uint64_t only() const {
    uint64_t number = 0;
    queue->each([&number](const QueuedMessage& message) {
      number = message.number;
      return true;
    });
    return number;
  }
  size_t queued() const { return queue->counters().messages; }

  std::vector<std::string> texts(const std::string& user, const std::string& folder = "") const {
    std::vector<std::string> all;
    auto box = mailboxes->mailbox(user, folder);
    REQUIRE(box);
    auto list = box->list();
    REQUIRE(list);
    for (const MailboxMessage& message : *list) {
      auto body = box->read(message);
      REQUIRE(body);
      std::string& text = all.emplace_back((*body)->octets(), '\0');
      (*body)->read(0, text);
    }
    return all;
  }
  size_t count(MailEventKind kind) const {
    size_t found = 0;
    for (const SeenEvent& event : events)
      found += event.kind == kind ? 1 : 0;
    return found;
  }
};

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace postern::mail::test
