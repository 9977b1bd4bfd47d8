// SPDX-License-Identifier: BSD-3-Clause
// DnsBed: the DNS engine with clients, servers and a clock that tests move. Messages as text: a
// record is "NAME TTL TYPE DATA", several are separated by ";".
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "services/dns/forwarder.h"

namespace postern::test {

using Octets = std::vector<uint8_t>;

struct QueryText {
  std::string name;
  uint16_t type = dns::type::a;
  uint16_t id = 1;
  uint16_t flags = dns::flag::rd;
  uint16_t udp_bytes = 0;  // 0: no EDNS
  bool wants_dnssec = false;
};
// The name is spelled as it stands.
Octets make_query(const QueryText& query);
// An answer to `query` (its ID and question); empty when the records cannot be read.
// `sections`: answer, authority and additional records, separated by "|".
Octets make_answer(dns::Bytes query, uint16_t rcode, std::string_view sections, uint16_t flags = 0);
// "NOERROR tc: www.example 60 A 198.51.100.10; ... | ..."; without OPT.
std::string describe(dns::Bytes message);
uint16_t type_of(std::string_view word);
Octets wire_name(std::string_view text);

class DnsBed : private dns::Outlet {
 public:
  struct Sent {
    dns::ServerAddress server;
    Octets message;
    uint32_t socket = 0;  // 0: by a stream
    uint16_t id = 0;
  };
  struct Told {
    dns::Client client;
    Octets message;
  };

  DnsBed();
  // Settings of a plain forwarder with these servers, without rate limit.
  static dns::Settings settings(std::initializer_list<const char*> servers);

  // Asks; an answer at once is put into `told` like those that come later.
  void ask(const Octets& query, std::string_view client = "192.168.1.10", bool by_tcp = false);
  void datagram(uint32_t socket, const Octets& message);
  void stream(uint16_t id, const Result<Octets>& outcome);
  // Lets time pass in steps of a tick.
  void pass(Duration duration);

  // Takes the oldest away; empty octets when there is none.
  Sent take_sent();
  Told take_told();

  dns::Forwarder forwarder;
  std::deque<Sent> sent;
  std::deque<Told> told;
  std::vector<std::string> logged;
  Instant now{1'000'000'000};
  bool sends_fail = false;

 private:
  uint32_t send_datagram(const dns::ServerAddress& server, dns::Bytes message) override;
  void ask_stream(const dns::ServerAddress& server, dns::Bytes message, uint16_t id) override;
  void reply(const dns::Client& client, dns::Bytes message) override;
  void log_query(const dns::Client& client, const dns::Name& name, uint16_t type,
                 std::string_view outcome) override;
  uint64_t random() override;

  uint64_t random_ = 88172645463325252;
  uint32_t sockets_ = 0;
  Octets room_;
};

}  // namespace postern::test
