// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/capture/tap.h"

#include <algorithm>

namespace postern {

void Tap::take_up(const CaptureSet* published) {
  seen_ = published;
  on_ = published->count != 0 ? published : nullptr;
  slot_.finished(worker_, published->generation);
}

void Tap::see(const Sight& sight) {
  const FrameFacts facts = read_facts({sight.frame, sight.here});
  for (size_t i = 0; i < on_->count; ++i) {
    const Capture& capture = *on_->captures[i];
    if (!capture.what.concerns(sight.interface, sight.point)) continue;
    if (!capture.what.matches(facts, sight.reason)) continue;
    CaptureRecord record;
    record.at = now_;
    record.generation = generation_;
    record.rule = sight.rule;
    record.length = sight.length;
    record.captured = std::min(sight.here, capture.snap_length);
    record.point = sight.point;
    record.reason = sight.reason;
    record.interface = sight.interface;
    record.worker = worker_;
    capture.rings[worker_]->push(record, sight.frame);
  }
}

void Tap::dropped(const Packet& packet, DropReason reason, uint16_t rule) {
  Sight sight;
  sight.point = TracePoint::dropped;
  sight.reason = reason;
  sight.interface = packet.from_host ? kGateway : packet.ingress;
  sight.rule = rule;
  sight.frame = packet.frame;
  sight.here = sight.length = packet.length;
  see(sight);
}

}  // namespace postern
