// SPDX-License-Identifier: BSD-3-Clause
// The script by which browsers find the proxy (proxy auto-configuration): /proxy.pac, and
// /wpad.dat for those that look for it by themselves. It is asked of the proxy's own port, by
// anybody who reaches that, and holds nothing but addresses.
//
// Not by the proxy: names without a dot, the local domain, addresses that are not public (of which
// those of the gateway are some), the gateway, and what is no host of IPv4.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "services/http/proxy/seams.h"

namespace postern::http {

// `path`: of a request in origin form.
bool is_pac_path(std::string_view path);

// `own`: where the client has reached the proxy. `domain`: of the names inside; empty: none.
std::string pac_script(const Peer& own, std::string_view domain);

}  // namespace postern::http
