// SPDX-License-Identifier: BSD-3-Clause
// The kernel as the device under test: packet sockets in the network namespaces at its two ends.
//
//   [namespace inside] lan0 --veth-- lan [namespace of the gateway] wan --veth-- wan0 [outside]
#pragma once

#include <cstdint>
#include <string>

#include "bench/common/flow.h"

namespace postern::bench {

// Enters a namespace of `ip netns` with the calling thread; ends the process when it cannot.
void enter_namespace(const std::string& name);

// Sends frames out of an interface of the current namespace, by a ring shared with the kernel and
// past the queueing discipline.
class SendingRing {
 public:
  SendingRing(const std::string& interface, const FrameWriter& writer);
  ~SendingRing();
  SendingRing(const SendingRing&) = delete;
  SendingRing& operator=(const SendingRing&) = delete;

  // Makes every frame of the ring anew, stamps apart, when what was sent has left.
  void prepare(const FrameWriter& writer);
  // The next frame, headers and payload written by the writer, or nullptr while the ring is full.
  uint8_t* next();
  void commit();  // of the frame that next() gave
  void push();    // what was committed leaves now

 private:
  struct Slot;
  Slot* slot() const;

  int socket_ = -1;
  uint8_t* memory_ = nullptr;
  uint16_t length_;
  unsigned at_ = 0;
};

// Takes and sends single frames at an interface of the current namespace.
class Tap {
 public:
  explicit Tap(const std::string& interface);
  ~Tap();
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;

  // Length of a frame that came in, 0: none is there.
  unsigned receive(uint8_t* frame, unsigned room);
  void send(const uint8_t* frame, unsigned length);

 private:
  int socket_ = -1;
};

// How many packets an interface of the current namespace has received.
class ReceiveCounter {
 public:
  explicit ReceiveCounter(std::string interface);
  ~ReceiveCounter();
  ReceiveCounter(const ReceiveCounter&) = delete;
  ReceiveCounter& operator=(const ReceiveCounter&) = delete;

  uint64_t read() const;

 private:
  std::string interface_;
  int file_ = -1;
};

}  // namespace postern::bench
