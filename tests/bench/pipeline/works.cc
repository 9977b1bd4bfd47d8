// SPDX-License-Identifier: BSD-3-Clause
// The works, by name.
//
//   outbound, inbound, mixed  packets of sessions that exist; each session once a round, in random
//                             order
//   new_session               each packet opens a session, and as many end: their number stays
//   denied, denied_logged     a flood from outside that falls through all rules; nothing is
//                             logged, or each drop
//   reload                    as outbound, with a new policy after four packets a session
//   flooded                   as outbound, while between its bursts others of the logged flood
//                             come, as many packets, which are not timed; in every other round, the
//                             control, those are made and thrown away in front of the gateway
#include <algorithm>

#include "bench/pipeline/work.h"

namespace postern::bench {
namespace {

constexpr size_t kPacketsMin = 1 << 17;
constexpr Duration kBetweenBursts = nanoseconds(6400);  // 64 packets at 10 M/s
constexpr unsigned kChecksumsEvery = 61;
constexpr int64_t kUdpTimeoutNs = seconds(300).ns;  // the default

size_t round_of(size_t sessions) {
  return std::max(kPacketsMin, (sessions + Slots::kCount - 1) / Slots::kCount * Slots::kCount);
}

class Established : public Work {
 public:
  Established(const Row& row, const std::vector<Flow>& flows)
      : flows_(flows),
        out_(kLanRouterMac, kLanMac, row.bytes),
        in_(kWanRouterMac, kWanMac, row.bytes),
        outbound_(row.work != "inbound"),
        inbound_(row.work == "inbound" || row.work == "mixed") {}

  void write(uint8_t* frame, unsigned slot) override {
    const Flow& flow = flows_[next_];
    if (++next_ == flows_.size()) next_ = 0;
    // Of mixed traffic, every flow sends in both directions, in an order without a pattern.
    turns_ = turns_ * 6364136223846793005 + 1442695040888963407;
    const bool outbound = outbound_ && (!inbound_ || turns_ >> 63 != 0);
    is_outbound_[slot] = outbound;
    expected_[slot] = outbound ? flow.translated() : flow.answer_translated();
    (outbound ? out_ : in_).write_headers(frame, outbound ? flow.sent : flow.answer());
  }
  InterfaceId ingress(unsigned slot) const override { return is_outbound_[slot] ? kLan : kWan; }
  uint16_t length() const override { return out_.length(); }
  bool is_right(const Outbox::Item& item, unsigned slot) override {
    return item.verdict.fate == Fate::forward &&
           item.packet->egress == (is_outbound_[slot] ? kWan : kLan) &&
           tuple_of(item.packet->frame) == expected_[slot] &&
           (++seen_ % kChecksumsEvery != 0 ||
            checksums_hold(item.packet->frame, item.packet->length));
  }
  void before_burst(Gateway& gateway) override { gateway.pass(kBetweenBursts); }
  size_t packets_in_round() const override { return round_of(flows_.size()); }

 private:
  const std::vector<Flow>& flows_;
  FrameWriter out_, in_;
  bool outbound_, inbound_;
  size_t next_ = 0, seen_ = 0;
  uint64_t turns_ = 1;
  bool is_outbound_[Slots::kCount] = {};
  Tuple expected_[Slots::kCount];
};

class Reload : public Established {
 public:
  Reload(const Row& row, const std::vector<Flow>& flows)
      : Established(row, flows), bursts_(std::max<size_t>(1, 4 * flows.size() / kBurstMax)) {}

  void before_burst(Gateway& gateway) override {
    Established::before_burst(gateway);
    if (++count_ % bursts_ == 0) gateway.reload();
  }
  size_t packets_in_round() const override {
    return std::max(Established::packets_in_round(), 2 * bursts_ * kBurstMax);
  }

 private:
  size_t bursts_, count_ = 0;
};

// Sessions that have had their time go as fast as new ones come: the bench's clock runs so that in
// one timeout as many are opened as live at once.
class NewSession : public Work {
 public:
  NewSession(const Row& row, uint32_t sessions)
      : writer_(kLanRouterMac, kLanMac, row.bytes),
        sessions_(sessions),
        between_bursts_{kUdpTimeoutNs / sessions * kBurstMax},
        next_(0) {}

  void write(uint8_t* frame, unsigned slot) override {
    const Flow flow = make_flow(next_);
    // Twice as many flows as there may be sessions: none comes again while it lives.
    if (++next_ == 4 * sessions_) next_ = 0;
    remotes_[slot] = flow.sent.destination;
    writer_.write_headers(frame, flow.sent);
  }
  InterfaceId ingress(unsigned) const override { return kLan; }
  uint16_t length() const override { return writer_.length(); }
  bool is_right(const Outbox::Item& item, unsigned slot) override {
    return item.verdict.fate == Fate::forward &&
           tuple_of(item.packet->frame).destination == remotes_[slot] &&
           (++seen_ % kChecksumsEvery != 0 ||
            checksums_hold(item.packet->frame, item.packet->length));
  }
  void before_burst(Gateway& gateway) override { gateway.pass(between_bursts_); }
  uint64_t after_burst(Gateway& gateway) override { return gateway.expire_timed(); }
  size_t packets_in_round() const override { return std::max<size_t>(sessions_, 1 << 16); }
  // The first sessions end when as many have come as live at once.
  unsigned warm_rounds() const override { return 2; }

