// SPDX-License-Identifier: BSD-3-Clause
// Wheel: time-outs in seconds for many things at once. Moving a time-out further into the future,
// which every request does, is one store: the thing stays in its old slot, and goes on to the right
// one when that slot comes round.
//
// Thread: control. Bounds: kSlots seconds ahead in one go; what lasts longer comes round more
// often.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace postern::http {

// Something that has a time-out. It leaves the wheel when it is destroyed.
class Timed {
 public:
  Timed() = default;
  virtual ~Timed() { unlink(); }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;
  // The time is over; it is in the wheel no more.
  virtual void on_time_out() = 0;

 private:
  friend class Wheel;
  void unlink() {
    if (next_ == nullptr) return;
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = nullptr;
  }
  Timed* next_ = nullptr;
  Timed* previous_ = nullptr;
  uint32_t due_ = 0;   // second in which it is over
  uint32_t slot_ = 0;  // second in which it is looked at
};

class Wheel {
 public:
  static constexpr uint32_t kSlots = 256;

  Wheel();
  // `thing` is told once `seconds` have passed, and before one more has.
  void set(Timed& thing, uint32_t seconds);
  static void cancel(Timed& thing) { thing.unlink(); }
  // Once a second.
  void tick();
  // Seconds so far.
  uint32_t now() const { return now_; }

 private:
  struct Slot : Timed {
    void on_time_out() override {}
  };
  void link(Timed& thing, uint32_t second);

  std::array<Slot, kSlots> slots_;
  uint32_t now_ = 0;
};

}  // namespace postern::http
