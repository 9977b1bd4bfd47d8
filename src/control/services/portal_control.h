// SPDX-License-Identifier: BSD-3-Clause
// PortalControl: the log-in page in the daemon (F27): follows the configuration, asks the accounts
// about passwords, and puts who is logged in before the workers.
//
// A log-in ends with its account and its password, with the page, and when another machine shows up
// at its address: an address that was given to somebody else is not logged in. Thread: control.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "control/accounts/accounts.h"
#include "control/handshake_ration.h"
#include "control/identity/identity_board.h"
#include "control/log/audit_log.h"
#include "control/log/counted_line.h"
#include "control/log/error_log.h"
#include "control/log/user_names.h"
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
    // Who has the address on a wire of ours; nothing for hosts behind routers.
    std::function<std::optional<MacAddress>(Ipv4Address)> machine_of;
    std::function<std::string(InterfaceId)> device_of;
    std::function<void(const AuditEntry& entry)> audit;  // of each log-in
  };
  PortalControl(Loop& loop, ErrorLog& log, accounts::Accounts& accounts, World world);
  ~PortalControl();
  PortalControl(const PortalControl&) = delete;
  PortalControl& operator=(const PortalControl&) = delete;

  // Before the first follow(). The board outlives this.
  void set_board(IdentityBoard& board) { board_ = &board; }
  // After each publication: the page opens and closes as `services.portal` is there or not.
  Result<void> follow(const config::Model& model, const Policy& policy);
  // Once a second.
  void tick();
  // A neighbor was seen.
  void machine_seen(Ipv4Address address, const MacAddress& mac);
  // An administrator logs out whoever is at an address, or a user everywhere. How many.
  size_t log_out(const std::string& user_or_address);

  // Who is logged in there; nullptr: nobody.
  const portal::Login* find(Ipv4Address address) const;
  const portal::Portal& engine() const { return engine_; }
  const portal::Server* server() const { return server_.get(); }  // nullptr: not configured
  const std::string& fingerprint() const { return facts_.fingerprint; }
  const UserNames& names() const { return names_; }
  const IdentityBoard* board() const { return board_; }

 private:
  portal::Portal::World portal_world();
  void check(const std::string& name, std::string password, Ipv4Address from,
             portal::Portal::World::Done done);
  void tell_refused(const std::string& name, Ipv4Address from, const std::string& why,
                    bool is_checked);
  bool let_in(const portal::Login& login);
  void let_out(const portal::Login& login, portal::Ended why);
  void follow_accounts();
  Result<void> follow_certificate(const config::Portal& portal, const std::string& name);
  Result<portal::CertificateText> own_certificate(const std::string& name);
  void close();

  Loop& loop_;
  ErrorLog& log_;
  accounts::Accounts& accounts_;
  World world_;
  IdentityBoard* board_ = nullptr;
  UserNames names_;
  std::map<Ipv4Address, MacAddress> machines_;  // of those who are logged in
  std::vector<io::ListenAddress> wanted_;
  portal::CertificateText certificate_;
  portal::CertificateFacts facts_;
  CountedLine unchecked_{kUncheckedTold};
  HandshakeRation handshakes_{kHandshakesPerSecond, kHandshakesPerAddress};
  portal::Portal engine_;
  std::unique_ptr<portal::Server> server_;
};

}  // namespace postern
