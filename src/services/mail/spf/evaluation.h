// SPDX-License-Identifier: BSD-3-Clause
// evaluate_spf(): an SPF question to libspf2. The library reads what strangers have written, in C,
// and ends the process where it does not know on: this is part of postern-spf alone. Bounds: ten
// terms that ask the DNS (RFC 7208 section 4.6.4, by the library).
#pragma once

#include "services/mail/spf/question.h"

struct SPF_dns_server_struct;

namespace postern::mail {

// Waits for the DNS. `dns`: where the library asks.
SpfAnswer evaluate_spf(const SpfQuestion& question, SPF_dns_server_struct* dns);

}  // namespace postern::mail
