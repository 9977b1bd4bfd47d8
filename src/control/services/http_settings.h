// SPDX-License-Identifier: BSD-3-Clause
// services.http of the configuration -> what the proxy and its store take. Pure but for the file
// with the password of a parent proxy. Thread: control.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/config/model.h"
#include "control/listeners.h"
#include "dataplane/policy/policy.h"
#include "services/http/proxy/settings.h"

namespace postern {

// All but the listeners, the parent, and the rules for some URLs.
http::ProxySettings http_settings(const config::Model& model, const Policy& policy);
// At the addresses of its interfaces; external ones are never among them (F53). Then those for what
// the policy intercepts.
std::vector<http::ProxyListener> http_listeners(const config::Http& http, const Policy& policy,
                                                const DeviceOf& device_of);
// Reads the file with the password: its first line.
Result<http::ParentProxy> http_parent(const config::HttpParent& parent);

// The file of the cache; nothing: none is wanted.
struct HttpCachePlan {
  std::string file;
  uint64_t octets = 0;
  friend bool operator==(const HttpCachePlan&, const HttpCachePlan&) = default;
};
std::optional<HttpCachePlan> http_cache_plan(const config::Http& http,
                                             const std::string& state_dir);

}  // namespace postern
