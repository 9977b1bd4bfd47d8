// SPDX-License-Identifier: BSD-3-Clause
// MailControl: the mail service in the daemon (F49-F54): follows the configuration and the
// accounts, and answers what the service asks: names, passwords, times.
//
//   services.mail, users, certificate, passwords in files -> settings -> mail::Service
//
// A password that cannot be read stops the way that it is for, not the service. A service that
// cannot be opened is tried again each kAgain, so is a socket. Without services.mail what is queued
// stays on the disk.
//
// Thread: control.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "control/listeners.h"
#include "control/services/own_questions.h"
#include "services/mail/service/service.h"

namespace postern {

struct AuditEntry;
class ErrorLog;
class Loop;

namespace accounts {
class Accounts;
}

class MailControl {
 public:
  static constexpr Duration kAgain = seconds(10);
  static constexpr Duration kUncheckedTold = seconds(10);

  struct World {
    std::string state_dir;
    std::function<Instant()> now;
    DeviceOf device_of;
    std::function<const Policy*()> policy;
    // Asks the gateway's own DNS service, on the gateway's own behalf; false: there is none.
    std::function<bool(const std::string& name, const OwnQuestions::Found& found)> ask_dns;
    std::function<bool(const std::string& domain, const OwnQuestions::HostsFound& found)>
        ask_mail_hosts;
    std::function<void(const mail::MailEvent& event)> log;
    std::function<void(const AuditEntry& entry)> audit;  // of refused log-ins
    // For `postern status`, as Gateway::note().
    std::function<void(const std::string& about, const Result<void>& outcome)> note;
  };
  MailControl(Loop& loop, ErrorLog& log, accounts::Accounts& accounts, World world);
  ~MailControl();
  MailControl(const MailControl&) = delete;
  MailControl& operator=(const MailControl&) = delete;

  // After each publication: the service starts and ends as `services.mail` is there or not.
  Result<void> follow(const config::Model& model);
  // Once a second.
  void tick();
  // Before what the world asks is gone: what is under way is broken off.
  void end();
  // An outside link came up.
  void link_is_up();

  bool is_wanted() const;  // it may not run all the same; see the status
  // nullptr: it does not run.
  mail::Service* service() const;
  const std::string& folder() const;
  const std::string& host() const;  // how it calls itself
  // SHA-256 of the certificate; empty: none.
  const std::string& fingerprint() const;
  // Who may send to anywhere without a password.
  std::vector<AddressRange> relay_networks() const;
  // Since posternd started, whatever was configured meanwhile.
  mail::MailCounters counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace postern
