// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/dhcp_clients.h"

#include <sodium.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "base/assert.h"
#include "control/text_file.h"
#include "services/dhcp/frame.h"
#include "services/dhcp/udp.h"

namespace postern {
namespace {

constexpr Duration kTurn = milliseconds(100);
constexpr Duration kPatience = seconds(10);  // for an address, before it is complained about
constexpr Duration kRetryPause = seconds(1);
constexpr unsigned kMessagesPerTurn = 32;

}  // namespace

class DhcpClients::Link : public dhcp::ClientSink {
 public:
  struct Sockets {
    int tap = -1;
    int udp = -1;  // sends, and keeps the kernel from refusing the port
  };
  Link(DhcpClients& owner, InterfaceId id, std::string name, const MacAddress& mac, Sockets sockets)
      : owner_(owner),
        id_(id),
        name_(std::move(name)),
        mac_(mac),
        sockets_(sockets),
        bare_since_(owner.world_.now()),
        client_({mac, randombytes_random}, *this) {}
  ~Link() override {
    close(sockets_.tap);
    close(sockets_.udp);
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  dhcp::Client& client() { return client_; }
  const dhcp::Client& client() const { return client_; }
  InterfaceId id() const { return id_; }
  const MacAddress& mac() const { return mac_; }
  // Parked: neither asks nor hears anything; what it has is found again later.
  bool is_parked() const { return is_parked_; }
  void park(bool yes) { is_parked_ = yes; }
  std::optional<Instant> bare_since() const {
    return client_.has_lease() ? std::nullopt : std::optional(bare_since_);
  }
  void receive(Instant now) {
    std::array<uint8_t, 2048> bytes;
    while (recv(sockets_.udp, bytes.data(), bytes.size(), MSG_DONTWAIT) >= 0) {
    }
    for (unsigned i = 0; i < kMessagesPerTurn; ++i) {
      ssize_t size = recv(sockets_.tap, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (size < 0) return;
      if (is_parked_) continue;
      client_.receive(dhcp::udp_payload({bytes.data(), static_cast<size_t>(size)}), now);
    }
  }

 private:
  void broadcast(std::span<const uint8_t> message) override {
    Ipv4Address from = client_.has_lease() ? client_.lease().address.address : Ipv4Address();
    dhcp::UdpEnds ends{
        mac_, kBroadcastMac, from, Ipv4Address(0xFFFFFFFF), dhcp::kClientPort, dhcp::kServerPort};
    owner_.world_.send_frame(id_, dhcp::udp_frame(ends, message));
  }
  void unicast(Ipv4Address from, Ipv4Address server, std::span<const uint8_t> message) override {
    dhcp::send_udp(sockets_.udp, {from, server, dhcp::kServerPort}, message);
  }
  void probe(Ipv4Address address) override {
    owner_.world_.send_frame(id_, dhcp::arp_request(mac_, Ipv4Address(), address));
  }
  std::string objection(const dhcp::ClientLease& lease) override {
    // C01: a lease that was good before the trial may be so again after it.
    if (owner_.is_on_trial_ && is_told_ && lease.address == told_.address) return {};
    return objection_to(lease, name_, owner_.facts_, owner_.leases());
  }
  void bound(const dhcp::ClientLease& lease, bool is_confirmed) override {
    const bool was_told = std::exchange(is_told_, true);
    const dhcp::ClientLease before = std::exchange(told_, lease);
    const bool is_same = was_told && before.address == lease.address &&
                         before.routes == lease.routes && before.dns_servers == lease.dns_servers;
    if (is_confirmed) {
      owner_.kept_[name_] = {mac_, asked_at(), lease};
      owner_.is_file_old_ = true;
    }
    if (is_same) return;
    owner_.has_changed_ = true;
    if (was_told && before.address == lease.address) {
      return remark("other routes or name servers with " + to_text(lease.address));
    }
    if (was_told) owner_.world_.address(id_, {false, {}, {}, 0, "another one was given"});
    owner_.world_.address(id_, {true, lease.address, lease.server, lease.lease_s, ""});
  }
  void lost(const std::string& why) override {
    owner_.world_.address(id_, {false, {}, {}, 0, why});
    is_told_ = false;
    bare_since_ = owner_.world_.now();
    owner_.kept_.erase(name_);
    owner_.is_file_old_ = true;
    owner_.has_changed_ = true;
  }
  void remark(const std::string& line) override {
    owner_.world_.remark("dhcp client of " + name_ + ": " + line);
  }

  // When the lease was asked for, on the clock of the file.
  std::time_t asked_at() const {
    const std::time_t now = std::time(nullptr);
    if (client_.lease().lease_s == dhcp::kLeaseForever) return now;
    const int64_t left_s = (client_.ends() - owner_.world_.now()).ns / 1'000'000'000;
    return now - (std::time_t{client_.lease().lease_s} - left_s);
  }

  DhcpClients& owner_;
  InterfaceId id_;
  std::string name_;
  MacAddress mac_;
  Sockets sockets_;
  Instant bare_since_;
  bool is_parked_ = false;
  bool is_told_ = false;
  dhcp::ClientLease told_;
  dhcp::Client client_;
};

DhcpClients::DhcpClients(Loop& loop, DhcpWorld world, std::function<bool()> on_change)
    : loop_(loop),
      world_(std::move(world)),
      on_change_(std::move(on_change)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  POSTERN_ASSERT(epoll_ >= 0);
}

DhcpClients::~DhcpClients() {
  close(epoll_);
}

Result<void> DhcpClients::follow(const config::Model& file, const Policy& policy) {
  facts_.interfaces = file.interfaces;
  facts_.routes = file.routes;
  facts_.nat.one_to_one = file.nat.one_to_one;
  is_on_trial_ = policy.is_on_trial;
  Result<void> first;
  std::map<std::string, std::unique_ptr<Link>> links;
  for (size_t i = 0; i < file.interfaces.size(); ++i) {
    const config::Interface& interface = file.interfaces[i];
    if (!interface.dhcp || !interface.enabled) continue;
    if (auto known = links_.find(interface.name); known != links_.end()) {
      known->second->park(false);
      links[interface.name] = std::move(known->second);
      continue;
    }
    if (!is_running_) begin();
    auto link = open(interface.name, static_cast<InterfaceId>(i), policy.interfaces[i].mac);
    if (link) {
      links[interface.name] = std::move(*link);
    } else if (first) {
      first = std::move(link).error().within("interface " + interface.name);
    }
  }
  for (auto& [name, link] : links_) {
    if (!is_on_trial_ || !link) continue;
    link->park(true);
    links[name] = std::move(link);
  }
  links_ = std::move(links);  // sockets that are closed leave the epoll by themselves
  for (const auto& [name, link] : links_) {
    if (is_on_trial_ || !link->client().has_lease()) continue;
    std::string why = objection_to(link->client().lease(), name, facts_, leases());
    if (!why.empty()) link->client().refuse(why, world_.now());
  }
  return first;
}

// With the first interface that asks: the file is read, and the loop begins to look here.
void DhcpClients::begin() {
  is_running_ = true;
  if (auto text = read_text_file(world_.lease_file)) kept_ = read_kept_leases(*text);
  loop_.when_readable(epoll_, [this] { work(); });
  loop_.every(kTurn, [this] { tick(); });
}

Result<std::unique_ptr<DhcpClients::Link>> DhcpClients::open(const std::string& name,
                                                             InterfaceId id,
                                                             const MacAddress& mac) {
  const std::string device = world_.device_of(id);
  auto udp = dhcp::open_udp(device, dhcp::kClientPort);
  if (!udp) return std::move(udp).error();
  auto tap = dhcp::open_udp_tap(device, dhcp::kClientPort);
  if (!tap) {
    close(*udp);
    return std::move(tap).error();
  }
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = *tap;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, *tap, &event);
  auto link = std::make_unique<Link>(*this, id, name, mac, Link::Sockets{*tap, *udp});
  if (auto kept = kept_.find(name); kept != kept_.end() && kept->second.mac == mac) {
    const uint32_t left_s = kept->second.left_s(std::time(nullptr));
    const bool is_good = objection_to(kept->second.lease, name, facts_, leases()).empty();
    if (left_s > 0 && is_good) {
      link->client().remember(kept->second.lease, seconds(left_s), world_.now());
    }
  }
  return link;
}

void DhcpClients::work() {
  for (const auto& [name, link] : links_)
    link->receive(world_.now());
  tell_changes();
}

void DhcpClients::tick() {
  for (const auto& [name, link] : links_) {
    if (!link->is_parked()) link->client().tick(world_.now());
  }
  for (const auto& [name, link] : links_)
    link->receive(world_.now());
  tell_changes();
}

void DhcpClients::tell_changes() {
  if (has_changed_ && world_.now() >= retry_at_) {
    has_changed_ = false;
    if (!on_change_()) {
      has_changed_ = true;
      retry_at_ = world_.now() + kRetryPause;
    }
  }
  if (std::exchange(is_file_old_, false)) write_file();
}

// A lease that is not remembered is asked for anew after a restart: no reason to give it up now.
void DhcpClients::write_file() {
  if (auto done = write_text_file(world_.lease_file, to_text(kept_)); !done) {
    world_.remark("leases of the gateway are not remembered: " + done.error().text);
  }
}

Leases DhcpClients::leases() const {
  Leases leases;
  for (const auto& [name, link] : links_) {
    // Empty where the interface is being moved to the new configuration. A parked one is told, too:
    // what uses leases asks the configuration which interfaces ask for one.
    if (link && link->client().has_lease()) leases[name] = link->client().lease();
  }
  return leases;
}

config::Model DhcpClients::effective(const config::Model& file) const {
  return links_.empty() ? file : with_leases(file, leases());
}

std::vector<Ipv4Address> DhcpClients::dns_servers() const {
  return learned_servers(facts_, leases());
}

DhcpClients::Link* DhcpClients::find(InterfaceId interface) {
  for (const auto& [name, link] : links_) {
    if (link->id() == interface && !link->is_parked()) return link.get();
  }
  return nullptr;
}

DhcpClients::Link* DhcpClients::asking(const std::string& interface) const {
  auto found = links_.find(interface);
  return found == links_.end() || found->second->is_parked() ? nullptr : found->second.get();
}

void DhcpClients::address_seen(InterfaceId interface, Ipv4Address address, const MacAddress& mac) {
  if (Link* link = find(interface)) link->client().address_seen(address, mac, world_.now());
}

void DhcpClients::link_came_up(InterfaceId interface) {
  if (Link* link = find(interface)) link->client().link_came_up(world_.now());
}

Result<void> DhcpClients::complaint() const {
  std::string text;
  for (const auto& [name, link] : links_) {
    const auto since = link->bare_since();
    if (link->is_parked() || !since || world_.now() - *since < kPatience) continue;
    text += (text.empty() ? "" : ", ") + name + " has no address (" +
            dhcp::to_word(link->client().state()) + ")";
  }
  if (text.empty()) return {};
  return Error{ErrorCode::unavailable, text};
}

Result<void> DhcpClients::release(const std::string& interface) {
  Link* link = asking(interface);
  if (link == nullptr) {
    return Error{ErrorCode::not_found, "interface " + interface + " does not ask for an address"};
  }
  link->client().release(world_.now());
  return {};
}

Result<void> DhcpClients::renew(const std::string& interface) {
  Link* link = asking(interface);
  if (link == nullptr) {
    return Error{ErrorCode::not_found, "interface " + interface + " does not ask for an address"};
  }
  link->client().renew(world_.now());
  return {};
}

std::optional<DhcpClients::Row> DhcpClients::row(const std::string& interface) const {
  const Link* link = asking(interface);
  if (link == nullptr) return std::nullopt;
  const dhcp::Client& client = link->client();
  Row row;
  row.state = client.state();
  if (!client.has_lease()) return row;
  row.lease = &client.lease();
  if (row.lease->lease_s != dhcp::kLeaseForever) {
    row.ends = std::time(nullptr) + (client.ends() - world_.now()).ns / 1'000'000'000;
  }
  return row;
}

}  // namespace postern
