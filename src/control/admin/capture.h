// SPDX-License-Identifier: BSD-3-Clause
// Captures over the administration socket:
//
//   "capture start" {interface, at, where, snap_length, frames} -> {capture, snap_length}
//   "capture read"  {capture} -> {frames: [...], interfaces: [...], ended}    again and again
//   "capture stop"  {capture} -> {}                                           read on until ended
//
// Each client opens as many connections as it likes; who does not read for some seconds loses the
// capture (control/capture/captures.h). Thread: control.
#pragma once

#include "control/admin/dispatcher.h"

namespace postern {
class Gateway;
}

namespace postern::admin {

Result<Json> start_capture(Gateway& gateway, const Json& request, const Peer& peer);
void read_capture(Gateway& gateway, const Json& request, const Peer& peer, Reply reply);
Result<Json> stop_capture(Gateway& gateway, const Json& request, const Peer& peer);
Json show_captures(Gateway& gateway);

}  // namespace postern::admin
