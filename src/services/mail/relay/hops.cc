// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/relay/hops.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/assert.h"
#include "services/mail/relay/route.h"

namespace postern::mail {
namespace {

// Of all hosts of the hop.
bool lacks_secrets(const RelaySettings& settings, const std::string& key) {
  const std::vector<RelayHost>* hosts = find_hosts(settings, key);
  return hosts != nullptr && std::ranges::all_of(*hosts, &RelayHost::lacks_secret);
}

}  // namespace

Relay::State::State(boost::asio::io_context& with, Seams asked, uint16_t port)
    : context(with),
      seams(std::move(asked)),
      mx_port_(port),
      tokens_(with),
      disk_(with, {"mail-relay", 2, kConnectionsMax}),
      tools_{with,
             seams,
             tokens_,
             disk_,
             [this](const RelayHost& host) { return tls_for(host); },
             [this](const std::string& host, std::vector<Ipv4Address> found) {
               return choose_mail_addresses(settings, host, std::move(found));
             }} {}

Relay::State::~State() {
  for (auto& [key, hop] : hops) {
    for (const auto& link : hop.links)
      link->stop();
  }
}

// Connections that wait were made by the settings before: the next message gets a new one. Files of
// authorities are read again in any case.
void Relay::State::follow(const RelaySettings& wanted, const std::string& host) {
  contexts_.clear();
  const std::string& name = wanted.helo.empty() ? host : wanted.helo;
  if (wanted == settings && name == helo) return;
  if (wanted != settings) let_go();
  settings = wanted;
  helo = name;
  tokens_.forget();
  for (auto& [key, hop] : hops) {
    close_idle(hop, {});
    hop.paused_until = {};
    dispatch_soon(key);
  }
}

// Their names may stand for other hosts now. What is under way ends as it began.
void Relay::State::let_go() {
  const auto released = std::make_shared<std::deque<std::unique_ptr<RelayWork>>>();
  for (auto& [key, hop] : hops) {
    for (const auto& link : hop.links)
      outdated_.insert(link.get());
    for (std::unique_ptr<RelayWork>& work : std::exchange(hop.waiting, {}))
      released->push_back(std::move(work));
  }
  if (released->empty()) return;
  boost::asio::post(context, [weak = weak_from_this(), released] {
    const auto self = weak.lock();
    for (std::unique_ptr<RelayWork>& work : *released)
      if (self) self->reroute(std::move(work));
  });
}

void Relay::State::tick() {
  std::vector<std::shared_ptr<RelayLink>> links;
  for (auto& [key, hop] : hops) {
    close_idle(hop, settings.idle);
    links.insert(links.end(), hop.links.begin(), hop.links.end());
    if (!hop.waiting.empty()) dispatch_soon(key);
  }
  for (const auto& link : links)
    link->tick();
  std::erase_if(hops, [now = seams.now()](const auto& entry) {
    const Hop& hop = entry.second;
    return hop.waiting.empty() && hop.links.empty() && !hop.is_posted && hop.paused_until <= now;
  });
}

void Relay::State::add(const std::string& key, std::unique_ptr<RelayWork> work) {
  POSTERN_ASSERT(!work->job.places.empty());
  work->result.replies.reserve(work->job.places.size());
  work->result.was_tried = false;
  hops[key].waiting.push_back(std::move(work));
  dispatch_soon(key);
}

size_t Relay::State::connections() const {
  size_t count = 0;
  for (const auto& [key, hop] : hops)
    count += hop.links.size();
  return count;
}

// Not from within what somebody called.
void Relay::State::dispatch_soon(const std::string& key) {
  Hop& hop = hops[key];
  if (hop.is_posted) return;
  hop.is_posted = true;
  boost::asio::post(context, [weak = weak_from_this(), key] {
    const auto self = weak.lock();
    if (self) self->dispatch(key);
  });
}

void Relay::State::dispatch(const std::string& key) {
  Hop& hop = hops[key];
  hop.is_posted = false;
  give_to_idle(hop);
  if (hop.waiting.empty()) return;
  const bool has_way = find_hosts(settings, key) != nullptr || !domain_of(key).empty();
  if (!has_way) hop.why = {451, "4.3.5", "There is no way for this mail: neither a relay nor MX"};
  const bool is_locked_out = has_way && lacks_secrets(settings, key);
  if (is_locked_out) hop.why = {451, "4.3.5", "The password for the relay cannot be read"};
  const bool is_paused = hop.links.empty() && seams.now() < hop.paused_until;
  if (!has_way || is_locked_out || is_paused || hop.waiting.size() > kWaitingMax)
    return put_off_waiting(hop);
  open_links(key, hop);
}

void Relay::State::give_to_idle(Hop& hop) {
  const std::vector<std::shared_ptr<RelayLink>> links = hop.links;
  for (const auto& link : links) {
    if (!link->is_idle()) continue;
    const bool is_outdated = outdated_.erase(link.get()) != 0;
    if (is_outdated || link->messages() >= std::max<size_t>(settings.messages, 1)) {
      link->quit();
      std::erase(hop.links, link);
      continue;
    }
    if (hop.waiting.empty()) continue;
    std::unique_ptr<RelayWork> work = std::move(hop.waiting.front());
    hop.waiting.pop_front();
    const auto first = work->job.places.begin() + static_cast<ptrdiff_t>(work->next);
    work->batch = std::min(work->job.places.size() - work->next, kBatchMax);
    link->send(work->job, {first, first + static_cast<ptrdiff_t>(work->batch)});
    busy_[link.get()] = std::move(work);
  }
}

// As many as are missing; those that are being opened already count.
void Relay::State::open_links(const std::string& key, Hop& hop) {
  const auto opening = static_cast<size_t>(std::ranges::count_if(
      hop.links, [](const std::shared_ptr<RelayLink>& link) { return !link->is_open(); }));
  const size_t most = std::max<size_t>(settings.connections, 1);
  size_t missing = hop.waiting.size() - std::min(opening, hop.waiting.size());
  while (missing > 0 && hop.links.size() < most) {
    if (connections() >= kConnectionsMax && !make_room(key)) return;
    open_link(key, hop);
    --missing;
  }
}

// An idle connection of another hop makes room.
bool Relay::State::make_room(const std::string& key) {
  for (auto& [other, hop] : hops) {
    if (other == key) continue;
    const auto idle = std::ranges::find_if(
        hop.links, [](const std::shared_ptr<RelayLink>& link) { return link->is_idle(); });
    if (idle == hop.links.end()) continue;
    outdated_.erase(idle->get());
    (*idle)->quit();
    hop.links.erase(idle);
    return true;
  }
  return false;
}

void Relay::State::open_link(const std::string& key, Hop& hop) {
  RelayLink::Manner manner;
  manner.helo = helo;
  manner.connect_timeout = settings.connect_timeout;
  manner.command_timeout = settings.command_timeout;
  manner.end_timeout = settings.end_timeout;
  auto link = std::make_shared<RelayLink>(tools_, *this, key, std::move(manner));
  hop.links.push_back(link);
  if (const std::vector<RelayHost>* hosts = find_hosts(settings, key)) {
    std::vector<RelayHost> usable = *hosts;
    std::erase_if(usable, [](const RelayHost& host) { return host.lacks_secret; });
    return link->open(std::move(usable));
  }
  RelayHost like;
  like.port = mx_port_;
  like.tls = settings.mx_tls;
  link->open_domain(like);
}

void Relay::State::on_link_ready(RelayLink& link) {
  dispatch_soon(link.hop());
}

void Relay::State::on_link_message_over(RelayLink& link, const MessageOver& over) {
  auto node = busy_.extract(&link);
  POSTERN_ASSERT(!node.empty());
  std::unique_ptr<RelayWork> work = std::move(node.mapped());
  Hop& hop = hops[link.hop()];
  const bool is_outdated = outdated_.count(&link) != 0;
  // A server that has closed a connection which waited: that says nothing about the message.
  if (!over.was_heard && link.messages() > 1 && !std::exchange(work->was_retried, true)) {
    if (is_outdated) return reroute(std::move(work));
    hop.waiting.push_front(std::move(work));
    return dispatch_soon(link.hop());
  }
  RelayResult& result = work->result;
  result.replies.insert(result.replies.end(), over.replies.begin(), over.replies.end());
  result.remote = link.remote();
  result.was_tried = true;
  result.has_dsn = link.has_dsn();
  work->next += work->batch;
  if (work->next == work->job.places.size()) return finish(std::move(work));
  if (is_outdated) return reroute(std::move(work));
  hop.waiting.push_front(std::move(work));
  dispatch_soon(link.hop());
}

void Relay::State::on_link_ended(RelayLink& link, const Reply& why) {
  const auto self = shared_from_this();
  Hop& hop = hops[link.hop()];
  std::erase_if(hop.links, [&link](const auto& each) { return each.get() == &link; });
  const bool is_outdated = outdated_.erase(&link) != 0;
  // It was given a message in the moment in which it ended.
  if (auto node = busy_.extract(&link); !node.empty()) {
    std::unique_ptr<RelayWork> work = std::move(node.mapped());
    if (is_outdated) {
      reroute(std::move(work));
    } else if (std::exchange(work->was_retried, true)) {
      put_off(std::move(work), why);
    } else {
      hop.waiting.push_front(std::move(work));
    }
  }
  // No host could be used; one that opens a session and ends it at once cannot be used either.
  if (!is_outdated && link.messages() == 0 && hop.links.empty()) {
    hop.why = why;
    hop.paused_until = seams.now() + kPause;
    return put_off_waiting(hop);
  }
  // Room for others, too, which may have waited for it.
  for (const auto& [other, each] : hops) {
    if (!each.waiting.empty()) dispatch_soon(other);
  }
}

void Relay::State::put_off_waiting(Hop& hop) {
  const auto self = shared_from_this();
  const Reply why = hop.why;
  std::deque<std::unique_ptr<RelayWork>> waiting;
  waiting.swap(hop.waiting);
  for (std::unique_ptr<RelayWork>& work : waiting)
    put_off(std::move(work), why);
}

// `why` for all of its places that have no answer yet.
void Relay::State::put_off(std::unique_ptr<RelayWork> work, const Reply& why) {
  for (size_t i = work->next; i < work->job.places.size(); ++i)
    work->result.replies.emplace_back(work->job.places[i], why);
  finish(std::move(work));
}

// To the hosts that it is for now.
void Relay::State::reroute(std::unique_ptr<RelayWork> work) {
  if (work->result.replies.empty()) return finish(std::move(work));
  put_off(std::move(work), {451, "4.3.2", "The next hop is another one now"});
}

void Relay::State::finish(std::unique_ptr<RelayWork> work) {
  if (work->then) work->then(work->result);
}

void Relay::State::close_idle(Hop& hop, Duration for_so_long) {
  std::erase_if(hop.links, [this, now = seams.now(), for_so_long](const auto& link) {
    if (!link->is_idle() || link->idle_since() + for_so_long > now) return false;
    outdated_.erase(link.get());
    link->quit();
    return true;
  });
}

// Those of one kind share one: it is only made when the first connection needs it.
Result<std::shared_ptr<ClientTls>> Relay::State::tls_for(const RelayHost& host) {
  const TlsUse& use = host.tls;
  std::string key = use.name + '\n' + use.ca_file;
  for (const std::string& pin : use.pins)
    key += '\n' + pin;
  // Where nobody is verified the host makes no difference.
  key += use.mode == TlsMode::opportunistic ? "\n?" : '\n' + host.host;
  if (const auto kept = contexts_.find(key); kept != contexts_.end()) return kept->second;
  auto made = ClientTls::make(use, host.host);
  if (!made) return std::move(made).error();
  if (contexts_.size() >= kConnectionsMax) contexts_.clear();
  contexts_[key] = *made;
  return made;
}

}  // namespace postern::mail
