// SPDX-License-Identifier: BSD-3-Clause
// IdentityBoard: puts who is logged in before the workers (F27), as the publisher does with
// policies.
//
//   set(), erase() -> Identities n+1 with what changed -> slot -> ... every worker has finished
//   with older ones -> turn(): times at which hosts were seen are kept, the old set is freed
//
// Thread: control. Bounded: kIdentitiesMax hosts; kRetiredMax sets wait for grace, and what comes
// while a worker is that slow is published by a later turn().
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "dataplane/policy/identities.h"

namespace postern {

class IdentityBoard {
 public:
  static constexpr size_t kRetiredMax = 8;

  // `slot` outlives the board; the sets must outlive the workers.
  IdentityBoard(IdentitySlot& slot, unsigned workers) : slot_(slot), workers_(workers) {}

  // At `host` it is `user` now, whoever it was before. False: no room, nothing changed.
  bool set(Ipv4Address host, const std::string& user, const std::vector<std::string>& groups);
  void erase(Ipv4Address host);
  // Publishes what could not be published at once, frees what no worker reads any more. Call it on
  // a timer.
  void turn();

  // When the host last sent or got something that the gateway let pass, in ticks of a session
  // (nat/session.h); 0: not seen by now. It may be ten seconds late.
  uint32_t last_seen(Ipv4Address host) const;
  // nullptr before the first log-in.
  const Identities* current() const { return current_.get(); }
  size_t size() const { return hosts_.size(); }
  size_t retired() const { return retired_.size(); }

 private:
  struct Host {
    SubjectId user = 0;
    std::vector<SubjectId> groups;
    uint32_t seen = 0;  // by sets that are gone
  };
  struct Retired {
    std::unique_ptr<Identities> set;
    uint32_t replaced_by = 0;  // generation
  };
  void note_change(Ipv4Address host, SubjectId was);
  void publish();
  void fold(const Identities& set);

  IdentitySlot& slot_;
  unsigned workers_;
  uint32_t generation_ = 0;
  bool is_late_ = false;  // hosts_ has what current_ has not
  std::map<Ipv4Address, Host> hosts_;
  std::vector<Identities::Change> changes_;  // ascending
  uint32_t forgotten_ = 0;
  std::unique_ptr<Identities> current_;
  std::deque<Retired> retired_;
};

}  // namespace postern
