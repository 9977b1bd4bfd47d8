// SPDX-License-Identifier: BSD-3-Clause
// An engine with a clock of its own and a sink that remembers, and clients that speak to it.
#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "services/dhcp/engine.h"
#include "services/dhcp/option_names.h"
#include "unit/dhcp/build_message.h"

namespace postern::dhcp::test {

struct Sent {
  Reply reply;
  std::vector<uint8_t> bytes;
  Message message;
};

class EngineBed : public EngineSink {
 public:
  static constexpr LinkId kLan = 1;
  static constexpr Ipv4Address kServer{192, 168, 1, 1};

  explicit EngineBed(Settings settings = office()) { engine.configure(std::move(settings), now); }

  static constexpr Ipv4Address kRelay{10, 5, 0, 1};

  static Scope lan() {
    Scope scope;
    scope.name = "lan";
    scope.link = kLan;
    scope.subnet = {Ipv4Address(192, 168, 1, 0), 24};
    scope.server = kServer;
    scope.ranges = {{Ipv4Address(192, 168, 1, 100), Ipv4Address(192, 168, 1, 199)}};
    scope.probe = false;
    scope.gateway.options = {{option::routers, Built::bytes_of(kServer)}};
    scope.relays = {scope.subnet};
    return scope;
  }
  // A network behind a router of the LAN.
  static Scope branch() {
    Scope scope;
    scope.name = "branch";
    scope.subnet = {Ipv4Address(10, 5, 0, 0), 24};
    scope.ranges = {{Ipv4Address(10, 5, 0, 50), Ipv4Address(10, 5, 0, 60)}};
    scope.relay_link = kLan;
    scope.relays = {scope.subnet};
    return scope;
  }
  static Settings office() {
    Settings settings;
    settings.own_addresses = {kServer};
    settings.scopes = {lan()};
    settings.lease_s = 3600;
    return settings;
  }

  // --- sink
  void store(const Lease& lease) override {
    stored[lease.address] = lease;
    log.push_back("store");
  }
  void forget(Ipv4Address address) override { stored.erase(address); }
  void reply(const Reply& reply) override {
    Sent& item = sent.emplace_back();
    item.reply = reply;
    item.bytes.assign(reply.message.begin(), reply.message.end());
    REQUIRE(item.message.read(item.bytes) == MessageFault::none);
    log.push_back("reply");
  }
  void probe(LinkId, Ipv4Address, Ipv4Address address) override { probed.push_back(address); }
  void echo(Ipv4Address, Ipv4Address address) override { echoed.push_back(address); }
  void change_name(const NameChange& change) override {
    log.push_back("name");
    if (change.until_s == 0) {
      names.erase(change.name);
    } else {
      names[change.name] = change.address;
    }
  }
  void remark(const std::string& line) override { remarks.push_back(line); }

  // --- clients
  const Sent* say(const std::vector<uint8_t>& bytes, LinkId link = kLan) {
    Message message;
    Ipv4Address source;
    if (message.read(bytes) == MessageFault::none) source = message.header.ciaddr;
    if (!message.header.giaddr.is_unspecified()) source = message.header.giaddr;
    return say_from(source, bytes, link);
  }
  const Sent* say_from(Ipv4Address source, const std::vector<uint8_t>& bytes, LinkId link = kLan) {
    size_t before = sent.size();
    engine.receive({link, kServer, source}, bytes, now);
    return sent.size() > before ? &sent.back() : nullptr;
  }
  static Built discover(unsigned client) { return Built(MessageType::discover, client); }
  static Built select(unsigned client, Ipv4Address address, Ipv4Address server = kServer) {
    return Built(MessageType::request, client)
        .address(option::requested_address, address)
        .address(option::server_id, server);
  }
  static Built reboot(unsigned client, Ipv4Address address) {
    return Built(MessageType::request, client).address(option::requested_address, address);
  }
  static Built renew(unsigned client, Ipv4Address address) {
    return Built(MessageType::request, client).ciaddr(address);
  }
  std::optional<Ipv4Address> offered(unsigned client) {
    const Sent* offer = say(discover(client).done());
    if (offer == nullptr || offer->message.type != MessageType::offer) return std::nullopt;
    return offer->message.header.yiaddr;
  }
  // The whole exchange.
  std::optional<Ipv4Address> lease(unsigned client) {
    auto address = offered(client);
    if (!address) return std::nullopt;
    const Sent* ack = say(select(client, *address).done());
    if (ack == nullptr || ack->message.type != MessageType::ack) return std::nullopt;
    CHECK(ack->message.header.yiaddr == *address);
    return address;
  }
  MessageType answer(const Built& built) {
    const Sent* reply = say(built.done());
    return reply == nullptr ? MessageType::none : reply->message.type;
  }
  void pass(int64_t s) {
    now.unix_s += s;
    now.instant = now.instant + seconds(s);
    engine.tick(now);
  }
  void pass_ms(int64_t ms) {
    now.instant = now.instant + milliseconds(ms);
    engine.tick(now);
  }

  Now now{{0}, 1'700'000'000};
  std::map<Ipv4Address, Lease> stored;
  std::vector<Sent> sent;
  std::vector<Ipv4Address> probed;
  std::vector<Ipv4Address> echoed;
  std::map<std::string, Ipv4Address> names;
  std::vector<std::string> remarks;
  std::vector<std::string> log;
  Engine engine{*this};
};

}  // namespace postern::dhcp::test
