// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/tls/tls_upstream.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/assert.h"
#include "services/dns/tls/padding.h"

namespace postern::dns {
namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kTick{25};       // while queries are under way
constexpr std::chrono::milliseconds kIdleTick{500};  // while only connections are
constexpr Duration kRetryFirst = milliseconds(250);

std::chrono::nanoseconds chrono_of(Duration duration) {
  return std::chrono::nanoseconds(duration.ns);
}

std::string in_seconds(std::chrono::nanoseconds time) {
  const auto tenths = std::chrono::ceil<std::chrono::duration<int64_t, std::deci>>(time).count();
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

void put_id(std::span<uint8_t> message, uint16_t id) {
  message[0] = static_cast<uint8_t>(id >> 8);
  message[1] = static_cast<uint8_t>(id);
}

uint16_t id_of(std::span<const uint8_t> message) {
  return static_cast<uint16_t>(message[0] << 8 | message[1]);
}

}  // namespace

struct TlsUpstream::Timer {
  explicit Timer(asio::io_context& io) : timer(io) {}
  asio::steady_timer timer;
  bool is_armed = false;
  bool is_fast = false;
};

Result<std::unique_ptr<TlsUpstream>> TlsUpstream::make(asio::io_context& io,
                                                       const TlsServer& server,
                                                       const TlsLimits& limits) {
  auto context = TlsContext::make(server);
  if (!context) return std::move(context).error();
  return std::unique_ptr<TlsUpstream>(
      new TlsUpstream(io, server, limits, std::move(context).value()));
}

TlsUpstream::TlsUpstream(asio::io_context& io, const TlsServer& server, const TlsLimits& limits,
                         std::unique_ptr<TlsContext> context)
    : io_(io),
      server_(server),
      limits_(limits),
      context_(std::move(context)),
      timer_(std::make_unique<Timer>(io)) {}

TlsUpstream::~TlsUpstream() {
  *alive_ = false;
  for (auto& link : connections_)
    link->connection->close();
}

void TlsUpstream::ask(std::span<const uint8_t> message, Duration timeout, Done done) {
  POSTERN_ASSERT(message.size() >= 12 && message.size() <= 65535);
  ++counters_.queries;
  const auto now = Clock::now();
  if (queries_.size() >= limits_.queries_max) {
    ++counters_.refused;
    return fail_later(std::move(done), {ErrorCode::exhausted, "too many queries under way"});
  }
  if (connections_.empty() && now < retry_at_) {
    ++counters_.failures;
    return fail_later(std::move(done), {ErrorCode::unavailable, last_error_ + "; tried again in " +
                                                                    in_seconds(retry_at_ - now)});
  }
  Query query;
  query.message.assign(message.begin(), message.end());
  query.id = id_of(message);
  pad_query(query.message);
  query.timeout = timeout;
  query.deadline = now + chrono_of(timeout);
  query.done = std::move(done);
  queries_.emplace(next_number_, std::move(query));
  waiting_.push_back(next_number_++);
  dispatch();
  arm();
}

size_t TlsUpstream::unsent() const {
  size_t octets = 0;
  for (const auto& link : connections_)
    octets += link->connection->unsent();
  return octets;
}

void TlsUpstream::try_again() {
  failures_ = 0;
  retry_at_ = {};
}

// Gives waiting queries to connections with room, and opens one more where there is none.
void TlsUpstream::dispatch() {
  while (!waiting_.empty()) {
    if (!queries_.contains(waiting_.front())) {
      waiting_.pop_front();
      continue;
    }
    Link* best = nullptr;
    bool is_stalled = false;
    for (auto& link : connections_) {
      if (!link->connection->is_open() || link->in_flight.size() >= kPipelineMax) continue;
      if (!link->connection->has_room()) {
        is_stalled = true;
        continue;
      }
      if (best == nullptr || link->in_flight.size() < best->in_flight.size()) best = link.get();
    }
    if (is_stalled && !was_stalled_) ++counters_.stalled;
    was_stalled_ = is_stalled;
    if (best == nullptr) break;
    send(*best, waiting_.front());
    waiting_.pop_front();
  }
  if (waiting_.empty() || is_connecting() || Clock::now() < retry_at_) return;
  if (connections_.size() < limits_.connections_max) connect();
}

void TlsUpstream::send(Link& link, uint64_t number) {
  Query& query = queries_.at(number);
  while (link.in_flight.contains(link.next_id))
    ++link.next_id;
  put_id(query.message, link.next_id);
  link.in_flight.emplace(link.next_id++, number);
  query.sent = Clock::now();
  link.connection->send(query.message);
}

bool TlsUpstream::is_connecting() const {
  return std::ranges::any_of(connections_,
                             [](const auto& link) { return !link->connection->is_open(); });
}

void TlsUpstream::connect() {
  auto connection = TlsConnection::start(io_, *context_, server_, *this);
  if (!connection) {
    // Told later: we may be within ask().
    asio::post(io_, [this, alive = alive_, why = connection.error()] {
      if (!*alive) return;
      note_failure(why);
      if (connections_.empty()) fail_waiting(Error{why.code, last_error_});
    });
    return;
  }
  auto link = std::make_unique<Link>();
  link->connection = std::move(connection).value();
  connections_.push_back(std::move(link));
}

void TlsUpstream::note_failure(const Error& why) {
  ++counters_.broken;
  last_error_ = to_text(server_) + ": " + why.text;
  const auto longest = chrono_of(kRetryMax);
  const auto pause = chrono_of(kRetryFirst * (int64_t{1} << std::min(failures_++, 10u)));
  retry_at_ = Clock::now() + std::min(pause, longest);
}

void TlsUpstream::fail_waiting(const Error& why) {
  std::deque<uint64_t> waiting;
  waiting.swap(waiting_);
  for (const uint64_t number : waiting) {
    if (!queries_.contains(number)) continue;
    ++counters_.failures;
    finish(number, why);
  }
}

// Takes the query out before its owner is called, who may ask the next one at once.
void TlsUpstream::finish(uint64_t number, Result<std::vector<uint8_t>> outcome) {
  auto node = queries_.extract(number);
  if (!node.empty()) node.mapped().done(std::move(outcome));
}

void TlsUpstream::fail_later(Done done, Error error) {
  asio::post(io_, [alive = alive_, done = std::move(done), error = std::move(error)] {
    if (*alive) done(error);
  });
}

TlsUpstream::Link& TlsUpstream::link_of(const TlsConnection& connection) {
  const auto found = std::ranges::find_if(
      connections_, [&](const auto& link) { return link->connection.get() == &connection; });
  POSTERN_ASSERT(found != connections_.end());
  return **found;
}

void TlsUpstream::drop_link(const TlsConnection& connection) {
  std::erase_if(connections_,
                [&](const auto& link) { return link->connection.get() == &connection; });
}

void TlsUpstream::opened(TlsConnection& connection) {
  ++counters_.connections;
  if (connection.is_resumed()) ++counters_.resumed;
  last_error_.clear();
  Link& link = link_of(connection);
  link.was_open = true;
  link.busy_until = Clock::now();
  dispatch();
}

void TlsUpstream::received(TlsConnection& connection, std::span<const uint8_t> message) {
  Link& link = link_of(connection);
  failures_ = 0;
  const auto found = link.in_flight.find(id_of(message));
  if (found == link.in_flight.end()) {
    ++counters_.unmatched;
    return;
  }
  const uint64_t number = found->second;
  link.in_flight.erase(found);
  link.busy_until = Clock::now();
  ++counters_.answers;
  std::vector<uint8_t> answer(message.begin(), message.end());
  put_id(answer, queries_.at(number).id);
  finish(number, std::move(answer));
  dispatch();
}

void TlsUpstream::closed(TlsConnection& connection, const Error& why) {
  Link& link = link_of(connection);
  // One that never gave an answer is a failure; one that did, or was not asked, may have been idle
  // too long.
  const bool is_failure =
      connection.received_count() == 0 && (!link.was_open || !link.in_flight.empty());
  auto moved =
      std::ranges::find_if(connections_, [&](const auto& other) { return other.get() == &link; });
  const std::unique_ptr<Link> gone = std::move(*moved);
  connections_.erase(moved);
  if (is_failure) note_failure(why);
  const Error error{why.code, to_text(server_) + ": " + why.text};
  take_back(*gone, error);
  if (is_failure && connections_.empty()) fail_waiting(error);
  dispatch();
}

// The queries in flight on a connection that is gone wait again, each once.
void TlsUpstream::take_back(Link& link, const Error& why) {
  std::vector<uint64_t> numbers;
  for (const auto& [id, number] : link.in_flight)
    numbers.push_back(number);
  link.in_flight.clear();
  std::ranges::sort(numbers, std::greater<>());
  std::vector<uint64_t> failed;
  for (const uint64_t number : numbers) {
    const auto query = queries_.find(number);
    if (query == queries_.end()) continue;
    if (query->second.is_second) {
      failed.push_back(number);
      continue;
    }
    query->second.is_second = true;
    ++counters_.retried;
    waiting_.push_front(number);
  }
  for (const uint64_t number : failed) {
    ++counters_.failures;
    finish(number, why);
  }
}

// The timer runs while there is anything to watch.
void TlsUpstream::arm() {
  Timer& timer = *timer_;
  const bool is_fast = !queries_.empty();
  if (!is_fast && connections_.empty()) return;
  if (timer.is_armed && (timer.is_fast || !is_fast)) return;
  timer.is_armed = true;
  timer.is_fast = is_fast;
  timer.timer.expires_after(is_fast ? kTick : kIdleTick);
  timer.timer.async_wait([this, alive = alive_](boost::system::error_code error) {
    if (error || !*alive) return;
    timer_->is_armed = false;
    tick();
  });
}

void TlsUpstream::tick() {
  const auto now = Clock::now();
  expire_queries(now);
  expire_links(now);
  dispatch();
  arm();
}

void TlsUpstream::expire_queries(Clock::time_point now) {
  std::vector<uint64_t> late;
  for (const auto& [number, query] : queries_) {
    if (query.deadline <= now) late.push_back(number);
  }
  if (late.empty()) return;
  std::vector<std::unique_ptr<Link>> dead;
  for (auto& link : connections_) {
    if (forget_late(*link, now)) dead.push_back(std::move(link));
  }
  std::erase(connections_, nullptr);
  for (auto& link : dead) {
    link->connection->close();
    const Error why{ErrorCode::unavailable, "the server is silent"};
    if (link->connection->received_count() == 0) note_failure(why);
    take_back(*link, Error(why).within(to_text(server_)));
  }
  for (const uint64_t number : late) {
    const auto query = queries_.find(number);
    if (query == queries_.end()) continue;
    ++counters_.timeouts;
    finish(number, Error{ErrorCode::unavailable, to_text(server_) + ": no answer within " +
                                                     in_seconds(chrono_of(query->second.timeout))});
  }
}

// Gives up the IDs of queries whose time is over. True: the connection has been silent since one of
// them was sent, and carries nothing any more.
bool TlsUpstream::forget_late(Link& link, Clock::time_point now) {
  bool is_dead = false;
  std::erase_if(link.in_flight, [&](const auto& entry) {
    const Query& query = queries_.at(entry.second);
    if (query.deadline > now) return false;
    is_dead = is_dead || link.connection->last_received() < query.sent;
    return true;
  });
  return is_dead;
}

void TlsUpstream::expire_links(Clock::time_point now) {
  std::vector<std::shared_ptr<TlsConnection>> slow;
  std::vector<std::shared_ptr<TlsConnection>> idle;
  for (const auto& link : connections_) {
    const TlsConnection& connection = *link->connection;
    const bool is_open = connection.is_open();
    if (!is_open && connection.started() + chrono_of(limits_.connect_timeout) <= now) {
      slow.push_back(link->connection);
    }
    if (is_open && link->in_flight.empty() &&
        link->busy_until + chrono_of(limits_.idle_timeout) <= now) {
      idle.push_back(link->connection);
    }
  }
  for (const auto& connection : idle) {
    connection->close();
    drop_link(*connection);
  }
  for (const auto& connection : slow) {
    connection->close();
    closed(*connection, {ErrorCode::unavailable,
                         "no connection within " + in_seconds(chrono_of(limits_.connect_timeout))});
  }
}

}  // namespace postern::dns
