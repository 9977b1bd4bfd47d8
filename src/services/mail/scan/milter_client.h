// SPDX-License-Identifier: BSD-3-Clause
// ask_milter(): one message to one milter over a connection of its own, for a thread that waits for
// the answer. Bounds: those of MilterSession and ScanLimits; that the milter says it is at work
// (SMFIR_PROGRESS) does not give it more time. Thread: any.
#pragma once

#include "services/mail/queue/body.h"
#include "services/mail/scan/milter_address.h"
#include "services/mail/scan/milter_session.h"
#include "services/mail/scan/scan_limits.h"

namespace postern::mail {

MilterResult ask_milter(const MilterAddress& at, const MilterMail& mail, const Body& body,
                        const ScanLimits& limits);

}  // namespace postern::mail
