// SPDX-License-Identifier: BSD-3-Clause
// Strangers: what is asked of clients that are not ours, and send mail to us: how many messages
// they bring a minute, SPF (spf.h) and the greylist (greylist.h).
//
// The greylist is in a file, written at most once a minute, so that a restart makes strangers wait
// anew for what the last minute had at most. Bounds: those of the tables. Thread: control; the
// file is read by follow() and written on a thread of `jobs`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/time.h"
#include "services/io/job_pool.h"
#include "services/io/rate_limiter.h"
#include "services/mail/message/reply.h"
#include "services/mail/seams.h"
#include "services/mail/server/greylist.h"
#include "services/mail/server/settings.h"
#include "services/mail/server/spf.h"

namespace postern::mail {

class Strangers {
 public:
  static constexpr Duration kSaveEvery = seconds(60);

  struct Files {
    std::string folder;       // of the greylist
    std::string spf_program;  // its path
  };
  // `jobs` outlives this.
  Strangers(boost::asio::io_context& context, Seams seams, Files files, io::JobPool& jobs);
  // Writes the greylist.
  ~Strangers();
  Strangers(const Strangers&) = delete;
  Strangers& operator=(const Strangers&) = delete;

  void follow(const ServerSettings& settings, const std::string& host);
  // Once a second.
  void tick();

  // Replies without a code: yes. Another message of that client, be it taken or not.
  Reply admit_message(Ipv4Address client);

  // What SPF says of an envelope's sender.
  struct Sender {
    Reply refusal;      // without a code: none
    std::string trace;  // a field for the message, with CRLF; or empty
  };
  using Then = std::function<void(const Sender& sender)>;
  // `then` once, perhaps at once.
  void check_sender(const Envelope& envelope, const Then& then);

  // Greylisting.
  Reply check_recipient(const Envelope& envelope, const Address& recipient);

 private:
  class File;
  void load();
  void save();

  boost::asio::io_context& context_;
  Seams seams_;
  std::shared_ptr<File> file_;  // of the greylist; shared with the job that writes it
  std::string spf_program_;
  io::JobPool& jobs_;
  std::string host_;
  GreylistSettings greylist_settings_;
  SpfUse spf_use_ = SpfUse::off;
  io::RateLimiter messages_;
  std::unique_ptr<Greylist> greylist_;  // where it is on
  std::unique_ptr<Spf> spf_;            // where it is on
  Instant save_at_;
  bool is_saving_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace postern::mail
