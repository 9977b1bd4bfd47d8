// SPDX-License-Identifier: BSD-3-Clause
// The overload battery (P05, F67): whatever is sent too much of, established sessions lose no
// packet, every frame is accounted for once, nothing allocates and everything that is held comes
// out again. Control and the logging thread stand still all the time.
#include <catch2/catch.hpp>
#include <functional>

#include "support/flood.h"
#include "support/office.h"

namespace postern::test {
namespace {

using Mark = Flood::Mark;
constexpr unsigned kKept = 64, kFlood = 20'000;

// kOffice with small tables, and rules in front of the others.
config::Model small_office(const std::string& rules = "") {
  std::string yaml = kOffice;
  const std::string head = "  rules:\n";
  yaml.insert(yaml.find(head) + head.size(), rules);
  config::Model model = Flood::model_of(yaml);
  model.system.limits.sessions = 1024;
  model.system.limits.mappings = 2048;
  model.system.limits.hosts = 512;
  model.system.limits.sessions_from_host = 512;
  return model;
}

std::string address(const char* network, unsigned number) {
  return network + std::to_string(number / 250 % 250) + "." + std::to_string(number % 250 + 1);
}

using Send = std::function<void(Flood&, unsigned)>;

// One packet of a kept session for three of the flood.
void flood(Flood& bed, const Send& send, unsigned packets = kFlood) {
  for (unsigned i = 0; i < packets; ++i) {
    send(bed, i);
    if (i % 3 == 2) bed.put_kept();
  }
  bed.run();
}

// What holds for all of them.
void check(Flood& bed) {
  CHECK(bed.came(Mark::kept) >= kFlood / 3);
  CHECK(bed.passed(Mark::kept) == bed.came(Mark::kept));
  CHECK(bed.mistakes() == "");
  bed.pass(seconds(10));  // longer than anything may be held, shorter than sessions live
  CHECK(bed.held() == 0);
  const uint64_t came = bed.came(Mark::kept);
  for (unsigned i = 0; i < 4 * kKept; ++i)
    bed.put_kept();
  bed.run();
  CHECK(bed.came(Mark::kept) == came + 4 * kKept);
  CHECK(bed.passed(Mark::kept) == came + 4 * kKept);
  CHECK(bed.mistakes() == "");
}

void new_session(Flood& bed, unsigned i) {
  bed.put(
      "lan",
      udp("192.168.1.10:1", "198.51.100.7:53").ports(static_cast<uint16_t>(1024 + i / 200), 53));
  bed.put("lan", udp(address("192.168.", 256 + i % 249) + ":1", "198.51.100.7:53"));
}

void open_half(Flood& bed, unsigned i) {
  bed.put("wan", tcp(address("198.18.", i) + ":1", "203.0.113.1:8080")
                     .ports(static_cast<uint16_t>(1024 + i), 8080)
                     .syn());
}

void send_piece(Flood& bed, unsigned i) {
  const auto offset = static_cast<uint16_t>(i % 5 == 0 ? 0 : 1480);
  bed.put("lan", udp("192.168.1.10:5000", "198.51.100.7:53")
                     .identification(static_cast<uint16_t>(i / 7 * 3 + i % 3))
                     .fragment(offset, i % 2 == 0, 4008)
                     .length(static_cast<uint16_t>(offset == 0 ? 1500 : 540)));
}

void ask(Flood& bed, unsigned i) {
  const Ipv4Address sender = *parse_ipv4(address("192.168.", 250 + i % 240));
  bed.put("lan", arp_request(Ipv4Address(192, 168, 1, 1), sender, mac_of(sender)));
}

void scan(Flood& bed, unsigned i) {
  bed.put("lan", udp("192.168.1.10:5000", address("10.9.", i % 240) + ":53"));
}

void log_line(Flood& bed, unsigned i) {
  bed.put("wan", udp("198.51.100.9:1", "203.0.113.1:1").ports(static_cast<uint16_t>(1024 + i), 99));
}

constexpr char kLogged[] =
    "    - { name: logged, in: wan, service: udp/99, action: drop, log: true }\n";

}  // namespace

TEST_CASE("pipeline/overload: a full session table costs established sessions nothing", "[P05]") {
  Flood bed(small_office());
  bed.keep(kKept);
  flood(bed, [](Flood& to, unsigned i) {
    const unsigned host = i % 40;
    to.put("lan", udp("192.168.1." + std::to_string(10 + host) + ":1", "198.51.100.7:53")
                      .ports(static_cast<uint16_t>(1024 + i / 40), 53));
  });
  CHECK(bed.counters().sessions_evicted.read() >= kFlood - 1024);
  CHECK(bed.counters().sessions.read() == 1024);
  CHECK(bed.counters().sessions_created.read() == kKept + kFlood);
  check(bed);
}

TEST_CASE("pipeline/overload: a table full of established sessions refuses others and keeps them",
          "[P05]") {
  Flood bed(small_office());
  bed.keep(1024);
  flood(bed, [](Flood& to, unsigned i) {
    to.put("lan",
           udp("192.168.1.10:1", "198.51.100.7:53").ports(static_cast<uint16_t>(1024 + i), 53));
  });
  CHECK(bed.drops(DropReason::session_table_full) == kFlood);
  CHECK(bed.counters().sessions_evicted.read() == 0);
  check(bed);
}

TEST_CASE("pipeline/overload: a SYN flood from forged sources opens nothing for long", "[P05]") {
  Flood bed(small_office());
  bed.keep(kKept);
  bed.set_neighbor("lan", Ipv4Address(192, 168, 1, 5));
  flood(bed, open_half);
  CHECK(bed.counters().sessions.read() <= 1024);
  CHECK(bed.counters().half_open.read() <= 1024 - kKept);
  CHECK(bed.counters().sessions_created.read() == kKept + kFlood);
  check(bed);
}

TEST_CASE("pipeline/overload: when external ports run out, sessions stay and refusals are counted",
          "[P05][RFC4787-REQ3]") {
  config::Model model = small_office();
  model.nat.first_port = 40'000;
  model.nat.last_port = 40'255;
  Flood bed(model);
  bed.keep(kKept);
  flood(bed, [](Flood& to, unsigned i) {
    to.put("lan",
           udp("192.168.1.10:1", "198.51.100.7:53").ports(static_cast<uint16_t>(1024 + i), 53));
  });
  CHECK(bed.drops(DropReason::no_external_port) + bed.drops(DropReason::host_limit) +
            bed.counters().sessions_created.read() ==
        kKept + kFlood);
  CHECK(bed.drops(DropReason::no_external_port) > 0);
  check(bed);
}

TEST_CASE("pipeline/overload: a flood of fragments fills its own table only",
          "[P05][RFC4787-REQ14]") {
  Flood bed(small_office());
  bed.keep(kKept);
  flood(bed, send_piece);
  CHECK(bed.drops(DropReason::fragment_table_full) > 0);
  CHECK(bed.counters().fragments_held.read() <= kFragmentsHeldMax);
  check(bed);
}

TEST_CASE("pipeline/overload: a flood of ARP is answered and tells control what it can take",
          "[P05]") {
  Flood bed(small_office());
  bed.keep(kKept);
  flood(bed, ask);
  CHECK(bed.passed(Mark::other) >= kFlood);  // the answers
  CHECK(bed.counters().events_lost.read() > 0);
  check(bed);
}

TEST_CASE("pipeline/overload: silent neighbors hold what they may and no more", "[P05]") {
  Flood bed(small_office());
  bed.keep(kKept);
  flood(bed, scan);
  CHECK(bed.drops(DropReason::neighbor_queue_full) > 0);
  CHECK(bed.counters().neighbors_waiting.read() <= kHeldNeighborsMax / 2 * kHeldPerNeighbor);
  check(bed);
}

TEST_CASE("pipeline/overload: logging every drop costs no packet, and no record is lost in silence",
          "[F67]") {
  Flood bed(small_office(kLogged));
  bed.keep(kKept);
  flood(bed, log_line);
  CHECK(bed.drops(DropReason::filter_drop) == kFlood);
  CHECK(bed.counters().log_records.read() + bed.counters().log_records_lost.read() == kFlood);
  CHECK(bed.counters().log_records_lost.read() > 0);
  check(bed);
}

TEST_CASE("pipeline/overload: everything at once", "[P05][F67]") {
  Flood bed(small_office(kLogged));
  bed.keep(kKept);
  const Send all[] = {new_session, open_half, send_piece, ask, scan, log_line};
  flood(
      bed, [&](Flood& to, unsigned i) { all[i % std::size(all)](to, i); }, 3 * kFlood);
  check(bed);
}

}  // namespace postern::test
