// SPDX-License-Identifier: BSD-3-Clause
#include "control/ipfix/exporter.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <utility>

#include "control/log/log_line.h"

namespace postern::ipfix {
namespace {

using Milliseconds = std::chrono::milliseconds;

// A ring is half full after the second one at 200,000 records a second. While something is unsent,
// a collector by UDP gets 64 messages after each of the first: what its usual buffer holds.
constexpr Milliseconds kBusyNap(5), kNap(20), kSleep(1000);
constexpr Milliseconds kAfterwards(1000);  // until workers have heard that nobody asks any more
constexpr Milliseconds kFarewell(500);
constexpr size_t kBatch = 256;
constexpr Duration kComplainsFor = seconds(60);

}  // namespace

std::string collector_text(const config::Ipfix& ipfix) {
  const bool is_udp = ipfix.transport == config::IpfixTransport::udp;
  return fmt::format("{} {}:{}", is_udp ? "udp" : "tcp", to_text(ipfix.collector), ipfix.port);
}

Exporter::~Exporter() {
  stop();
}

void Exporter::follow(const std::optional<Destination>& destination) {
  {
    std::lock_guard lock(mutex_);
    if (destination == destination_) return;
    destination_ = destination;
    is_told_ = true;
  }
  wake_.notify_one();
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void Exporter::stop() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

Exporter::Status Exporter::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

// Its text does not change from second to second: each change is a line of the log.
Result<void> Exporter::complaint() {
  const Status status = this->status();
  const Instant now = world_.now();
  if (std::exchange(lost_before_, status.lost) != status.lost) {
    complains_until_ = now + kComplainsFor;
  }
  if (!status.is_on) return {};
  const bool is_losing = now < complains_until_;
  if (status.fault.empty() && !is_losing) return {};
  const std::string why = status.fault.empty() ? "it is too slow" : status.fault;
  return Error{ErrorCode::unavailable,
               status.collector + ": " + why + (is_losing ? "; records are lost" : "")};
}

void Exporter::run() {
  pthread_setname_np(pthread_self(), "postern-ipfix");
  while (!wait()) {
    take_destination();
    drain();
    const int64_t offset_ns = wall_now_ns() - world_.now().ns;
    look_after_loss(offset_ns);
    stream_.turn(offset_ns);
    tell_status();
  }
  const auto until = Stream::Clock::now() + kFarewell;
  do {
    drain();
    stream_.turn(wall_now_ns() - world_.now().ns);
    std::this_thread::sleep_for(kBusyNap);
  } while (stream_.waiting() > 0 && Stream::Clock::now() < until);
}

// Whether it is to end.
bool Exporter::wait() {
  const bool is_idle = !stream_.is_directed();
  const Milliseconds nap = is_idle ? kSleep : stream_.is_busy() ? kBusyNap : kNap;
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, nap, [this] { return is_told_ || is_ending_; });
  return is_ending_;
}

void Exporter::take_destination() {
  std::optional<Destination> wanted;
  {
    std::lock_guard lock(mutex_);
    if (is_told_) {
      is_told_ = false;
      wanted = destination_;
      if (!wanted) ends_at_ = Stream::Clock::now() + kAfterwards;
    }
  }
  if (wanted) {
    stream_.direct(*wanted);
    ends_at_.reset();
  } else if (ends_at_ && Stream::Clock::now() >= *ends_at_) {
    ends_at_.reset();
    drain();
    forgotten_ += stream_.end();
  }
}

// Everything that is there, as far as there is room.
void Exporter::drain() {
  if (!stream_.is_directed()) return;
  std::array<FlowRecord, kBatch> batch;
  for (const Source& source : world_.sources) {
    for (;;) {
      const size_t room = std::min(stream_.room(), batch.size());
      const size_t count = source.ring->pop({batch.data(), room});
      for (size_t i = 0; i < count; ++i)
        stream_.push(batch[i]);
      if (count < kBatch) break;
    }
  }
}

void Exporter::look_after_loss(int64_t offset_ns) {
  Loss all = loss_;
  all.records = forgotten_;
  all.packets = all.octets = 0;
  for (const Source& source : world_.sources) {
    all.records += source.counters->flow_records_lost.read();
    all.packets += source.counters->flow_packets_untold.read();
    all.octets += source.counters->flow_bytes_untold.read();
  }
  if (all == loss_) return;
  all.last_ms = static_cast<int64_t>(to_milliseconds(world_.now(), offset_ns));
  if (all.first_ms == 0) all.first_ms = all.last_ms;
  loss_ = all;
  stream_.set_loss(loss_);
}

void Exporter::tell_status() {
  std::lock_guard lock(mutex_);
  status_.is_on = destination_.has_value();
  status_.collector = destination_ ? collector_text(destination_->to) : std::string();
  status_.is_open = stream_.is_proven();
  status_.fault = status_.is_open ? std::string() : stream_.fault();
  status_.sent = stream_.sent();
  status_.lost = loss_.records;
  status_.waiting = stream_.waiting();
}

}  // namespace postern::ipfix
