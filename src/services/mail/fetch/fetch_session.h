// SPDX-License-Identifier: BSD-3-Clause
// FetchSession: goes once through one mailbox elsewhere.
//
//   dial, TLS, log in, list -> what is known of it (FetchMemory::compare)
//   each that is new: RETR -> who gets it (Multidrop) -> begin() on the disk -> Intake
//     -> take() on the disk -> DELE, or it stays
//   QUIT -> what is gone there is forgotten
//
// Each arrow is waited for, so a crash or a lost connection anywhere leaves a message at its
// server, or here, or at both and known as such; never at neither, and never here twice: what is in
// the queue is not delivered before take() is on the disk.
//
// What nobody here gets, what is too large and what a scanner refuses stays at the server.
//
// A message that cannot be fetched, or that a scanner wants later, does not keep those behind it
// back; trouble with the disk or the queue ends the session.
//
// Bounds: kSilence without an octet, kLongest in all. Thread: control; the memory is asked on a
// thread of `disk`.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/io/job_pool.h"
#include "services/mail/delivery/intake.h"
#include "services/mail/fetch/dialer.h"
#include "services/mail/fetch/envelope.h"
#include "services/mail/fetch/fetched_message.h"
#include "services/mail/fetch/memory.h"
#include "services/mail/fetch/settings.h"
#include "services/mail/net/client_tls.h"
#include "services/mail/pop3/client_session.h"
#include "services/mail/relay/token_source.h"
#include "services/mail/seams.h"

namespace postern::mail {

// "joe@pop.isp.example": by what the memory knows a mailbox.
std::string memory_key(const FetchAccount& account);

class FetchSession final : public Pop3ClientHost,
                           public std::enable_shared_from_this<FetchSession> {
 public:
  static constexpr Duration kSilence = seconds(180);
  static constexpr Duration kLongest = seconds(21'600);
  static constexpr uint64_t kTraceMax = 4096;  // octets; our Received field is shorter

  // What all sessions share; outlives them.
  struct Tools {
    boost::asio::io_context& context;
    const Seams& seams;
    Queue& queue;
    Intake& intake;
    io::JobPool& disk;  // one thread
    TokenSource& tokens;
    std::shared_ptr<FetchMemory> memory;
  };
  struct Manner {
    std::string host;  // our name
    std::shared_ptr<const Multidrop> multidrop;
    std::shared_ptr<ClientTls> tls;    // nullptr: TlsMode::none
    std::vector<std::string> unsaved;  // ids that were taken, which the disk does not know yet
  };
  struct Report {
    uint64_t fetched = 0;              // messages
    std::string outcome;               // in words; empty: it went well
    std::vector<std::string> unsaved;  // as above
  };
  // Once; the session may be let go of in it.
  using Then = std::function<void(const Report& report)>;

  FetchSession(const Tools& tools, FetchAccount account, Manner manner, Then then);
  ~FetchSession() override;
  FetchSession(const FetchSession&) = delete;
  FetchSession& operator=(const FetchSession&) = delete;

  void start();
  // Once a second.
  void tick();
  bool is_over() const { return is_over_; }
  uint64_t fetched() const { return report_.fetched; }
  const FetchAccount& account() const { return account_; }

 private:
  // What the disk says of a message that is whole here.
  struct Begun {
    bool is_known = false;       // it was taken before: a server without ids
    std::vector<bool> has_copy;  // by key
  };

  // fetch_session.cc
  void reached(const Result<Dialer::Reached>& reached);
  void begin(const std::shared_ptr<Stream>& stream);
  void secured(const Result<void>& outcome);
  void compared(const Result<std::vector<FetchMemory::Known>>& known);
  void next();
  bool take_step(const Pop3Listing::Message& message);
  bool may_go(const FetchMemory::Known& known) const;
  uint64_t octets_max() const;
  void trouble(const std::string& why);
  void fail(const std::string& why);
  void conclude();
  void forgotten(const Result<bool>& outcome);
  void tell(MailEventKind kind, const std::string& result, uint64_t octets) const;
  template <typename Value>
  void ask_disk(std::function<Result<Value>(FetchMemory& memory)> work,
                void (FetchSession::*then)(const Result<Value>& outcome));

  // fetch_message.cc
  void fetch(const Pop3Listing::Message& message);
  void read_on();
  void break_text();
  void find_recipients();
  bool choose_recipients(const HeaderFields& fields);
  void begun(const Result<Begun>& begun);
  void tell_copies(const std::vector<bool>& has_copy) const;
  std::vector<Recipient> still_without(const std::vector<bool>& has_copy) const;
  void hand_over(std::vector<Recipient> recipients);
  void answered(const Reply& reply);
  void settle(Fate fate);
  void settled(const Result<bool>& outcome);
  void stay(Fate fate, const std::string& why);
  void go_on();

  // --- Pop3ClientHost
  void send(std::string octets) override;
  void start_tls() override;
  void ask_token(bool is_again) override;
  void listed(Pop3Listing listing) override;
  void text(std::string_view octets) override;
  void retrieved(const Result<void>& outcome) override;
  void removed(const Result<void>& outcome) override;
  void over(const Result<void>& outcome) override;

  const Tools& tools_;
  FetchAccount account_;
  Manner manner_;
  Then then_;
  std::string key_;  // memory_key()
  Report report_;
  Instant began_;
  Instant heard_;
  std::unique_ptr<Dialer> dialer_;
  std::shared_ptr<Stream> stream_;
  Ipv4Address address_;
  Pop3Client client_;
  bool is_busy_ = false;     // with the disk, or the intake
  bool is_held_up_ = false;  // nothing is read while the queue's disk is behind
  bool is_over_ = false;     // then_ was called, or is to be never
  bool is_failing_ = false;  // no further message is begun

  std::shared_ptr<const Pop3Listing> listing_;  // with the disk's thread
  std::vector<FetchMemory::Known> known_;
  size_t at_ = 0;                  // of the listing
  std::vector<std::string> gone_;  // ids of what was removed, when QUIT is answered

  // The one that is under way.
  std::unique_ptr<FetchedMessage> message_;
  std::string uid_;
  uint64_t number_ = 0;        // of the queue
  uint64_t queued_ = 0;        // the same, while it waits for take(); 0: none
  Fate fate_ = Fate::unknown;  // that goes to the disk
  Address sender_;
  struct Copy {
    Target target;
    std::string key;
  };
  std::vector<Address> recipients_;
  std::vector<Copy> copies_;  // empty: all get it
};

}  // namespace postern::mail
