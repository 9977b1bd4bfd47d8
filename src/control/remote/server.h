// SPDX-License-Identifier: BSD-3-Clause
// Server: the connections of the remote administration and the sessions on them (F59, F61).
//
//   TcpListener -> Gatekeeper -> hello, log-in -> accounts -> requests by the dispatcher, one at a
//   time
//
// Passwords are checked beside this thread (accounts); all else of a handshake is some hundred
// microseconds here, rationed by the Gatekeeper. Whoever loses the account, the key, the password
// or the place in the list loses the session. Each attempt is a line in the log; those that do not
// get as far as a log-in, or are turned away unchecked, are told once in kRefusedTold with their
// number. Bounded: places at the
// door and of sessions (gatekeeper.h), kHandshakeTimeout, kStepTimeout for each record, `idle`; a
// response is sealed piece by piece. Thread: control.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "control/accounts/accounts.h"
#include "control/admin/dispatcher.h"
#include "control/config/model.h"
#include "control/log/audit_log.h"
#include "control/loop.h"
#include "control/remote/channel/handshake.h"
#include "control/remote/gatekeeper.h"
#include "control/remote/settings.h"

namespace postern::remote {

class Server {
 public:
  static constexpr Duration kHandshakeTimeout = seconds(10);
  static constexpr Duration kStepTimeout = seconds(30);
  static constexpr Duration kRefusedTold = seconds(10);

  struct World {
    accounts::Accounts* accounts = nullptr;
    admin::Dispatcher* dispatcher = nullptr;
    std::function<Instant()> now;
    std::function<void(config::LogLevel level, const std::string& line)> log;
    std::function<void(const AuditEntry& entry)> audit;  // of each log-in; may be empty
  };
  struct Row {  // of a session
    std::string who;
    config::Role role;
    Endpoint client;
    Method method;
    Instant since;
  };

  Server(Loop& loop, SigningKey key, World world);
  ~Server();  // closes everything
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Opens and closes sockets; sessions from where nobody may come any more end. An error is about
  // the first socket that does not open.
  Result<void> configure(const Settings& settings);
  // Sessions whose account may not have them any more end.
  void review_sessions();

  const PublicKey& key() const;
  const Settings& settings() const;
  std::vector<Row> sessions() const;
  const Gatekeeper& gatekeeper() const;
  uint64_t denied() const;  // log-ins

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with what is still under way
};

}  // namespace postern::remote
