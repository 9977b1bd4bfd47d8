// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/system_names.h"

#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace postern {

Result<SystemNames::Addresses> ask_system(const std::string& name) {
  // Of this thread alone; its file is read anew when it changes.
  if (res_init() == 0) {
    _res.retrans = SystemNames::kPatienceS;
    _res.retry = SystemNames::kTries;
  }
  addrinfo wanted = {};
  wanted.ai_family = AF_INET;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int outcome = getaddrinfo(name.c_str(), nullptr, &wanted, &list);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, freeaddrinfo);
  if (outcome == EAI_NONAME) return Error{ErrorCode::not_found, "there is no such name"};
  if (outcome != 0) return Error{ErrorCode::failed, gai_strerror(outcome)};
  SystemNames::Addresses addresses;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    sockaddr_in at = {};
    if (one->ai_family != AF_INET || one->ai_addrlen < sizeof at) continue;
    std::memcpy(&at, one->ai_addr, sizeof at);
    addresses.emplace_back(ntohl(at.sin_addr.s_addr));
  }
  if (addresses.empty()) return Error{ErrorCode::not_found, "the name has no IPv4 address"};
  return addresses;
}

void SystemNames::ask(const std::string& name, const Found& found) {
  auto [entry, is_new] = waiting_.try_emplace(name);
  entry->second.push_back(found);
  if (!is_new) return;
  const auto answer = std::make_shared<Result<Addresses>>(Addresses());
  const bool has_room = pool_.run([name, answer] { *answer = ask_system(name); },
                                  [this, name, answer] {
                                    auto all = waiting_.extract(name);
                                    for (const Found& one : all.mapped())
                                      one(*answer);
                                  });
  if (has_room) return;
  waiting_.erase(entry);
  found(Error{ErrorCode::exhausted, "too many names are asked for at once"});
}

}  // namespace postern
