// SPDX-License-Identifier: BSD-3-Clause
#include "control/resolver.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/limits.h"
#include "dataplane/packet/reply.h"

namespace postern {
namespace {

constexpr unsigned kRequestsMax = 3;               // asks and probes before giving up
constexpr Duration kRequestInterval = seconds(1);  // RFC 1122 2.3.2.1: at most one a second
constexpr Duration kSilence = seconds(20);
constexpr Duration kConfirmInterval = seconds(60);
constexpr unsigned kAnnouncements = 2;              // RFC 5227 section 1.1: ANNOUNCE_NUM
constexpr Duration kAnnounceInterval = seconds(2);  // ANNOUNCE_INTERVAL
constexpr Duration kDefendInterval = seconds(10);   // DEFEND_INTERVAL
constexpr unsigned kFramesPerTick = 64;             // announcements; the inject ring holds 256
constexpr unsigned kConflictsMax = 1024;
constexpr Duration kFullRemarkInterval = seconds(60);
// Whoever is on a wire can seem to move as often as he likes; the log keeps to so many of it.
constexpr unsigned kMovesTold = 10;
constexpr Duration kMovesInterval = seconds(10);
// Neighbors that nobody asked for leave this much room for those that packets wait for.
constexpr unsigned kLearnedMax = kNeighborsMax / 4 * 3;

std::vector<Ipv4Address> own_addresses(const Resolver::Link& link) {
  std::vector<Ipv4Address> all = link.other_addresses;
  for (const Prefix& prefix : link.addresses)
    all.push_back(prefix.address);
  return all;
}

bool is_on_link(const Resolver::Link& link, Ipv4Address address) {
  return std::any_of(link.addresses.begin(), link.addresses.end(),
                     [&](const Prefix& p) { return p.contains(address); });
}

// Whether `address` can be a neighbor's at all.
bool is_host(const Resolver::Link& link, Ipv4Address address) {
  if (address.is_unspecified() || address.is_multicast() || address.is_limited_broadcast()) {
    return false;
  }
  return std::none_of(link.addresses.begin(), link.addresses.end(),
                      [&](const Prefix& p) { return p.is_directed_broadcast(address); });
}

}  // namespace

const char* to_word(Resolver::State state) {
  switch (state) {
    case Resolver::State::asking:
      return "asking";
    case Resolver::State::known:
      return "known";
    case Resolver::State::probing:
      return "probing";
    case Resolver::State::silent:
      return "silent";
    case Resolver::State::fixed:
      return "static";
  }
  return "?";
}

void Resolver::configure(std::vector<Link> links, Instant now) {
  links_ = std::move(links);
  std::set<Key> announced = std::exchange(own_, {});
  for (const Link& link : links_) {
    for (Ipv4Address address : own_addresses(link))
      own_.insert({link.id, address});
  }
  std::vector<Key> gone;
  for (const auto& [key, entry] : entries_) {
    const Link* link = find_link(key.first);
    bool stays = link != nullptr && is_on_link(*link, key.second) && is_host(*link, key.second) &&
                 !own_.contains(key) && entry.state != State::fixed;
    if (!stays) gone.push_back(key);
  }
  for (const Key& key : gone)
    forget(key);
  for (const Link& link : links_)
    set_fixed(link, now);
  std::erase_if(announcements_, [&](const Announcement& a) { return !own_.contains(a.key); });
  for (const Key& key : own_) {
    if (!announced.contains(key)) announcements_.push_back({key, kAnnouncements, now});
  }
}

void Resolver::announce(InterfaceId interface, Instant now) {
  std::erase_if(announcements_, [&](const Announcement& a) { return a.key.first == interface; });
  for (const Key& key : own_) {
    if (key.first == interface) announcements_.push_back({key, kAnnouncements, now});
  }
}

void Resolver::handle(const ControlEvent& event, Instant now) {
  Key key{event.interface, event.address};
  const Link* link = find_link(event.interface);
  if (link == nullptr) return;
  if (event.kind == EventKind::address_conflict) {
    handle_conflict(key, event.mac, now);
    return;
  }
  if (!is_host(*link, event.address) || own_.contains(key)) return;
  if (event.kind == EventKind::resolve_neighbor) want(key, now);
  if (event.kind == EventKind::neighbor_seen && !event.mac.is_multicast() && !event.mac.is_zero()) {
    learn(key, event.mac, now);
  }
}

void Resolver::tick(Instant now) {
  send_announcements(now);
  while (!due_.empty() && due_.begin()->first <= now) {
    Key key = due_.begin()->second;
    step(key, entries_.at(key), now);
  }
}

std::vector<Resolver::Row> Resolver::rows(Instant now) const {
  std::vector<Row> rows;
  for (const auto& [key, entry] : entries_) {
    rows.push_back({key.first, key.second, entry.mac, entry.state, now - entry.confirmed});
  }
  return rows;
}

const Resolver::Link* Resolver::find_link(InterfaceId id) const {
  auto found =
      std::find_if(links_.begin(), links_.end(), [&](const Link& l) { return l.id == id; });
  return found == links_.end() ? nullptr : &*found;
}

// Packets wait for this neighbor.
void Resolver::want(const Key& key, Instant now) {
  if (entries_.contains(key)) return;  // it is being asked for, known, or silent for now
  const Link* link = find_link(key.first);
  if (asking_ >= kAskingMax || link->addresses.empty()) return;
  if (entries_.size() >= kNeighborsMax && !silent_.empty()) forget(silent_.begin()->second);
  if (entries_.size() >= kNeighborsMax) return;
  Entry& entry = entries_[key];
  ++asking_;
  due_.insert({entry.due = now, key});
  step(key, entry, now);
}

// A neighbor told its address, by an answer or by asking for one of ours (RFC 826, "merge").
void Resolver::learn(const Key& key, const MacAddress& mac, Instant now) {
  auto found = entries_.find(key);
  if (found != entries_.end()) {
    if (found->second.state != State::fixed) settle(key, found->second, mac, now);
    return;
  }
  const Link* link = find_link(key.first);
  if (!is_on_link(*link, key.second)) return;
  if (entries_.size() >= kLearnedMax && !silent_.empty()) forget(silent_.begin()->second);
  if (entries_.size() >= kLearnedMax) {
    if (last_full_remark_.ns >= 0 && now - last_full_remark_ < kFullRemarkInterval) return;
    last_full_remark_ = now;
    sink_.remark("the neighbor table is full; further neighbors cannot be reached");
    return;
  }
  Entry& entry = entries_[key];
  ++asking_;
  due_.insert({entry.due = now, key});
  settle(key, entry, mac, now);
}

// The entry is known by `mac` from now on.
void Resolver::settle(const Key& key, Entry& entry, const MacAddress& mac, Instant now) {
  bool was_known = entry.state == State::known || entry.state == State::probing;
  if (was_known && entry.mac != mac) tell_move(key, entry.mac, mac, now);
  bool is_news = !was_known || entry.mac != mac;
  if (is_news && !sink_.set(key.first, key.second, mac)) {
    forget(key);
    return;
  }
  entry.mac = mac;
  entry.sent = 0;
  entry.confirmed = now;
  move(key, entry, State::known, now + kConfirmInterval);
}

void Resolver::tell_move(const Key& key, const MacAddress& from, const MacAddress& to,
                         Instant now) {
  if (moves_told_ == 0 || now - moves_since_ >= kMovesInterval) {
    moves_since_ = now;
    moves_told_ = 0;
  }
  if (moves_told_ == kMovesTold) return;
  ++moves_told_;
  const char* last = moves_told_ == kMovesTold ? "; more in the next seconds are not told" : "";
  sink_.remark(find_link(key.first)->name + ": " + to_text(key.second) + " moved from " +
               to_text(from) + " to " + to_text(to) + last);
}

// The time of the entry's next step has come.
void Resolver::step(const Key& key, Entry& entry, Instant now) {
  switch (entry.state) {
    case State::known:
      entry.sent = 0;
      [[fallthrough]];
    case State::probing:
      if (entry.sent == kRequestsMax) return forget(key);
      ++entry.sent;
      send_request(key, entry.mac);
      return move(key, entry, State::probing, now + kRequestInterval);
    case State::asking:
      if (entry.sent == kRequestsMax) {
        if (silent_.size() >= kSilentMax) forget(silent_.begin()->second);
        return move(key, entry, State::silent, now + kSilence);
      }
      ++entry.sent;
      send_request(key, kBroadcastMac);
      return move(key, entry, State::asking, now + kRequestInterval);
    case State::silent:
      return forget(key);
    case State::fixed:
      return;
  }
}

void Resolver::send_request(const Key& key, const MacAddress& to) {
  const Link* link = find_link(key.first);
  if (link->addresses.empty()) return;
  Ipv4Address from = link->addresses.front().address;
  for (const Prefix& prefix : link->addresses) {
    if (prefix.contains(key.second)) from = prefix.address;
  }
  std::array<uint8_t, kArpFrameBytes> frame;
  write_arp_request(frame.data(), link->mac, from, key.second, to);
  sink_.send(key.first, frame);
}

// Changes state and time, with the lists that depend on them.
void Resolver::move(const Key& key, Entry& entry, State state, Instant due) {
  due_.erase({entry.due, key});
  silent_.erase({entry.due, key});
  if (entry.state == State::asking) --asking_;
  entry.state = state;
  entry.due = due;
  due_.insert({due, key});
  if (state == State::silent) silent_.insert({due, key});
  if (state == State::asking) ++asking_;
}

// By value: the key may stand in a list that this changes.
void Resolver::forget(Key key) {
  Entry& entry = entries_.at(key);
  due_.erase({entry.due, key});
  silent_.erase({entry.due, key});
  if (entry.state == State::asking) --asking_;
  bool was_set = entry.state != State::asking && entry.state != State::silent;
  entries_.erase(key);
  if (was_set) sink_.erase(key.first, key.second);
}

void Resolver::set_fixed(const Link& link, Instant now) {
  for (const StaticNeighbor& neighbor : link.neighbors) {
    Key key{link.id, neighbor.address};
    if (entries_.contains(key)) forget(key);
    if (!sink_.set(link.id, neighbor.address, neighbor.mac)) {
      sink_.remark(link.name + ": no room for the static neighbor " + to_text(neighbor.address));
      continue;
    }
    Entry& entry = entries_[key];
    entry.state = State::fixed;
    entry.mac = neighbor.mac;
    entry.confirmed = now;
  }
}

// RFC 5227 section 2.4 (b): we keep the address, and defend it at most every ten seconds.
void Resolver::handle_conflict(const Key& key, const MacAddress& mac, Instant now) {
  if (!own_.contains(key)) return;
  auto found = conflicts_.find(key);
  if (found != conflicts_.end() && now - found->second < kDefendInterval) return;
  if (conflicts_.size() >= kConflictsMax) conflicts_.clear();
  conflicts_[key] = now;
  sink_.remark(find_link(key.first)->name + ": address conflict: " + to_text(mac) +
               " uses our address " + to_text(key.second));
  announcements_.push_back({key, 1, now});
}

// RFC 5227 section 2.3: an announcement is a request for the sender's own address.
void Resolver::send_announcements(Instant now) {
  unsigned frames = 0;
  for (Announcement& a : announcements_) {
    if (a.due > now || frames == kFramesPerTick) continue;
    const Link* link = find_link(a.key.first);
    std::array<uint8_t, kArpFrameBytes> frame;
    write_arp_request(frame.data(), link->mac, a.key.second, a.key.second, kBroadcastMac);
    sink_.send(a.key.first, frame);
    ++frames;
    --a.left;
    a.due = now + kAnnounceInterval;
  }
  std::erase_if(announcements_, [](const Announcement& a) { return a.left == 0; });
}

}  // namespace postern
