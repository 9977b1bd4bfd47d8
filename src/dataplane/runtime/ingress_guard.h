// SPDX-License-Identifier: BSD-3-Clause
// Ingress guard: keeps the kernel's network stack from seeing what arrives on an interface that
// Postern uses.
//
// AF_PACKET copies frames and does not steal them; without the guard the kernel would answer ARP,
// reset TCP connections and accept packets for any address it has anywhere, beside the filter. The
// guard is a two-instruction BPF program at the interface's ingress hook that drops all. It runs
// after packet sockets and XDP have had the frame, and it stays when the process is killed:
// fail-closed. Thread: control.
#pragma once

#include "base/result.h"

namespace postern {

// `made_hook`: the interface had no ingress hook before, so it goes with the guard again.
Result<void> attach_ingress_guard(int device_index, bool& made_hook);
void detach_ingress_guard(int device_index, bool made_hook);

}  // namespace postern
