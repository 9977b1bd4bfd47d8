// SPDX-License-Identifier: BSD-3-Clause
// Service: the DNS forwarder with its sockets, files and clock, on the loop of the control thread.
//
// Queries are answered that come in by the devices of the configured interfaces and for the
// gateway's address there: each socket is bound to both, so the outside is never heard (F53).
// apply() may be called at any time: listeners that stay the same stay open, with what waits in
// them, and questions under way go on. Thread: control.
#pragma once

#include "services/dns/tcp_server.h"
#include "services/dns/tcp_transport.h"
#include "services/dns/udp_server.h"
#include "services/dns/udp_upstream.h"

namespace postern::dns {

class Service : private Outlet {
 public:
  struct Report {
    std::function<void(const std::string& line)> warn;
    // Of the query log; called when the settings ask for it.
    std::function<void(const std::string& line)> query;
  };
  Service(boost::asio::io_context& context, Report report);
  ~Service() override;

  // Opens and closes what changed. Goes on after an error and returns the first one.
  Result<void> apply(const Settings& settings, const std::vector<io::ListenAddress>& listen);

  // Names of leases, at once (C09): of `address`, whose client calls itself `host_name`.
  void set_lease(Ipv4Address address, std::string_view host_name);
  void erase_lease(Ipv4Address address);
  // Servers that the link told of (DHCP, PPP), used where the settings have none.
  void set_learned_servers(const std::vector<ServerAddress>& servers);
  // Forgets the answers about a name and what is below it; all for the root. Returns how many.
  size_t flush(const Name& name) { return forwarder_.flush(name); }
  void set_hooks(Hooks hooks);
  // A query of our own validator, which no limit, block list or log is for; its answer goes to
  // `own_reply` with the number, which is not 0, from within this or later. From within `own_reply`
  // nothing must be asked.
  void ask_own(uint32_t number, Bytes query);
  void set_own_reply(std::function<void(uint32_t number, Bytes answer)> own_reply) {
    own_reply_ = std::move(own_reply);
  }
  // For servers with a TLS name. Without one they are never reached.
  void set_tls(std::unique_ptr<Transport> transport) { tls_ = std::move(transport); }

  const Forwarder& forwarder() const { return forwarder_; }
  const std::vector<io::ListenAddress>& listening() const { return listening_; }
  size_t connections() const;
  uint64_t turned_away() const;
  uint64_t accept_pauses() const;
  size_t upstream_sockets() const { return udp_upstream_.sockets(); }
  Instant now() const;

 private:
  struct Listener {
    io::ListenAddress at;
    std::unique_ptr<UdpServer> udp;
    std::unique_ptr<TcpServer> tcp;
  };
  static constexpr uint64_t kNeverLookedAt = ~uint64_t{0};
  struct HostsFile {
    std::string path;
    uint64_t stamp = kNeverLookedAt;  // of its last change, size and place; 0: it is not there
    std::vector<HostName> names;
  };

  uint32_t send_datagram(const ServerAddress& server, Bytes message) override;
  void ask_stream(const ServerAddress& server, Bytes message, uint16_t id) override;
  void reply(const Client& client, Bytes message) override;
  void log_query(const Client& client, const Name& name, uint16_t type,
                 std::string_view outcome) override;
  uint64_t random() override;

  Result<void> listen(const std::vector<io::ListenAddress>& listen);
  Result<void> open(const io::ListenAddress& at);
  size_t ask(Bytes query, const Client& client, Instant now, std::span<uint8_t> room);
  void end_turn();
  void tick();
  void look_at_hosts(bool always);
  bool read_hosts(HostsFile& file);

  boost::asio::io_context& context_;
  Report report_;
  std::array<uint64_t, 64> random_;
  size_t random_left_ = 0;
  Forwarder forwarder_;
  UdpUpstream udp_upstream_;
  TcpTransport tcp_;
  std::unique_ptr<Transport> tls_;
  std::function<void(uint32_t, Bytes)> own_reply_;
  std::map<uint32_t, Listener> listeners_;
  std::vector<io::ListenAddress> listening_;
  std::vector<HostsFile> hosts_;
  std::vector<uint8_t> room_;
  uint32_t last_listener_ = 0;
  io::Timer fast_;  // while questions are pending
  io::Timer slow_;
};

}  // namespace postern::dns
