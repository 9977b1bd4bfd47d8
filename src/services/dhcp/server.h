// SPDX-License-Identifier: BSD-3-Clause
// Server: the engine with sockets, disk and names around it.
//
//   port 67 of each link -> engine -> changes to the lease writer -> (on disk) -> names, then ACKs
//                             '------> replies that promise nothing, at once
//
// Clients without an address get whole frames by the hook send_frame, which also carries the ARP of
// the probes; relays and clients far away get datagrams from the socket of their link. All is
// bounded: messages taken at a turn (kMessagesPerTurn; the kernel's socket buffer holds more, and
// drops what is too much), replies that wait for the disk (kHeldMax; beyond it messages wait in the
// socket). Thread: control, that of whoever calls; a thread of the lease writer beside it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "services/dhcp/echo.h"
#include "services/dhcp/engine.h"
#include "services/dhcp/lease_writer.h"

namespace postern::dhcp {

struct ServerLink {
  LinkId id = kNoLink;
  std::string name;
  std::string device;  // kernel device with our addresses, for the socket
  MacAddress mac;
  Ipv4Address address;
  bool operator==(const ServerLink&) const = default;
};

struct ServerHooks {
  std::function<Now()> now;
  // A whole frame out of a link. False: no room; the client asks again.
  std::function<bool(LinkId, std::span<const uint8_t> frame)> send_frame;
  std::function<void(const NameChange&)> change_name;
  std::function<void(const std::string& line)> remark;
};

class Server : private EngineSink {
 public:
  // Opens the lease file, creating it where there is none, and reads it.
  static Result<std::unique_ptr<Server>> open(const std::string& lease_file, ServerHooks hooks);
  ~Server() override;

  // From now on. Sockets of links that stay are kept, with what waits in them; a link whose socket
  // cannot be opened is reported and the others are served.
  Result<void> configure(Settings settings, const std::vector<ServerLink>& links);

  // Readable when work() has something to do.
  int fd() const { return epoll_; }
  void work();
  // Does what is due by time. Call it every 50 ms or so.
  void tick();
  // Somebody on the link says to have this address.
  void address_seen(LinkId link, Ipv4Address address, const MacAddress& mac);
  // For an administrator; on disk soon after. False: there is no such lease.
  bool release(Ipv4Address address);
  // Takes over leases of another server; those of addresses that are known here are left out.
  // Returns how many came in.
  size_t import(std::vector<Lease> leases);

  const Engine& engine() const { return engine_; }
  void tell_names() { engine_.tell_names(); }
  struct Traffic {
    uint64_t frames_refused = 0;  // no room in the interface
    uint64_t unsent = 0;          // datagrams that the kernel refused
    uint64_t undurable = 0;       // replies that were not sent because the disk refused
    uint64_t commits = 0;         // transactions
  };
  const Traffic& traffic() const { return traffic_; }

 private:
  static constexpr size_t kMessagesPerTurn = 256;
  static constexpr size_t kHeldMax = 8192;

  struct Socket {
    ServerLink link;
    int fd = -1;
  };
  // A reply or a name, waiting for its turn.
  struct Held {
    uint64_t batch = 0;
    Reply reply;
    std::vector<uint8_t> message;
    NameChange name;
    bool is_name = false;
  };

  explicit Server(ServerHooks hooks);
  void store(const Lease& lease) override;
  void forget(Ipv4Address address) override;
  void reply(const Reply& reply) override;
  void probe(LinkId link, Ipv4Address from, Ipv4Address address) override;
  void echo(Ipv4Address from, Ipv4Address address) override;
  void change_name(const NameChange& change) override;
  void remark(const std::string& line) override;

  Result<void> follow_echo(const Settings& settings);
  Result<int> open_socket(const ServerLink& link);
  void close_socket(int fd);
  const Socket* find_socket(LinkId link) const;
  size_t receive_from(const Socket& socket, size_t most);
  void take_outcome();
  void flush();
  void release_held();
  void send(const Held& held);
  void send_datagram(const Held& held);

  ServerHooks hooks_;
  std::unique_ptr<LeaseWriter> writer_;
  Engine engine_{*this};
  int epoll_ = -1;
  std::vector<Socket> sockets_;
  std::unique_ptr<EchoSocket> echo_;
  std::vector<LeaseChange> changes_;  // since the last flush
  std::deque<Held> held_;             // in order; those without a batch yet have the next one's
  uint64_t batches_ = 0;              // handed to the writer
  uint64_t written_ = 0;
  uint64_t refused_ = 0;
  std::string last_error_;
  Traffic traffic_;
};

}  // namespace postern::dhcp
