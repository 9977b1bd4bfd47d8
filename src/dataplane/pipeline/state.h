// SPDX-License-Identifier: BSD-3-Clause
// Pipeline::State: the tables of one worker and the stages of the packet path as its members.
// Internal to dataplane/pipeline; each .cc file holds the stages its name says:
//
//   fast_path.cc  ordinary packets of sessions, a burst at a time
//   pipeline.cc   receive, fragments, steer, look up
//   slow_path.cc  first packets: decide, open a session
//   hit.cc        packets of a session
//   judge.cc      sessions under a new policy, expiry
//   flows.cc      sessions that begin and end, told for export
//   forward.cc    TTL, MTU, MAC address, host path
//   answer.cc     ICMP errors, resets, ARP
//   report.cc     counters and log records
//
// Every stage takes a packet and sees to it that it ends in the Outbox or is held; none returns it.
#pragma once

#include "dataplane/nat/fragment.h"
#include "dataplane/nat/mapping.h"
#include "dataplane/nat/port_pool.h"
#include "dataplane/nat/session.h"
#include "dataplane/pipeline/decide.h"
#include "dataplane/pipeline/neighbor.h"
#include "dataplane/pipeline/pipeline.h"

namespace postern {

// At most kRepliesPerSecond answers, kRepliesBurst at once (RFC 1812 4.3.2.8).
class ReplyBudget {
 public:
  bool take(Instant now);

 private:
  Instant last_;
  int64_t credit_ns_ = int64_t{kRepliesBurst} * 1'000'000'000 / kRepliesPerSecond;
};

// At most kRefusalsLoggedPerSecond records: what strangers send must not rotate the log away (F67).
class RefusalBudget {
 public:
  bool take(Instant now);

 private:
  int64_t second_ = 0;
  unsigned taken_ = 0;
};

// A next hop lately used: both MAC addresses of a frame to it, as they lie in the frame.
struct Adjacent {
  Ipv4Address next_hop;
  InterfaceId out = kNoInterface;
  uint16_t mtu = 0;
  uint8_t macs[12] = {};
};

// What a new policy does with a session.
enum class Judgement : uint8_t { allowed, ended, held };

// Of the packets of a session that is not allowed.
constexpr DropReason reason_of(Judgement judgement) {
  return judgement == Judgement::held ? DropReason::session_held : DropReason::session_ended;
}

struct alignas(kOwnLines) Pipeline::State {
  State(const Settings& settings, const Shared& shared);

  // --- pipeline.cc
  void begin(const Policy* with, Instant at, Outbox& to);
  void count_received(const Packet& like, uint64_t packets, uint64_t bytes);
  void receive(Packet& packet);
  void gather(Packet& packet);  // fragments
  void steer(Packet& packet);   // to the owner of the flow
  bool is_for_another(Packet& packet, const FlowKey& key);
  void look_up(Packet& packet);

  // --- fast_path.cc
  class Burst;
  void run(std::span<Packet> burst);
  const Adjacent* find_adjacent(InterfaceId out_id, Ipv4Address next_hop);

  // --- hit.cc
  // False: the session is gone under the new policy and the packet is to be seen as a first one.
  bool hit(Packet& packet, uint32_t found);
  void relay_error(Packet& packet);
  bool is_right_ingress(const Packet& packet, const Session& session, Direction direction) const;
  void count(uint32_t index, Direction direction, const Packet& packet);

  // --- slow_path.cc
  void first_packet(Packet& packet);
  void first_from_hairpin(Packet& packet, const FirstPacket& first);
  void first_through_mapping(Packet& packet, const FirstPacket& first, uint32_t mapping);
  void act_on(Packet& packet, const Decision& decision, SessionKind kind, uint32_t mapping);
  void open_session(Packet& packet, const Decision& decision, SessionKind kind, uint32_t mapping);
  uint32_t obtain_mapping(const Packet& packet, const Decision& decision, DropReason& reason);
  DropReason insert(const WholeSession& session, uint32_t& index);
  bool is_for_service(const FirstPacket& first, Endpoint to) const;
  FilteringBehavior filtering_of(const Mapping& mapping, Endpoint remote) const;
  bool admits(const Mapping& mapping, Endpoint remote) const;
  void note_remote(uint32_t index, bool comes);

  // --- judge.cc
  // C02; held: nothing of it passes, but it is still there.
  Judgement judge_again(uint32_t index);
  bool may_be_held(const Session& session) const;
  bool is_still_ours(const Session& session) const;
  void follow_host(Mapping& mapping) const;
  bool is_still_allowed(uint32_t index);
  // Without a reason: its time has come.
  void end_session(uint32_t index, FlowEnd why = FlowEnd::none);
  void release_mapping(uint32_t mapping);
  void expire();
  void sweep();
  void follow_identities();
  void sweep_identities();
  void note_seen();

