// SPDX-License-Identifier: BSD-3-Clause
// The gateway's DHCP client with a clock of its own, and a wire on which a test answers, or our own
// server does.
#pragma once

#include <string>
#include <vector>

#include "services/dhcp/client.h"
#include "unit/dhcp/engine_bed.h"

namespace postern::dhcp::test {

class ClientBed : public ClientSink {
 public:
  static constexpr Ipv4Address kServer{203, 0, 113, 1};
  static constexpr Ipv4Address kAddress{203, 0, 113, 77};

  struct Said {
    Message message;
    bool is_unicast = false;
    int64_t at_ms = 0;
  };

  // A message of a server to what the client said last.
  Built answer(MessageType type, Ipv4Address address = kAddress, uint32_t lease_s = 3600) const {
    const uint32_t xid = said.back().message.header.xid;
    auto byte = [xid](unsigned shift) { return static_cast<uint8_t>(xid >> shift); };
    return Built(type, 7)
        .at(0, {kBootReply})
        .at(4, {byte(24), byte(16), byte(8), byte(0)})
        .at(16, Built::bytes_of(address))
        .address(option::server_id, kServer)
        .address(option::subnet_mask, {255, 255, 255, 0})
        .address(option::lease_time, Ipv4Address(lease_s));
  }
  void hear(const Built& built) { client.receive(built.done(), now); }
  void hear(MessageType type) { hear(answer(type)); }

  void pass_ms(int64_t ms) {
    for (int64_t i = 0; i < ms; i += 100) {
      now = now + milliseconds(100);
      client.tick(now);
    }
  }
  void pass(int64_t s) { pass_ms(s * 1000); }
  // The whole exchange with a server that gives `lease_s` seconds.
  void bind(uint32_t lease_s = 3600) {
    pass_ms(100);
    hear(answer(MessageType::offer, kAddress, lease_s));
    hear(answer(MessageType::ack, kAddress, lease_s));
    pass_ms(1000);
  }
  Client::State state() const { return client.state(); }
  const Message& last() const { return said.back().message; }

  Instant now{0};
  std::vector<Said> said;
  std::vector<Ipv4Address> probed;
  std::vector<ClientLease> leases;
  std::vector<bool> confirmed;
  std::vector<std::string> losses;
  std::vector<std::string> remarks;
  std::string against;  // what there is to object to
  uint32_t random = 100;
  Client client{{mac_of(7), [this] { return random += 1'000'003; }}, *this};

 private:
  void note(std::span<const uint8_t> message, bool is_unicast) {
    Said& item = said.emplace_back();
    REQUIRE(item.message.read(message) == MessageFault::none);
    item.is_unicast = is_unicast;
    item.at_ms = now.ns / 1'000'000;
  }
  void broadcast(std::span<const uint8_t> message) override { note(message, false); }
  void unicast(Ipv4Address, Ipv4Address, std::span<const uint8_t> message) override {
    note(message, true);
  }
  void probe(Ipv4Address address) override { probed.push_back(address); }
  std::string objection(const ClientLease&) override { return against; }
  void bound(const ClientLease& lease, bool is_confirmed) override {
    leases.push_back(lease);
    confirmed.push_back(is_confirmed);
  }
  void lost(const std::string& why) override { losses.push_back(why); }
  void remark(const std::string& line) override { remarks.push_back(line); }
};

}  // namespace postern::dhcp::test
