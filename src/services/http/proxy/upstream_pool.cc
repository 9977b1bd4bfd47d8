// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/upstream_pool.h"

#include <algorithm>
#include <utility>

namespace postern::http {

// The user of a connection that nobody uses.
class UpstreamPool::Idle : public UpstreamConnection::User {
 public:
  Idle(UpstreamPool& pool, std::unique_ptr<UpstreamConnection> kept)
      : pool_(pool), connection(std::move(kept)) {}

  void on_upstream(uint32_t events) override {
    if ((events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) drop();
  }
  void on_upstream_time_out() override { drop(); }

 private:
  void drop() {
    Poller& poller = pool_.poller_;
    poller.bury(pool_.detach(*this));  // frees this object, not yet the connection
  }

  UpstreamPool& pool_;

 public:
  std::unique_ptr<UpstreamConnection> connection;
};

UpstreamPool::UpstreamPool(Poller& poller, Wheel& wheel) : poller_(poller), wheel_(wheel) {}

UpstreamPool::~UpstreamPool() = default;

void UpstreamPool::set_limits(const Limits& limits) {
  limits_ = limits;
}

std::unique_ptr<UpstreamConnection> UpstreamPool::detach(Idle& idle) {
  std::unique_ptr<UpstreamConnection> connection = std::move(idle.connection);
  const auto found = idle_.find(connection->key());
  List& list = found->second;
  std::erase_if(list, [&](const std::unique_ptr<Idle>& other) { return other.get() == &idle; });
  if (list.empty()) idle_.erase(found);
  --size_;
  Wheel::cancel(*connection);
  return connection;
}

std::unique_ptr<UpstreamConnection> UpstreamPool::take(std::string_view key,
                                                       const Accepts& accepts) {
  const auto found = idle_.find(key);
  if (found == idle_.end()) return nullptr;
  const List& list = found->second;
  const auto last = std::find_if(list.rbegin(), list.rend(), [&](const auto& idle) {
    return accepts(idle->connection->remote());
  });
  return last == list.rend() ? nullptr : detach(**last);
}

void UpstreamPool::put(std::unique_ptr<UpstreamConnection> connection) {
  const auto found = idle_.find(connection->key());
  const size_t of_origin = found == idle_.end() ? 0 : found->second.size();
  if (size_ >= limits_.total || of_origin >= limits_.per_origin || limits_.idle_s == 0)
    return poller_.bury(std::move(connection));
  wheel_.set(*connection, limits_.idle_s);
  UpstreamConnection& kept = *connection;
  List& list = found == idle_.end() ? idle_[kept.key()] : found->second;
  list.push_back(std::make_unique<Idle>(*this, std::move(connection)));
  kept.set_user(*list.back());
  ++size_;
}

void UpstreamPool::clear() {
  idle_.clear();
  size_ = 0;
}

}  // namespace postern::http
