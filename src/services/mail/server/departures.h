// SPDX-License-Identifier: BSD-3-Clause
// Departures: connections that are over, whose last octets still go out. They count as clients
// until then, so that who opens and closes many has no more of them than others.
//
// Bounds: a connection that is over had a place. Thread: control.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "services/io/places.h"
#include "services/mail/net/stream.h"

namespace postern::mail {

class Departures {
 public:
  void add(std::shared_ptr<Stream> stream, io::Places::Place place) {
    if (stream && !stream->is_closed()) leaving_.emplace_back(std::move(stream), std::move(place));
  }
  // Lets go of those that are gone.
  void sweep() {
    std::erase_if(leaving_, [](const auto& one) { return one.first->is_closed(); });
  }
  ~Departures() {
    for (const auto& [stream, place] : leaving_)
      stream->close();
  }
  Departures() = default;
  Departures(const Departures&) = delete;
  Departures& operator=(const Departures&) = delete;

 private:
  std::vector<std::pair<std::shared_ptr<Stream>, io::Places::Place>> leaving_;
};

}  // namespace postern::mail
