// SPDX-License-Identifier: BSD-3-Clause
// Sections of services.mail that have to do with servers elsewhere (keys_mail_remote.cc).
#pragma once

#include "control/config/keys.h"

namespace postern::config {

extern const SectionSpec kMailRelaySection;
extern const SectionSpec kMailFetchSection;
extern const SectionSpec kMailEtrnSection;

}  // namespace postern::config
