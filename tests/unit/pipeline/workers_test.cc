// SPDX-License-Identifier: BSD-3-Clause
// Whatever worker a packet arrives at, it is treated the same: every case here runs with one, two
// and four workers and with arrivals at each of them.
#include <array>
#include <catch2/catch.hpp>
#include <random>

#include "support/office.h"
#include "support/packet_match.h"
#include "support/testbed.h"

namespace postern::test {
namespace {

// An office whose packets arrive at workers in turn.
class Office {
 public:
  explicit Office(unsigned workers) : bed(workers), workers_(workers) {
    auto loaded = bed.load(kOffice);
    INFO((loaded ? "" : loaded.error().text));
    REQUIRE(loaded.has_value());
  }

  // The one effect of a frame, as text: "wan udp ...", "host lan tcp ...", "drop no_mapping",
  // "held".
  std::string send(const std::string& interface, PacketBuilder packet) {
    return told(bed.inject(interface, addressed(interface, packet)), interface);
  }
  std::string send_from_host(const std::string& interface, PacketBuilder packet) {
    return told(bed.inject_from_host(interface, addressed(interface, packet)), interface);
  }

  Testbed bed;

 private:
  std::vector<uint8_t> addressed(const std::string& interface, PacketBuilder& packet) {
    bed.receive_at(static_cast<WorkerId>(turn_++ % workers_));
    Frame frame = packet.to_mac(bed.gateway_mac(interface)).build();
    return {frame.bytes().begin(), frame.bytes().end()};
  }

  std::string told(const std::vector<Effect>& effects, const std::string&) {
    if (effects.empty()) return "held";
    std::string text;
    for (const Effect& effect : effects) {
      if (!text.empty()) text += " + ";
      if (effect.kind == Effect::Kind::drop) {
        text += std::string("drop ") + to_word(effect.reason);
        continue;
      }
      CHECK(broken_checksum(effect.frame) == "");
      PacketText packet = describe(effect.frame);
      packet.fields.clear();
      for (PacketText& quoted : packet.about)
        quoted.fields.clear();
      text += (effect.kind == Effect::Kind::host ? "host " : "") + effect.interface + " " +
              to_text(packet);
    }
    return text;
  }

