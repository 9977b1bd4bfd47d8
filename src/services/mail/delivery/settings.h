// SPDX-License-Identifier: BSD-3-Clause
// DeliverySettings: how long is tried, and who is told (RFC 5321 section 4.5.4). Plain values.
#pragma once

#include "base/time.h"

namespace postern::mail {

struct DeliverySettings {
  Duration first_retry = seconds(300);  // then twice as long each time
  Duration longest_retry = seconds(7200);
  Duration expiry = seconds(432'000);  // then it has failed
  Duration warning = seconds(14'400);  // then the sender hears that it takes long; 0: never
  friend bool operator==(const DeliverySettings&, const DeliverySettings&) = default;
};

}  // namespace postern::mail
