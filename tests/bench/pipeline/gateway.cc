// SPDX-License-Identifier: BSD-3-Clause
#include "bench/pipeline/gateway.h"

#include <array>
#include <string>

#include "bench/pipeline/ticks.h"
#include "control/compile/compile.h"
#include "control/config/load.h"

namespace postern::bench {
namespace {

constexpr size_t kLine = 64;
constexpr size_t kBufferHead = 256;  // what a packet buffer has around the frame

[[noreturn]] void fail(const std::string& text) {
  std::fprintf(stderr, "bench: %s\n", text.c_str());
  std::exit(1);
}

config::Model model_of(const Scene& scene) {
  config::Loaded loaded = config::load(postern_config(scene));
  for (const config::Finding& finding : loaded.findings) {
    if (finding.severity == config::Severity::error) fail(to_text(finding, "scene"));
  }
  return std::move(loaded.model);
}

std::unique_ptr<Policy> policy_of(const config::Model& model, const Shards& shards) {
  CompileInputs inputs;
  inputs.shards = shards;
  inputs.ports = {{kWanMac, 0}, {kLanMac, 0}};
  auto policy = compile(model, inputs);
  if (!policy) fail(policy.error().text);
  return std::move(policy).value();
}

}  // namespace

// An odd number of lines apart, so that the slots spread over all sets of a cache.
Slots::Slots(unsigned frame_bytes)
    : stride_(((kBufferHead + kHeadroomMin + frame_bytes) / kLine | 1) * kLine + 2 * kLine),
      memory_(stride_ * kCount + kLine) {
  const size_t past = reinterpret_cast<uintptr_t>(memory_.data()) % kLine;
  first_ = memory_.data() + (kLine - past) % kLine;
}

Site::Site(const Scene& scene, unsigned workers) : shards_(workers), slot_(workers) {
  const config::Model model = model_of(scene);
  for (std::unique_ptr<Policy>& policy : policies_)
    policy = policy_of(model, shards_);
  neighbors_.set(kWan, kWanRouter, kWanRouterMac);
  neighbors_.set(kLan, kLanRouter, kLanRouterMac);
  // The daemon's shares, but for hosts: every worker speaks with all remotes.
  const config::Limits& limits = model.system.limits;
  settings_.shards = shards_;
  settings_.limits = {(limits.sessions + workers - 1) / workers,
                      (limits.hosts - 2 * kRemotes) / workers + 2 * kRemotes,
                      limits.sessions_from_host, limits.sessions_to_host};
  settings_.mappings_max = (limits.mappings + workers - 1) / workers;
  settings_.seed = HashSeed{{0x1234567890ABCDEF, 0xFEDCBA0987654321}};
  reload();
}

// The retired policy comes back as a new one: nobody reads it any more.
void Site::reload() {
  Policy& next = *policies_[slot_.acquire() == policies_[0].get() ? 1 : 0];
  next.generation = ++generation_;
  slot_.publish(&next);
}

Pipeline::Settings Site::settings_of(WorkerId id) const {
  Pipeline::Settings settings = settings_;
  settings.worker = id;
  settings.random_seed = id + 1u;
  return settings;
}

Gateway::Gateway(Site& site, WorkerId id)
    : site_(site),
      id_(id),
      pipeline_(std::make_unique<Pipeline>(
          site.settings_of(id), Pipeline::Shared{&site.neighbors(), &log_, &events_, &counters_})) {
}

void Gateway::add(uint8_t* frame, uint16_t length, InterfaceId ingress, unsigned slot) {
  __builtin_prefetch(frame);  // as the worker does before it makes Packets
  Packet& packet = burst_[burst_size_++];
  packet = Packet{};
  packet.frame = frame;
  packet.buffer = reinterpret_cast<void*>(uintptr_t{slot} + 1);
  packet.length = length;
  packet.ingress = ingress;
}

// A turn as the worker has it.
[[gnu::always_inline]] inline void Gateway::work() {
  const Policy* policy = site_.policies().acquire();
  pipeline_->process({burst_, burst_size_}, policy, now_, outbox_);
  pipeline_->turn(policy, now_, outbox_);
  site_.policies().finished(id_, policy->generation);
}

void Gateway::run() {
  work();
}

// A function of its own in every build: `./dev bench --instructions` counts what it does.
[[gnu::noinline]] uint64_t Gateway::run_timed() {
  const uint64_t from = ticks_before();
  work();
  return ticks_after() - from;
}

[[gnu::noinline]] uint64_t Gateway::expire_timed() {
  const uint64_t from = ticks_before();
  for (uint32_t before = UINT32_MAX; sessions() < before;) {
    before = sessions();
    pipeline_->turn(site_.policies().acquire(), now_, outbox_);
  }
  return ticks_after() - from;
}

void Gateway::finish() {
  outbox_.clear();
  burst_size_ = 0;
}

double Gateway::bytes_per_session() const {
  const SessionTable& sessions = pipeline_->sessions();
  return static_cast<double>(sessions.bytes() + pipeline_->mappings().bytes()) /
         sessions.capacity();
}

size_t Gateway::drain_log() {
  std::array<LogRecord, 64> records;
  size_t total = 0;
  while (const size_t count = log_.pop(records))
    total += count;
  return total;
}

}  // namespace postern::bench
