// SPDX-License-Identifier: BSD-3-Clause
// Flood: one worker's pipeline under more than it can bear, with exact books. Nobody drains its
// rings, as if control and the logging thread stood still. TCP sessions that were established
// before ("kept") go on meanwhile; frames are marked, so that it is known whose have passed.
//
// Frames lie in a fixed number of slots; the pipeline must not allocate and must give every slot
// back.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "control/config/model.h"
#include "dataplane/pipeline/pipeline.h"
#include "dataplane/policy/policy.h"
#include "support/packet_builder.h"

namespace postern::test {

class Flood {
 public:
  enum class Mark : uint8_t { other, kept, allowed, blocked, count_ };

  // The configuration is valid. The hosts of `lan` that kept sessions are from and the router
  // 203.0.113.254 of `wan` are known neighbors; all others never answer.
  explicit Flood(const config::Model& model);
  ~Flood();

  static config::Model model_of(const std::string& yaml);
  std::unique_ptr<Policy> compile(const config::Model& model, uint32_t generation) const;

  // Establishes so many TCP sessions from the LAN to 198.51.100.7:443.
  void keep(unsigned sessions);
  // Puts a frame into the burst, which is run when it is full.
  void put(const std::string& interface, const Frame& frame, Mark mark = Mark::other);
  void put(const std::string& interface, PacketBuilder packet, Mark mark = Mark::other);
  // The next packet of the next kept session, by turns of each direction.
  void put_kept();
  void run();
  // Turns without frames.
  void pass(Duration duration);
  void set_policy(const Policy* policy) { policy_ = policy; }
  void set_neighbor(const std::string& interface, Ipv4Address address);

  // --- the books
  uint64_t came(Mark mark) const { return came_[static_cast<size_t>(mark)]; }
  uint64_t passed(Mark mark) const { return passed_[static_cast<size_t>(mark)]; }
  // What does not add up; empty: every frame came out once, or is held, and is counted so.
  std::string mistakes() const;
  size_t held() const;
  uint64_t drops(DropReason reason) const {
    return counters_.drops[static_cast<size_t>(reason)].read();
  }
  const WorkerCounters& counters() const { return counters_; }
  Instant now() const { return now_; }

 private:
  struct Slot;
  struct Kept {
    Frame out, in;
  };
  InterfaceId id_of(const std::string& interface) const;
  void settle();

  std::unique_ptr<Policy> first_;
  const Policy* policy_;
  NeighborTable neighbors_;
  SpscRing<LogRecord> log_{64};
  SpscRing<ControlEvent> events_{64};
  WorkerCounters counters_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<Outbox> outbox_ = std::make_unique<Outbox>();
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  std::array<Packet, kBurstMax> burst_;
  unsigned burst_size_ = 0;
  std::vector<Kept> kept_;
  size_t next_kept_ = 0;
  Instant now_{1'000'000'000};
  std::array<uint8_t, 64> last_out_ = {};  // the beginning of the frame that left last
  std::array<uint64_t, static_cast<size_t>(Mark::count_)> came_ = {}, passed_ = {};
  uint64_t forwarded_ = 0, to_host_ = 0, dropped_ = 0, allocations_ = 0;
};

}  // namespace postern::test