  // --- flows.cc
  bool tells_flows() const { return policy->flow_export.sessions && shared.flows != nullptr; }
  bool tells_mappings() const { return policy->flow_export.mappings && shared.flows != nullptr; }
  void tell_session_begin(uint32_t index);
  void tell_session_end(uint32_t index, FlowEnd why);
  void tell_mapping(const Mapping& mapping, FlowEvent event);
  void tell_exhausted(const Packet& packet, const Decision& decision, DropReason reason);
  FlowRecord flow_of(uint32_t index) const;
  void tell_flow(FlowRecord& record);

  // --- forward.cc
  // TTL and MTU, before the translation changes anything. False: the packet was dropped or
  // answered.
  bool prepare_to_leave(Packet& packet, InterfaceId out);
  // The TTL alone. Asked before a packet goes round, too: its sender can be told only then.
  bool has_time_left(Packet& packet);
  void leave(Packet& packet, InterfaceId out, Ipv4Address next_hop);
  void to_gateway(Packet& packet);
  void go_round(Packet& packet);
  void clamp(Packet& packet, InterfaceId out);
  void release_held();
  void release_fragments();
  void release_waiting();
  void leave_at_last(Packet& packet);

  // --- answer.cc
  void arp(Packet& packet);
  bool may_answer(const Packet& packet) const;
  bool is_within_budget(const Packet& packet);
  void deny(Packet& packet, DropReason reason, uint16_t rule);
  void error(Packet& packet, DropReason reason, uint8_t type, uint8_t code, uint16_t mtu);
  void send_back(Packet& packet);
  void nobody_there(Packet& packet);

  // --- report.cc
  void drop(Packet& packet, DropReason reason, uint16_t rule = kNoRule);
  // A refused packet whose buffer becomes the answer: its last moment.
  void drop_answered(const Packet& packet, DropReason reason);
  // Tells of which session a followed packet is.
  void trace(const Packet& packet, const Session& session, SessionUse use);
  void count_drop(const Packet& packet, DropReason reason);
  void count_rule(uint16_t rule, const Packet& packet, uint64_t packets);
  void report(const Packet& packet, const Decision& decision, const NextHits& hits);
  void report_translation(const Packet& packet, const Decision& decision, const Session& session);
  void report_refused(const Packet& packet, DropReason reason);
  void report_end(const Session& session);
  void log(LogRecord& record);
  void tell(const ControlEvent& event);

  InterfaceId ingress_of(const Packet& packet) const {
    return packet.rounds > 0 ? kRecirculate : packet.from_host ? kGateway : packet.ingress;
  }
  const PolicyInterface& interface(InterfaceId id) const { return policy->interfaces[id]; }

  Settings settings;
  Shared shared;
  SessionTable sessions;
  MappingTable mappings;
  ExternalPortPool ports;
  FragmentTable fragments;
  HeldQueue held;
  // (external endpoint, remote address) -> sessions, for address-dependent filtering.
  FlowMap admitted;
  ReplyBudget replies[2];  // to what came from inside; to what came from external zones
  RefusalBudget refusals[kDropReasons];     // by reason
  RefusalBudget exhaustions[kDropReasons];  // likewise, for export
  uint32_t neighbors_seen = 0;              // version of the neighbor table at the last release
  uint32_t swept_generation = 0;            // every session was judged under this policy
  uint32_t sweeping_generation = 0;
  uint32_t sweep_at = 0;             // next slot to look at
  uint32_t judged_identities = 0;    // every session was judged with these
  uint32_t identities_sweep_to = 0;  // those of the sweep that is on, or judged_identities
  uint32_t identities_sweep_at = 0;
  SubjectId left_user = 0;  // while the end of a session is told: who was logged in there before
  Instant seen_noted_at;
  uint32_t seen_noted_slot = 0;
  bool has_more_to_expire = false;
  uint32_t ports_generation = 0;  // policy whose port range the pool uses
  uint16_t denied_by = kNoRule;   // while a packet is denied: the rule

  static constexpr unsigned kAdjacentMax = 16;
  Adjacent adjacent[kAdjacentMax];   // by the lowest bits of the next hop
  uint32_t adjacent_version = 0;     // of the neighbor table that they are from
  uint32_t adjacent_generation = 0;  // of the policy that they are from

  // --- of the current call
  const Policy* policy = nullptr;
  const Identities* identities = nullptr;  // of this turn
  RuleCounters* rule_counters = nullptr;
  Instant now;
  Outbox* out = nullptr;
};

}  // namespace postern
