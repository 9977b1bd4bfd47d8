// SPDX-License-Identifier: BSD-3-Clause
// PortalControl: the log-in page in the daemon (F27): follows the configuration, asks the accounts
// about passwords, and logs people in (identity/log_ins.h). Without the page nobody who came by it
// stays. Thread: control.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/accounts/accounts.h"
#include "control/handshake_ration.h"
#include "control/identity/log_ins.h"
#include "control/log/audit_log.h"
#include "control/log/counted_line.h"
#include "control/log/error_log.h"
#include "control/loop.h"
#include "dataplane/policy/policy.h"
#include "services/portal/portal.h"
#include "services/portal/server.h"

namespace postern {

class PortalControl {
 public:
  // A page is some connections, its style sheet among them.
  static constexpr uint32_t kHandshakesPerSecond = 200;
  static constexpr uint32_t kHandshakesPerAddress = 20;
  static constexpr Duration kUncheckedTold = seconds(10);
  struct World {
    std::string state_dir;
    std::function<Instant()> now;
    std::function<std::string(InterfaceId)> device_of;
    std::function<void(const AuditEntry& entry)> audit;  // of each log-in
  };
  // What comes by reference outlives this.
  struct Parts {
    Loop& loop;
    ErrorLog& log;
    accounts::Accounts& accounts;
    LogIns& log_ins;
  };
  PortalControl(const Parts& parts, World world);
  ~PortalControl();
  PortalControl(const PortalControl&) = delete;
  PortalControl& operator=(const PortalControl&) = delete;

  // After each publication: the page opens and closes as `services.portal` is there or not.
  Result<void> follow(const config::Model& model, const Policy& policy);
  // Once a second.
  void tick();

  const portal::Portal& engine() const { return engine_; }
  const portal::Server* server() const { return server_.get(); }  // nullptr: not configured
  const std::string& fingerprint() const { return facts_.fingerprint; }

 private:
  portal::Portal::World portal_world();
  void check(const std::string& name, std::string password, Ipv4Address from,
             portal::Portal::World::Done done);
  void tell_refused(const std::string& name, Ipv4Address from, const std::string& why,
                    bool is_checked);
  std::optional<portal::Person> find(Ipv4Address address) const;
  bool let_in(Ipv4Address from, const portal::Verdict& verdict);
  Result<void> follow_certificate(const config::Portal& portal, const std::string& name);
  void close();

  Loop& loop_;
  ErrorLog& log_;
  accounts::Accounts& accounts_;
  LogIns& log_ins_;
  World world_;
  std::vector<io::ListenAddress> wanted_;
  portal::CertificateText certificate_;
  portal::CertificateFacts facts_;
  CountedLine unchecked_{kUncheckedTold};
  HandshakeRation handshakes_{kHandshakesPerSecond, kHandshakesPerAddress};
  portal::Portal engine_;
  std::unique_ptr<portal::Server> server_;
};

}  // namespace postern
