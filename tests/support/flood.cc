// SPDX-License-Identifier: BSD-3-Clause
#include "support/flood.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "control/compile/compile.h"
#include "control/config/load.h"
#include "dataplane/wire/headers.h"
#include "support/alloc_guard.h"

namespace postern::test {
namespace {

constexpr size_t kSlots = 4096, kFrameMax = 1600;
constexpr HashSeed kSeed{{0x1234567890ABCDEF, 0xFEDCBA0987654321}};
constexpr Duration kBurstTime = microseconds(100);
constexpr unsigned kHostsOfKept = 50;

MacAddress gateway_mac_of(InterfaceId id) {
  return MacAddress{{2, 0, 0, 0, 0, id}};
}
std::string host_of(unsigned number) {
  return "192.168.1." + std::to_string(100 + number % kHostsOfKept);
}

template <typename Counters>
uint64_t sum(const Counters& counters) {
  return std::accumulate(counters.begin(), counters.end(), uint64_t{0},
                         [](uint64_t total, const Counter& c) { return total + c.read(); });
}

}  // namespace

struct Flood::Slot {
  uint8_t bytes[kHeadroomMin + kFrameMax];
  Mark mark = Mark::other;
};

config::Model Flood::model_of(const std::string& yaml) {
  config::Loaded loaded = config::load(yaml);
  std::string errors;
  for (const auto& finding : loaded.findings)
    errors += config::to_text(finding, "flood") + "\n";
  if (!loaded.ok()) assertion_failed(errors.c_str(), __FILE__, __LINE__);
  return std::move(loaded.model);
}

std::unique_ptr<Policy> Flood::compile(const config::Model& model, uint32_t generation) const {
  CompileInputs inputs;
  inputs.generation = generation;
  for (size_t i = 0; i < model.interfaces.size(); ++i)
    inputs.ports.push_back({gateway_mac_of(static_cast<InterfaceId>(i)), 0});
  auto policy = postern::compile(model, inputs);
  if (!policy) assertion_failed(policy.error().text.c_str(), __FILE__, __LINE__);
  return std::move(*policy);
}

Flood::Flood(const config::Model& model)
    : first_(compile(model, 1)), policy_(first_.get()), neighbors_(kSeed), slots_(kSlots) {
  Pipeline::Settings settings;
  const auto& limits = model.system.limits;
  settings.limits = {limits.sessions, limits.hosts, limits.sessions_from_host,
                     limits.sessions_to_host};
  settings.mappings_max = limits.mappings;
  settings.seed = kSeed;
  settings.random_seed = 1;
  pipeline_ = std::make_unique<Pipeline>(
      settings, Pipeline::Shared{&neighbors_, &log_, &events_, &counters_});
  for (uint32_t i = kSlots; i-- > 0;)
    free_.push_back(i);
  set_neighbor("wan", Ipv4Address(203, 0, 113, 254));
  for (unsigned i = 0; i < kHostsOfKept; ++i)
    set_neighbor("lan", *parse_ipv4(host_of(i)));
}

Flood::~Flood() = default;

InterfaceId Flood::id_of(const std::string& interface) const {
  const auto& all = first_->interfaces;
  const auto found = std::ranges::find(all, interface, &PolicyInterface::name);
  POSTERN_ASSERT(found != all.end());
  return static_cast<InterfaceId>(found - all.begin());
}

void Flood::set_neighbor(const std::string& interface, Ipv4Address address) {
  POSTERN_ASSERT(neighbors_.set(id_of(interface), address, mac_of(address)));
}

void Flood::put(const std::string& interface, PacketBuilder packet, Mark mark) {
  put(interface, packet.to_mac(gateway_mac_of(id_of(interface))).build(), mark);
}

void Flood::put(const std::string& interface, const Frame& frame, Mark mark) {
  if (burst_size_ == kBurstMax) run();
  POSTERN_ASSERT(!free_.empty() && frame.bytes().size() <= kFrameMax);
  Slot& slot = slots_[free_.back()];
  free_.pop_back();
  std::ranges::copy(frame.bytes(), slot.bytes + kHeadroomMin);
  slot.mark = mark;
  Packet& packet = burst_[burst_size_++];
  packet = Packet{};
  packet.frame = slot.bytes + kHeadroomMin;
  packet.buffer = &slot;
  packet.length = static_cast<uint16_t>(frame.bytes().size());
  packet.ingress = id_of(interface);
  ++came_[static_cast<size_t>(mark)];
}

void Flood::keep(unsigned sessions) {
  const std::string server = "198.51.100.7:443";
  for (unsigned i = 0; i < sessions; ++i) {
    const auto port = static_cast<uint16_t>(2000 + kept_.size());
    const std::string client = host_of(port) + ":" + std::to_string(port);
    run();
    put("lan", tcp(client, server).syn());
    run();
    const unsigned l4 = sizeof(EthernetHeader) + sizeof(Ipv4Header);
    uint16_t external = 0;
    std::memcpy(&external, last_out_.data() + l4, sizeof external);
    const std::string translated = "203.0.113.1:" + std::to_string(__builtin_bswap16(external));
    put("wan", tcp(server, translated).syn_ack());
    put("lan", tcp(client, server).ack());
    Kept kept;
    kept.out = tcp(client, server).ack().payload(64).to_mac(gateway_mac_of(id_of("lan"))).build();
    kept.in =
        tcp(server, translated).ack().payload(64).to_mac(gateway_mac_of(id_of("wan"))).build();
    kept_.push_back(std::move(kept));
  }
  run();
}

void Flood::put_kept() {
  const size_t turn = next_kept_++;
  const Kept& kept = kept_[turn / 2 % kept_.size()];
  turn % 2 == 0 ? put("lan", kept.out, Mark::kept) : put("wan", kept.in, Mark::kept);
}

void Flood::run() {
  now_ = now_ + kBurstTime;
  const AllocGuard guard;
  pipeline_->process({burst_.data(), burst_size_}, policy_, now_, *outbox_);
  pipeline_->turn(policy_, now_, *outbox_);
  allocations_ += guard.allocations();
  burst_size_ = 0;
  settle();
}

void Flood::pass(Duration duration) {
  run();
  const Instant end = now_ + duration;
  const Duration step = std::max(milliseconds(10), Duration{duration.ns / 100});
  while (now_ < end) {
    now_ = now_ + step;
    for (size_t before = free_.size() + 1; before != free_.size();) {
      before = free_.size();
      run();
    }
  }
}

void Flood::settle() {
  for (const Outbox::Item& item : outbox_->items()) {
    auto* slot = static_cast<Slot*>(item.packet->buffer);
    free_.push_back(static_cast<uint32_t>(slot - slots_.data()));
    switch (item.verdict.fate) {
      case Fate::forward:
        ++forwarded_;
        ++passed_[static_cast<size_t>(slot->mark)];
        std::copy_n(item.packet->frame, std::min<size_t>(last_out_.size(), item.packet->length),
                    last_out_.begin());
        break;
      case Fate::host:
        ++to_host_;
        break;
      default:
        POSTERN_ASSERT(item.verdict.is_drop());
        ++dropped_;
    }
  }
  outbox_->clear();
}

size_t Flood::held() const {
  return kSlots - free_.size() - burst_size_;
}

std::string Flood::mistakes() const {
  std::string text;
  auto check = [&](const char* what, uint64_t is, uint64_t should) {
    if (is == should) return;
    text += std::string(what) + ": " + std::to_string(is) + " instead of " +
            std::to_string(should) + "\n";
  };
  const uint64_t came = std::accumulate(came_.begin(), came_.end(), uint64_t{0}) - burst_size_;
  uint64_t received = 0;
  for (const InterfaceCounters& interface : counters_.interfaces)
    received += interface.rx_packets.read();
  check("frames that came out or are held", forwarded_ + to_host_ + dropped_ + held(), came);
  check("rx_packets", received, came);
  // A packet that was answered is counted as dropped, yet it is its answer that comes out.
  check("drops", sum(counters_.drops), dropped_ + counters_.replies_sent.read());
  check("held by its own count",
        counters_.fragments_held.read() + counters_.neighbors_waiting.read(), held());
  check("allocations", allocations_, 0);
  return text;
}

}  // namespace postern::test