 private:
  FrameWriter writer_;
  uint32_t sessions_;
  Duration between_bursts_;
  uint32_t next_;
  size_t seen_ = 0;
  be32 remotes_[Slots::kCount];
};

class Denied : public Work {
 public:
  explicit Denied(const Row& row)
      : writer_(kWanRouterMac, kWanMac, row.bytes), is_logged_(row.work == "denied_logged") {}

  void write(uint8_t* frame, unsigned) override {
    Tuple tuple;
    number_ = number_ * 6364136223846793005 + 1442695040888963407;
    const auto mixed = static_cast<uint32_t>(number_ >> 32);
    tuple.source = Ipv4Address(kFirstRemote.number + (mixed & 0x1FFFF) % 0x1FFFE).wire();
    tuple.source_port = be16(static_cast<uint16_t>(1024 + (mixed >> 17)));
    tuple.destination = kWanAddress.wire();
    tuple.destination_port = be16(static_cast<uint16_t>(mixed | 1));
    writer_.write_headers(frame, tuple);
  }
  InterfaceId ingress(unsigned) const override { return kWan; }
  uint16_t length() const override { return writer_.length(); }
  bool is_right(const Outbox::Item& item, unsigned) override {
    ++denied_;
    return item.verdict.is_drop() && item.verdict.reason == DropReason::filter_default;
  }
  void before_burst(Gateway& gateway) override {
    gateway.pass(kBetweenBursts);
    gateway.drain_log();
    denied_ = 0;
  }
  // The ring is emptied between the bursts, as by the logging thread; not timed.
  uint64_t after_burst(Gateway& gateway) override {
    const size_t logged = gateway.drain_log();
    POSTERN_ASSERT(logged == (is_logged_ ? denied_ : 0));
    return 0;
  }
  size_t packets_in_round() const override { return 1 << 16; }

 private:
  FrameWriter writer_;
  bool is_logged_;
  size_t denied_ = 0;
  uint64_t number_ = 1;
};

class Flooded : public Established {
 public:
  Flooded(const Row& row, const std::vector<Flow>& flows)
      : Established(row, flows),
        flood_(Row{"denied_logged", row.sessions, row.rules, row.bytes}),
        slots_(row.bytes) {}

  void before_burst(Gateway& gateway) override {
    flood_.before_burst(gateway);
    for (unsigned i = 0; i < kBurstMax; ++i) {
      const unsigned slot = next_++ % Slots::kCount;
      flood_.write(slots_.frame(slot), slot);
      gateway.add(slots_.frame(slot), flood_.length(), flood_.ingress(slot), slot);
    }
    if (!is_control_) {
      gateway.run();
      for (const Outbox::Item& item : gateway.items())
        POSTERN_ASSERT(flood_.is_right(item, 0));
      flood_.after_burst(gateway);
    }
    gateway.finish();
    Established::before_burst(gateway);
  }
  bool has_control() const override { return true; }
  void be_control(bool is_control) override { is_control_ = is_control; }

 private:
  bool is_control_ = false;
  Denied flood_;
  Slots slots_;
  unsigned next_ = 0;
};

bool is_logged(const Row& row) {
  return row.work == "denied_logged" || row.work == "flooded";
}

}  // namespace

const std::vector<std::string>& all_works() {
  static const std::vector<std::string> names = {"outbound",    "inbound", "mixed",
                                                 "new_session", "denied",  "denied_logged",
                                                 "reload",      "flooded"};
  return names;
}

bool is_established(const std::string& work) {
  return work == "outbound" || work == "inbound" || work == "mixed";
}

Scene scene_of(const Row& row) {
  Scene scene;
  scene.sessions = row.sessions;
  scene.rules = row.rules;
  scene.log_default = is_logged(row);
  return scene;
}

uint32_t opened_before(const Row& row) {
  return row.work == "new_session" ? 0 : row.sessions;
}

std::string stage_key(const Row& row) {
  if (row.work == "new_session") return "";
  return std::to_string(row.sessions) + " " + std::to_string(row.rules) +
         (is_logged(row) ? " logged" : "");
}

std::unique_ptr<Work> make_work(const Row& row, Stage& stage) {
  if (is_established(row.work)) return std::make_unique<Established>(row, stage.flows());
  if (row.work == "flooded") return std::make_unique<Flooded>(row, stage.flows());
  if (row.work == "reload") return std::make_unique<Reload>(row, stage.flows());
  if (row.work == "new_session") return std::make_unique<NewSession>(row, row.sessions);
  if (row.work == "denied" || row.work == "denied_logged") return std::make_unique<Denied>(row);
  return nullptr;
}

}  // namespace postern::bench
