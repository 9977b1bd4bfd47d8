// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/wheel.h"

#include <algorithm>

namespace postern::http {

Wheel::Wheel() {
  for (Slot& slot : slots_)
    slot.next_ = slot.previous_ = &slot;
}

void Wheel::link(Timed& thing, uint32_t second) {
  Slot& slot = slots_[second % kSlots];
  thing.slot_ = second;
  thing.next_ = &slot;
  thing.previous_ = slot.previous_;
  slot.previous_->next_ = &thing;
  slot.previous_ = &thing;
}

void Wheel::set(Timed& thing, uint32_t seconds) {
  thing.due_ = now_ + seconds + 1;
  if (thing.next_ != nullptr && thing.slot_ <= thing.due_) return;
  thing.unlink();
  link(thing, now_ + std::min(seconds + 1, kSlots - 1));
}

void Wheel::tick() {
  ++now_;
  Slot& slot = slots_[now_ % kSlots];
  // Things that go round again land in other slots; those that are told leave first.
  while (slot.next_ != &slot) {
    Timed& thing = *slot.next_;
    thing.unlink();
    if (thing.due_ > now_) {
      link(thing, now_ + std::min(thing.due_ - now_, kSlots - 1));
    } else {
      thing.on_time_out();
    }
  }
}

}  // namespace postern::http
