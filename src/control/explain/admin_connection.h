// SPDX-License-Identifier: BSD-3-Clause
// A TCP connection to the gateway by which somebody administers it.
#pragma once

#include "dataplane/packet/flow_key.h"

namespace postern {

// As its client sees it.
struct AdminConnection {
  Endpoint client;
  Endpoint server;
};

}  // namespace postern
