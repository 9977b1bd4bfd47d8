// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/service/service.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "services/mail/delivery/dispatcher.h"
#include "services/mail/delivery/intake.h"
#include "services/mail/fetch/fetcher.h"
#include "services/mail/mailbox/mailboxes.h"
#include "services/mail/net/server_tls.h"
#include "services/mail/relay/relay.h"
#include "services/mail/scan/scanner.h"
#include "services/mail/server/pop3_server.h"
#include "services/mail/server/smtp_server.h"

namespace postern::mail {
namespace {

constexpr io::JobPool::Settings kDisk = {"mail-disk", 2, 10'000};
constexpr Duration kListenAgain = seconds(10);

// The first error of several.
void note(Result<void>& outcome, const Result<void>& done) {
  if (outcome && !done) outcome = done;
}

}  // namespace

class WholeService final : public Service {
 public:
  struct Stores {
    std::unique_ptr<Queue> queue;
    Mailboxes mailboxes;
  };
  WholeService(boost::asio::io_context& context, Options options, Stores stores);

  Result<void> follow(MailSettings settings) override;
  Result<void> follow_book(RecipientBook book) override;
  void tick() override;
  void link_is_up() override;

  std::vector<io::ListenAddress> listening() const override;
  MailCounters counters() const override;
  const Queue& queue() const override { return *queue_; }

  void retry(uint64_t number, const Done& then) override {
    relay_.try_again();
    dispatcher_.retry(number, then);
  }
  void hold(uint64_t number, const Done& then) override { dispatcher_.hold(number, then); }
  void remove(uint64_t number, const Done& then) override { dispatcher_.remove(number, then); }
  void retry_all() override {
    relay_.try_again();
    dispatcher_.retry_all();
  }

  std::vector<FetchState> fetches() const override { return fetcher_.fetches(); }
  Result<void> fetch_now(const std::string& name) override { return fetcher_.fetch_now(name); }

 private:
  Seams counted(Seams seams);
  void count(const MailEvent& event);
  Result<void> follow_book();
  Result<void> follow_certificate();
  Result<void> listen();
  SmtpServer::Parts smtp_parts(const Options& options);

  boost::asio::io_context& context_;
  uint64_t refused_ = 0;         // recipients, senders and messages
  uint64_t logins_refused_ = 0;  // to all servers
  Seams seams_;
  MailSettings settings_;
  std::shared_ptr<ServerTls> tls_;
  std::string certificate_, key_;  // of tls_
  bool is_deaf_ = false;           // somewhere it should listen
  Instant listen_again_;

