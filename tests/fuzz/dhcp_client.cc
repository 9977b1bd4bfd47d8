// SPDX-License-Identifier: BSD-3-Clause
// A hostile DHCP server: the input is its answers, each two bytes of length, one of time that
// passes before it, and the message, which is made one for the client. No lease may come out of it
// that does not hold what checked() promises.
#include <algorithm>
#include <vector>

#include "base/assert.h"
#include "services/dhcp/client.h"

namespace postern::dhcp {
namespace {

class Victim : public ClientSink {
 public:
  Client& client() { return client_; }
  void hear(std::span<const uint8_t> bytes, Instant now) {
    std::vector<uint8_t> message(bytes.begin(), bytes.end());
    if (message.size() >= kHeaderBytes) {
      message[0] = kBootReply;
      for (unsigned i = 0; i < 4; ++i)
        message[4 + i] = static_cast<uint8_t>(xid_ >> (24 - 8 * i));
      message[1] = kEthernet;
      message[2] = 6;
      std::copy(kMac.bytes.begin(), kMac.bytes.end(), message.begin() + 28);
    }
    client_.receive(message, now);
  }

 private:
  static constexpr MacAddress kMac{{2, 0, 0, 0, 0, 7}};

  void note(std::span<const uint8_t> bytes) {
    Message message;
    POSTERN_ASSERT(message.read(bytes) == MessageFault::none);
    xid_ = message.header.xid;
  }
  void broadcast(std::span<const uint8_t> message) override { note(message); }
  void unicast(Ipv4Address, Ipv4Address, std::span<const uint8_t> message) override {
    note(message);
  }
  void probe(Ipv4Address) override {}
  std::string objection(const ClientLease&) override { return ""; }
  void bound(const ClientLease& lease, bool) override {
    POSTERN_ASSERT(lease.lease_s >= kClientLeaseMin);
    POSTERN_ASSERT(lease.renew_s <= lease.rebind_s);
    POSTERN_ASSERT(lease.rebind_s <= lease.lease_s);
    POSTERN_ASSERT(lease.routes.size() <= kClientRoutesMax);
    POSTERN_ASSERT(lease.dns_servers.size() <= kClientServersMax);
    for (const ClasslessRoute& route : lease.routes)
      POSTERN_ASSERT(lease.address.contains(Ipv4Address(route.via)));
  }
  void lost(const std::string&) override {}
  void remark(const std::string&) override {}

  uint32_t random_ = 1;
  uint32_t xid_ = 0;
  Client client_{{kMac, [this] { return random_ = random_ * 1'664'525 + 1'013'904'223; }}, *this};
};

}  // namespace
}  // namespace postern::dhcp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace postern;
  dhcp::Victim victim;
  std::span<const uint8_t> rest(data, size);
  Instant now{0};
  victim.client().tick(now);
  while (rest.size() > 3) {
    const size_t length = std::min<size_t>(size_t{rest[0]} << 8 | rest[1], rest.size() - 3);
    const unsigned turns = rest[2];
    victim.hear(rest.subspan(3, length), now);
    for (unsigned i = 0; i < turns; ++i) {
      now = now + milliseconds(i < 20 ? 200 : 60'000);
      victim.client().tick(now);
    }
    rest = rest.subspan(3 + length);
  }
  return 0;
}