  unsigned workers_;
  unsigned turn_ = 0;
};

std::string port_of(const std::string& told, const std::string& address) {
  size_t at = told.find(address + ":");
  REQUIRE(at != std::string::npos);
  size_t from = at + address.size() + 1;
  return told.substr(from, told.find_first_of(" ", from) - from);
}

// An office without translation that has a lab in this zone.
std::string with_lab(const std::string& zone) {
  return "version: 1\ninterfaces:\n"
         "  wan: { port: \"vdev:net_ring0\", zone: external, address: 203.0.113.1/24 }\n"
         "  lan: { port: \"vdev:net_ring1\", zone: internal, address: 192.168.1.1/24 }\n"
         "  lab: { port: \"vdev:net_ring2\", zone: " +
         zone + ", address: 10.9.0.1/24 }\n" + kOfficeFilter;
}

}  // namespace

TEST_CASE("pipeline: a mapping serves every remote, wherever packets arrive",
          "[RFC4787-REQ1][P02][F06][F25]") {
  Office office(GENERATE(1u, 2u, 4u));
  for (int host = 10; host < 40; ++host) {
    std::string inside = "192.168.1." + std::to_string(host) + ":5000";
    std::string out = office.send("lan", udp(inside, "198.51.100.7:53"));
    std::string external = "203.0.113.1:" + port_of(out, "203.0.113.1");
    CHECK(out == "wan udp " + external + " -> 198.51.100.7:53");
    for (int remote = 1; remote < 5; ++remote) {
      std::string other = "198.51.100." + std::to_string(remote) + ":99";
      CHECK(office.send("lan", udp(inside, other)) == "wan udp " + external + " -> " + other);
      CHECK(office.send("wan", udp(other, external)) == "lan udp " + other + " -> " + inside);
    }
    CHECK(office.send("wan", udp("198.51.100.7:54", external)) == "drop mapping_filtered");
  }
}

TEST_CASE("pipeline: a port map leads inside and back, wherever packets arrive", "[F10]") {
  Office office(GENERATE(1u, 2u, 4u));
  for (int remote = 1; remote < 30; ++remote) {
    std::string client = "198.51.100." + std::to_string(remote) + ":4000";
    CHECK(office.send("wan", tcp(client, "203.0.113.1:8080").syn()) ==
          "lan tcp " + client + " -> 192.168.1.5:80 syn");
    CHECK(office.send("lan", tcp("192.168.1.5:80", client).syn_ack()) ==
          "wan tcp 203.0.113.1:8080 -> " + client + " syn,ack");
    CHECK(office.send("wan", tcp(client, "203.0.113.1:8081").syn()) == "drop filter_default");
  }
}

TEST_CASE("pipeline: a one-to-one host is reached and leaves by its own address", "[F08]") {
  Office office(GENERATE(1u, 2u, 4u));
  CHECK(office.send("wan", echo_request("198.51.100.7", "203.0.113.9", 77)) ==
        "lan icmp 198.51.100.7 -> 192.168.1.9 echo-request");
  CHECK(office.send("lan", echo_reply("192.168.1.9", "198.51.100.7", 77)) ==
        "wan icmp 203.0.113.9 -> 198.51.100.7 echo-reply");
  CHECK(office.send("wan", ip(47, "198.51.100.7", "203.0.113.9")) ==
        "lan gre 198.51.100.7 -> 192.168.1.9");
  CHECK(office.send("lan", ip(47, "192.168.1.9", "198.51.100.7")) ==
        "wan gre 203.0.113.9 -> 198.51.100.7");
  CHECK(office.send("lan", ip(50, "192.168.1.9", "198.51.100.8")) ==
        "wan esp 203.0.113.9 -> 198.51.100.8");
  CHECK(office.send("wan", ip(50, "198.51.100.8", "203.0.113.9")) ==
        "lan esp 198.51.100.8 -> 192.168.1.9");
}

TEST_CASE("pipeline: hairpin to a port map crosses both translations", "[P01][RFC4787-REQ9]") {
  Office office(GENERATE(1u, 2u, 4u));
  for (int host = 20; host < 40; ++host) {
    std::string inside = "192.168.1." + std::to_string(host) + ":6000";
    std::string in = office.send("lan", tcp(inside, "203.0.113.1:8080").syn());
    std::string external = "203.0.113.1:" + port_of(in, "203.0.113.1");
    CHECK(in == "lan tcp " + external + " -> 192.168.1.5:80 syn");
    CHECK(office.send("lan", tcp("192.168.1.5:80", external).syn_ack()) ==
          "lan tcp 203.0.113.1:8080 -> " + inside + " syn,ack");
  }
  // Source kept: the server in the other network sees the client itself.
  CHECK(office.send("lan", tcp("192.168.1.20:7000", "203.0.113.1:8443").syn()) ==
        "dmz tcp 192.168.1.20:7000 -> 10.9.0.5:443 syn");
  CHECK(office.send("dmz", tcp("10.9.0.5:443", "192.168.1.20:7000").syn_ack()) ==
        "lan tcp 203.0.113.1:8443 -> 192.168.1.20:7000 syn,ack");
}

TEST_CASE("pipeline: the gateway's own traffic finds its answers", "[F37]") {
  Office office(GENERATE(1u, 2u, 4u));
  CHECK(office.send("wan", tcp("198.51.100.7:999", "203.0.113.1:22").syn()) ==
        "host wan tcp 198.51.100.7:999 -> 203.0.113.1:22 syn");
  CHECK(office.send_from_host("wan", tcp("203.0.113.1:22", "198.51.100.7:999").syn_ack()) ==
        "wan tcp 203.0.113.1:22 -> 198.51.100.7:999 syn,ack");
  CHECK(office.send("lan", tcp("192.168.1.10:998", "192.168.1.1:22").syn()) ==
        "host lan tcp 192.168.1.10:998 -> 192.168.1.1:22 syn");
  CHECK(office.send_from_host("lan", tcp("192.168.1.1:22", "192.168.1.10:998").syn_ack()) ==
        "lan tcp 192.168.1.1:22 -> 192.168.1.10:998 syn,ack");
  for (int port = 40000; port < 40020; ++port) {
    std::string own = "203.0.113.1:" + std::to_string(port);
    CHECK(office.send_from_host("wan", udp(own, "198.51.100.7:53")) ==
          "wan udp " + own + " -> 198.51.100.7:53");
    CHECK(office.send("wan", udp("198.51.100.7:53", own)) ==
          "host wan udp 198.51.100.7:53 -> " + own);
  }
  CHECK(office.send_from_host("lan", echo_request("192.168.1.1", "192.168.1.10", 5)) ==
        "lan icmp 192.168.1.1 -> 192.168.1.10 echo-request");
  CHECK(office.send("lan", echo_reply("192.168.1.10", "192.168.1.1", 5)) ==
        "host lan icmp 192.168.1.10 -> 192.168.1.1 echo-reply");
}

TEST_CASE("pipeline: an ICMP error finds the session that it quotes", "[RFC5508-REQ4][P04]") {
  Office office(GENERATE(1u, 2u, 4u));
  for (int host = 10; host < 30; ++host) {
    std::string inside = "192.168.1." + std::to_string(host) + ":5000";
    auto sent = office.bed.inject(
        "lan",
        udp(inside, "198.51.100.7:53").to_mac(office.bed.gateway_mac("lan")).build().bytes());
    REQUIRE(sent.size() == 1);
    Frame outside(sent[0].frame);
    std::string told = office.send("wan", icmp("192.0.2.1", "203.0.113.1", 3, 1).about(outside));
    CHECK(told == "lan icmp 192.0.2.1 -> 192.168.1." + std::to_string(host) +
                      " unreachable/1 about udp " + inside + " -> 198.51.100.7:53");
  }
}

TEST_CASE("pipeline: pieces of a datagram follow the first in any order", "[RFC4787-REQ14][P04]") {
  Office office(GENERATE(1u, 2u, 4u));
  auto piece = [](int host, uint16_t offset, bool more, uint16_t bytes) {
    return udp("192.168.1." + std::to_string(host) + ":5000", "198.51.100.7:53")
        .identification(static_cast<uint16_t>(host))
        .fragment(offset, more, 4008)
        .length(bytes);
  };
  for (int host = 10; host < 20; ++host) {
    CHECK(office.send("lan", piece(host, 2960, false, 1068)) == "held");
    std::string told = office.send("lan", piece(host, 0, true, 1500));
    CHECK(told.find("wan udp 203.0.113.1:") == 0);
    CHECK(told.find(" + wan udp 203.0.113.1 -> 198.51.100.7") != std::string::npos);
    CHECK(office.send("lan", piece(host, 1480, true, 1500)) ==
          "wan udp 203.0.113.1 -> 198.51.100.7");
  }
  CHECK(office.bed.held() == 0);
}

TEST_CASE("pipeline: TCP connections end where another worker owns them from now on",
          "[C02][F19]") {
  const unsigned workers = GENERATE(1u, 2u, 4u);
  Office office(workers);
  REQUIRE(office.bed.load(with_lab("internal")).has_value());
  const auto client = [](int flow) { return "192.168.1." + std::to_string(10 + flow) + ":5000"; };
  const auto server = [](int flow) { return "10.9.0." + std::to_string(5 + flow % 4) + ":80"; };
  for (int flow = 0; flow < 16; ++flow) {
    REQUIRE(office.send("lan", tcp(client(flow), server(flow)).syn()).starts_with("lab tcp"));
    REQUIRE(office.send("lab", tcp(server(flow), client(flow)).syn_ack()).starts_with("lan tcp"));
    REQUIRE(office.send("lan", tcp(client(flow), server(flow)).ack()).starts_with("lab tcp"));
  }
  REQUIRE(office.bed.load(with_lab("external")).has_value());
  int ended = 0;
  for (int flow = 0; flow < 16; ++flow) {
    const std::string told = office.send("lan", tcp(client(flow), server(flow)).ack());
    ended += told == "drop no_session" ? 1 : 0;
    CHECK((told == "drop no_session" || told.starts_with("lab tcp")));
    CHECK(office.send("lan", tcp(client(flow), server(flow)).syn()).starts_with("lab tcp"));
    CHECK(office.send("lab", tcp(server(flow), client(flow)).syn_ack()).starts_with("lan tcp"));
  }
  CHECK((workers == 1 ? ended == 0 : 0 < ended && ended < 16));
}

// While a policy is published some workers have it and others do not yet.
TEST_CASE("pipeline: who is handed a first packet of another's hands it on", "[C02]") {
  Testbed before(2), after(2);
  REQUIRE(before.load(with_lab("internal")).has_value());
  REQUIRE(after.load(with_lab("external")).has_value());

  NeighborTable neighbors{HashSeed{{3, 5}}};
  for (uint8_t server = 5; server < 9; ++server)
    neighbors.set(2, Ipv4Address(10, 9, 0, server), MacAddress{{2, 0, 0, 0, 2, server}});
  struct Worker {
    WorkerCounters counters;
    SpscRing<LogRecord> log{kLogRing};
    SpscRing<ControlEvent> events{kEventRing};
    std::unique_ptr<Pipeline> pipeline;
  };
  std::array<Worker, 2> workers;
  for (WorkerId id = 0; id < 2; ++id) {
    Pipeline::Settings settings;
    settings.worker = id;
    settings.shards = Shards(2);
    settings.limits = {1024, 1024, 0, 0};
    settings.mappings_max = 1024;
    Worker& worker = workers[id];
    worker.pipeline = std::make_unique<Pipeline>(
        settings, Pipeline::Shared{&neighbors, &worker.log, &worker.events, &worker.counters});
  }
  const auto verdict_of = [&](WorkerId worker, Packet& packet, const Policy& policy) {
    Outbox outbox;
    workers[worker].pipeline->process({&packet, 1}, &policy, Instant{1'000'000'000}, outbox);
    REQUIRE(outbox.items().size() == 1);
    packet = *outbox.items()[0].packet;
    return outbox.items()[0].verdict;
  };

  unsigned handed_on = 0;
  for (int flow = 0; flow < 32; ++flow) {
    const std::string from = "192.168.1." + std::to_string(10 + flow / 4) + ":5000";
    const std::string to = "10.9.0." + std::to_string(5 + flow % 4) + ":53";
    const Frame frame = udp(from, to).to_mac(before.policy().interfaces[1].mac).build();
    std::array<uint8_t, 512> room = {};
    std::copy(frame.bytes().begin(), frame.bytes().end(), room.begin() + kHeadroomMin);
    Packet packet;
    packet.frame = room.data() + kHeadroomMin;
    packet.length = static_cast<uint16_t>(frame.bytes().size());
    packet.ingress = 1;
    Verdict verdict = verdict_of(0, packet, before.policy());
    if (verdict.fate != Fate::hand_off) continue;
    REQUIRE(verdict.worker == 1);
    verdict = verdict_of(1, packet, after.policy());
    if (verdict.fate != Fate::hand_off) continue;
    CHECK(verdict.worker == 0);
    CHECK(verdict_of(0, packet, after.policy()).fate == Fate::forward);
    ++handed_on;
  }
  CHECK(handed_on > 0);
}

}  // namespace postern::test