  // Each of them knows those above it, and ends before them.
  std::unique_ptr<Queue> queue_;
  Mailboxes mailboxes_;
  io::JobPool jobs_;
  Relay relay_;
  Dispatcher dispatcher_;
  Scanner scanner_;
  Intake intake_;
  Fetcher fetcher_;
  SmtpServer smtp_;
  Pop3Server pop3_;
};

Result<std::unique_ptr<Service>> Service::open(boost::asio::io_context& context, Options options) {
  if (auto made = make_folder(options.folder); !made) return made.error();
  Queue::Options of_queue;
  of_queue.folder = options.folder + "/queue";
  of_queue.limits = options.settings.queue;
  of_queue.post = [&context](std::function<void()> task) {
    boost::asio::post(context, std::move(task));
  };
  of_queue.on_trouble = [warn = options.seams.warn](const std::string& line) {
    warn(line.empty() ? "queue: the disk takes messages again" : "queue: " + line);
  };
  auto queue = Queue::open(std::move(of_queue));
  if (!queue) return queue.error();
  auto mailboxes = Mailboxes::open(options.folder + "/mailboxes");
  if (!mailboxes) return mailboxes.error();
  MailSettings settings = options.settings;
  const auto warn = options.seams.warn;
  auto service = std::make_unique<WholeService>(
      context, std::move(options), WholeService::Stores{std::move(*queue), std::move(*mailboxes)});
  // Without a port, or without a certificate, what is in the queue goes out all the same.
  if (const auto done = service->follow(std::move(settings)); !done) warn(done.error().text);
  return std::unique_ptr<Service>(std::move(service));
}

WholeService::WholeService(boost::asio::io_context& context, Options options, Stores stores)
    : context_(context),
      seams_(counted(std::move(options.seams))),
      queue_(std::move(stores.queue)),
      mailboxes_(std::move(stores.mailboxes)),
      jobs_(context, kDisk),
      relay_(context, seams_),
      dispatcher_(context, Dispatcher::Parts{*queue_, mailboxes_, relay_}, seams_),
      scanner_(context, seams_),
      intake_(
          *queue_, dispatcher_,
          [this](ScanJob job, const Scanner::Then& then) { scanner_.scan(std::move(job), then); },
          seams_),
      fetcher_(context, seams_, *queue_, intake_, options.folder),
      smtp_(smtp_parts(options)),
      pop3_(context, seams_, mailboxes_, jobs_) {}

SmtpServer::Parts WholeService::smtp_parts(const Options& options) {
  SmtpServer::Parts parts{context_,       seams_, *queue_, jobs_,
                          options.folder, {},     {},      options.spf_program};
  parts.finish = [this](FinishedMessage message, const SmtpHost::Answer& then) {
    intake_.finish(std::move(message.incoming), message.envelope, message.fields, message.by, then);
  };
  parts.has_way = [this](const Address& sender, const Address& recipient) {
    return !relay_.hop_of(sender, recipient).empty();
  };
  return parts;
}

Seams WholeService::counted(Seams seams) {
  seams.log = [this, log = seams.log](const MailEvent& event) {
    count(event);
    log(event);
  };
  return seams;
}

void WholeService::count(const MailEvent& event) {
  if (event.kind == MailEventKind::refused) ++refused_;
  if (event.kind == MailEventKind::login_refused) ++logins_refused_;
}

Result<void> WholeService::follow(MailSettings settings) {
  settings_ = std::move(settings);
  queue_->set_limits(settings_.queue);
  relay_.follow(settings_.relay, settings_.host);
  Result<void> outcome = scanner_.follow(settings_.scan, settings_.host);
  note(outcome, follow_certificate());
  note(outcome, follow_book());
  return outcome;
}

Result<void> WholeService::follow_book(RecipientBook book) {
  settings_.book = std::move(book);
  return follow_book();
}

// Those that know who gets mail.
Result<void> WholeService::follow_book() {
  dispatcher_.follow(settings_);
  intake_.follow(settings_);
  Result<void> outcome = fetcher_.follow(settings_.fetch, settings_);
  note(outcome, listen());
  return outcome;
}

// One that cannot be used leaves the one before.
Result<void> WholeService::follow_certificate() {
  const ServerSettings& server = settings_.server;
  if (server.certificate == certificate_ && server.key == key_) return {};
  std::shared_ptr<ServerTls> made;
  if (!server.certificate.empty()) {
    auto done = ServerTls::make(server.certificate, server.key);
    if (!done) return done.error();
    made = std::move(*done);
  }
  tls_ = std::move(made);
  certificate_ = server.certificate;
  key_ = server.key;
  return {};
}

Result<void> WholeService::listen() {
  Result<void> outcome = smtp_.follow(settings_, tls_);
  note(outcome, pop3_.follow(settings_, tls_));
  is_deaf_ = !outcome;
  listen_again_ = seams_.now() + kListenAgain;
  return outcome;
}

void WholeService::tick() {
  relay_.tick();
  dispatcher_.tick();
  intake_.tick();
  fetcher_.tick();
  smtp_.tick();
  pop3_.tick();
  // Who had the port may be gone.
  if (is_deaf_ && seams_.now() >= listen_again_ && listen()) seams_.warn("it listens again");
}

void WholeService::link_is_up() {
  fetcher_.link_is_up();
  retry_all();
}

std::vector<io::ListenAddress> WholeService::listening() const {
  std::vector<io::ListenAddress> all = smtp_.listening();
  const std::vector<io::ListenAddress> more = pop3_.listening();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

MailCounters WholeService::counters() const {
  const Intake::Counters in = intake_.counters();
  const Dispatcher::Counters out = dispatcher_.counters();
  MailCounters counters;
  counters.received = in.received;
  counters.fetched = in.fetched;
  counters.refused = refused_;
  counters.delivered = out.delivered;
  counters.relayed = out.relayed;
  counters.deferred = out.deferred;
  counters.failed = out.failed;
  counters.held = in.held;
  counters.discarded = in.discarded;
  counters.logins_refused = logins_refused_;
  counters.smtp_sessions = smtp_.sessions();
  counters.pop3_sessions = pop3_.sessions();
  counters.queue = queue_->counters();
  return counters;
}

}  // namespace postern::mail
