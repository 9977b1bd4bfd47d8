// SPDX-License-Identifier: BSD-3-Clause
// Opening the sessions of a stage.
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/assert.h"
#include "bench/pipeline/work.h"

namespace postern::bench {
namespace {

constexpr unsigned kFrameBytes = 64;
constexpr Duration kBetweenBursts = nanoseconds(6400);  // 64 packets at 10 M/s

// The first packet of flows[first + i] from slot i; the external endpoints are what comes out.
void open_some(Gateway& gateway, Slots& slots, const FrameWriter& writer, std::vector<Flow>& flows,
               size_t first) {
  for (unsigned i = 0; i < kBurstMax && first + i < flows.size(); ++i) {
    writer.write_headers(slots.frame(i), flows[first + i].sent);
    gateway.add(slots.frame(i), writer.length(), kLan, i);
  }
  gateway.pass(kBetweenBursts);
  gateway.run();
  for (const Outbox::Item& item : gateway.items()) {
    if (item.verdict.fate != Fate::forward) {
      std::fprintf(stderr, "bench: a session was not opened: %s\n", to_word(item.verdict.reason));
      std::exit(1);
    }
    const auto slot = reinterpret_cast<uintptr_t>(item.packet->buffer) - 1;
    const Tuple out = tuple_of(item.packet->frame);
    flows[first + slot].external = out.source;
    flows[first + slot].external_port = out.source_port;
    // So that answers come in here as well.
    POSTERN_ASSERT(gateway.shards().slice_of(out.source_port.value()) == gateway.id());
  }
  gateway.finish();
}

}  // namespace

std::vector<Flow> flows_of(const Shards& shards, WorkerId id, uint32_t count) {
  std::vector<Flow> flows;
  flows.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    const Flow flow = make_flow(i);
    if (shards.owner_of(Ipv4Address(flow.sent.source)) == id) flows.push_back(flow);
  }
  return flows;
}

Stage::Stage(Site& site, WorkerId id, std::vector<Flow> flows)
    : gateway_(site, id), flows_(std::move(flows)) {
  Slots slots(kFrameBytes);
  const FrameWriter writer(kLanRouterMac, kLanMac, kFrameBytes);
  for (unsigned i = 0; i < kBurstMax; ++i)
    writer.write_payload(slots.frame(i));
  for (size_t first = 0; first < flows_.size(); first += kBurstMax) {
    open_some(gateway_, slots, writer, flows_, first);
  }
  if (gateway_.sessions() != flows_.size()) {
    std::fprintf(stderr, "bench: %u sessions of %zu are open\n", gateway_.sessions(),
                 flows_.size());
    std::exit(1);
  }
  shuffle(flows_);
}

}  // namespace postern::bench
