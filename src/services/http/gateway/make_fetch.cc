// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/gateway/ftp_fetch.h"
#include "services/http/gateway/gopher_fetch.h"
#include "services/http/proxy/fetch.h"

namespace postern::http {

std::unique_ptr<OriginFetch> make_fetch(Core& core, OriginFetch::User& user, Scheme scheme) {
  const bool is_here = !core.settings.parent;
  if (scheme == Scheme::ftp && is_here) return std::make_unique<FtpFetch>(core, user);
  if (scheme == Scheme::gopher && is_here) return std::make_unique<GopherFetch>(core, user);
  return std::make_unique<Fetch>(core, user);
}

}  // namespace postern::http
