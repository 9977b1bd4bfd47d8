// SPDX-License-Identifier: BSD-3-Clause
// SystemNames: addresses of names by the system's resolver (getaddrinfo), on threads of its own as
// it blocks. Several who ask for one name at a time share the answer.
//
// Thread: control. Bounds: kThreads at work, kWaiting names wait; further ones fail at once. A
// name server that does not answer costs a thread kPatienceS, once for each server and try.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "control/loop.h"
#include "services/io/job_pool.h"

namespace postern {

class SystemNames {
 public:
  using Addresses = std::vector<Ipv4Address>;
  using Found = std::function<void(const Result<Addresses>& addresses)>;
  static constexpr unsigned kThreads = 4;
  static constexpr size_t kWaiting = 256;
  static constexpr int kPatienceS = 2;
  static constexpr int kTries = 2;

  explicit SystemNames(Loop& loop) : pool_(loop.context(), {"names", kThreads, kWaiting}) {}

  // `found` is called once, later or, where there is no room, at once.
  void ask(const std::string& name, const Found& found);

 private:
  std::map<std::string, std::vector<Found>> waiting_;
  io::JobPool pool_;  // last: its threads end first
};

// Blocks.
Result<SystemNames::Addresses> ask_system(const std::string& name);

}  // namespace postern
