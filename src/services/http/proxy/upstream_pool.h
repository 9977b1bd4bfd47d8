// SPDX-License-Identifier: BSD-3-Clause
// UpstreamPool: idle connections to origins, for the next request to the same one (RFC 9112 section
// 9.3). A connection that says anything while it is idle, be it that it ends, is closed: what it
// says belongs to no request.
//
// Thread: control. Bounds: Limits. Beyond them the connection is closed instead of kept.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "services/http/proxy/upstream_connection.h"

namespace postern::http {

class UpstreamPool {
 public:
  struct Limits {
    size_t total = 512;
    size_t per_origin = 16;
    uint32_t idle_s = 30;
  };
  // Whether a connection to that address may serve the request at hand.
  using Accepts = std::function<bool(const Peer& remote)>;

  UpstreamPool(Poller& poller, Wheel& wheel);
  ~UpstreamPool();
  UpstreamPool(const UpstreamPool&) = delete;
  UpstreamPool& operator=(const UpstreamPool&) = delete;

  void set_limits(const Limits& limits);
  // The one that was used last, or nothing. The caller attaches itself.
  std::unique_ptr<UpstreamConnection> take(std::string_view key, const Accepts& accepts);
  // Keeps it, with nothing unread and no request under way.
  void put(std::unique_ptr<UpstreamConnection> connection);
  void clear();
  size_t size() const { return size_; }

 private:
  class Idle;
  using List = std::vector<std::unique_ptr<Idle>>;
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unique_ptr<UpstreamConnection> detach(Idle& idle);

  Poller& poller_;
  Wheel& wheel_;
  Limits limits_;
  size_t size_ = 0;
  std::unordered_map<std::string, List, Hash, std::equal_to<>> idle_;
};

}  // namespace postern::http
