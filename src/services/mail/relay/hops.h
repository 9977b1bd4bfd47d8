// SPDX-License-Identifier: BSD-3-Clause
// Relay::State: the hops that Relay knows, with what waits for each and their connections.
// Thread: control.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "services/io/job_pool.h"
#include "services/mail/relay/link.h"
#include "services/mail/relay/relay.h"
#include "services/mail/relay/token_source.h"

namespace postern::mail {

// A message that somebody waits for, until all its places have an answer.
struct RelayWork {
  RelayJob job;
  NextHops::Then then;
  RelayResult result;
  size_t next = 0;   // of job.places, that was not sent yet
  size_t batch = 0;  // so many from there on are sent now
  bool was_retried = false;
};

struct Relay::State final : RelayLink::Owner, std::enable_shared_from_this<State> {
  // RFC5321-4.5.3.1.8: each server takes so many in one message; no further ones are tried.
  static constexpr size_t kBatchMax = 100;
  // After no host of a hop could be used, before one is tried again: what comes meanwhile is put
  // off at once.
  static constexpr Duration kPause = seconds(10);

  struct Hop {
    std::deque<std::unique_ptr<RelayWork>> waiting;
    std::vector<std::shared_ptr<RelayLink>> links;
    Instant paused_until;
    Reply why;  // it is paused
    bool is_posted = false;
  };

  State(boost::asio::io_context& with, Seams asked, uint16_t port);
  ~State() override;

  void follow(const RelaySettings& wanted, const std::string& host);
  void tick();
  void add(const std::string& key, std::unique_ptr<RelayWork> work);
  size_t connections() const;
  void dispatch_soon(const std::string& key);

  void on_link_ready(RelayLink& link) override;
  void on_link_message_over(RelayLink& link, const MessageOver& over) override;
  void on_link_ended(RelayLink& link, const Reply& why) override;

  boost::asio::io_context& context;
  Seams seams;
  RelaySettings settings;
  std::string helo;
  std::map<std::string, Hop> hops;

 private:
  void dispatch(const std::string& key);
  void give_to_idle(Hop& hop);
  void open_links(const std::string& key, Hop& hop);
  bool make_room(const std::string& key);
  void open_link(const std::string& key, Hop& hop);
  void put_off_waiting(Hop& hop);
  void put_off(std::unique_ptr<RelayWork> work, const Reply& why);
  void finish(std::unique_ptr<RelayWork> work);
  void reroute(std::unique_ptr<RelayWork> work);
  void let_go();
  void close_idle(Hop& hop, Duration for_so_long);
  Result<std::shared_ptr<ClientTls>> tls_for(const RelayHost& host);

  uint16_t mx_port_;
  TokenSource tokens_;
  io::JobPool disk_;
  RelayLink::Tools tools_;
  std::map<std::string, std::shared_ptr<ClientTls>> contexts_;
  std::map<const RelayLink*, std::unique_ptr<RelayWork>> busy_;
  std::set<const RelayLink*> outdated_;  // by settings before: no further message
};

}  // namespace postern::mail
