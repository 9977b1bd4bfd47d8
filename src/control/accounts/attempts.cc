// SPDX-License-Identifier: BSD-3-Clause
#include "control/accounts/attempts.h"

#include <algorithm>

#include "control/config/account_text.h"
#include "control/log/error_log.h"

namespace postern::accounts {
namespace {

constexpr size_t kNamesOfAddress = 8;    // for which wrong log-ins are told apart
constexpr size_t kBlockedLookedAt = 64;  // before one that is blocked is forgotten, too

std::string key_of(std::string_view name) {
  return printable(config::folded_name(name.substr(0, config::kAccountNameMax)));
}

// What wrong attempts by keys are told under: no account is called so.
constexpr std::string_view kUnknownKey = "(unknown key)";

std::string text_of(const std::optional<Ipv4Address>& address) {
  return address ? to_text(*address) : std::string();
}

}  // namespace

const char* to_word(Door door) {
  switch (door) {
    case Door::remote:
      return "remote";
    case Door::portal:
      return "portal";
    case Door::proxy:
      return "proxy";
    case Door::mail:
      return "mail";
  }
  return "remote";
}

void Attempts::configure(const config::Lockout& settings, std::vector<AddressRange> exempt) {
  settings_ = settings;
  exempt_ = std::move(exempt);
}

bool Attempts::is_exempt(const Who& who) const {
  return who.from && std::any_of(exempt_.begin(), exempt_.end(), [&](const AddressRange& range) {
           return range.contains(*who.from);
         });
}

// Wrong ones before the next one must wait. From one address several people log in.
uint32_t Attempts::free_of(const Entry& entry) const {
  if (!entry.is_address) return settings_.free_attempts;
  return settings_.address_attempts - (settings_.attempts - settings_.free_attempts);
}

std::list<Attempts::Entry>& Attempts::list_of(Table& table, const Entry& entry) {
  return entry.usual_place.empty() ? table.strangers : table.known;
}

Attempts::Entry* Attempts::find(Table& table, const std::string& key, Instant now) {
  auto found = table.index.find(key);
  if (found == table.index.end()) return nullptr;
  Entry& entry = *found->second;
  if (entry.blocked_until <= now && entry.last + settings_.forget < now) {
    entry.wrong = entry.pending = 0;
    entry.names.clear();
  }
  return &entry;
}

Attempts::Entry& Attempts::touch(Table& table, const std::string& key, Instant now) {
  if (Entry* entry = find(table, key, now)) {
    auto& list = list_of(table, *entry);
    list.splice(list.begin(), list, table.index.find(key)->second);
    return *entry;
  }
  if (table.index.size() == kEntriesMax) make_room(table, now);
  Entry& entry = table.strangers.emplace_front();
  entry.key = key;
  entry.is_address = &table == &addresses_;
  entry.last = now;
  table.index.emplace(entry.key, table.strangers.begin());
  return entry;
}

void Attempts::make_room(Table& table, Instant now) {
  auto& list = table.strangers.empty() ? table.known : table.strangers;
  auto victim = std::prev(list.end());
  for (size_t i = 0; i < kBlockedLookedAt && victim->blocked_until > now; ++i) {
    if (victim == list.begin()) break;
    --victim;
  }
  if (victim->blocked_until > now) victim = std::prev(list.end());
  table.index.erase(victim->key);
  list.erase(victim);
  ++counters_.forgotten;
}

Attempts::Answer Attempts::judge(const Entry& entry, Instant now) const {
  if (entry.blocked_until > now) return {false, true, entry.blocked_until - now};
  if (entry.not_before > now) return {false, false, entry.not_before - now};
  // What is being checked may turn out wrong: many at once are no way round the delay.
  uint32_t free = free_of(entry);
  uint32_t room = entry.wrong < free ? free - entry.wrong : 1;
  if (entry.pending >= room) return {false, false, settings_.delay};
  return {};
}

Attempts::Answer Attempts::admit(const Who& who, Instant now) {
  const bool exempt = is_exempt(who);
  const std::string key = key_of(who.name);
  Entry* address = who.from && !exempt ? &touch(addresses_, text_of(who.from), now) : nullptr;
  Answer answer = address != nullptr ? judge(*address, now) : Answer{};
  if (!answer.is_admitted)
    return refuse(answer, {find(names_of(who), key, now), address}, who, now);
  Entry& name = touch(names_of(who), key, now);
  const bool is_usual = who.from && name.usual_place == text_of(who.from);
  if (!exempt && !is_usual) answer = judge(name, now);
  if (!answer.is_admitted) return refuse(answer, {&name, address}, who, now);
  for (Entry* entry : {&name, address}) {
    if (entry == nullptr) continue;
    ++entry->pending;
    entry->last = now;
  }
  return answer;
}

// What came too soon counts as wrong.
Attempts::Answer Attempts::refuse(const Answer& answer, std::initializer_list<Entry*> entries,
                                  const Who& who, Instant now) {
  ++counters_.refused;
  if (answer.is_blocked) return answer;
  for (Entry* entry : entries) {
    if (entry != nullptr) count(*entry, who, now);
  }
  return answer;
}

void Attempts::end(const Who& who, Instant now, bool is_wrong) {
  Entry& name = touch(names_of(who), key_of(who.name), now);
  if (name.pending > 0) --name.pending;
  if (is_wrong) count(name, who, now);
  if (!who.from || is_exempt(who)) return;
  Entry& address = touch(addresses_, text_of(who.from), now);
  if (address.pending > 0) --address.pending;
  if (is_wrong) count(address, who, now);
}

void Attempts::note_wrong(const Who& who, Instant now) {
  ++counters_.wrong;
  end(who, now, true);
}

void Attempts::note_nothing(const Who& who, Instant now) {
  end(who, now, false);
}

Attempts::Answer Attempts::note_stranger(Ipv4Address from, Instant now) {
  ++counters_.wrong;
  const Who who{kUnknownKey, from};
  if (is_exempt(who)) return {};
  Entry& address = touch(addresses_, text_of(from), now);
  const Answer answer = judge(address, now);
  count(address, who, now);
  return answer;
}

void Attempts::note_right(const Who& who, Instant now) {
  end(who, now, false);
  const std::string key = key_of(who.name);
  Entry& name = touch(names_of(who), key, now);
  name.wrong = 0;
  name.not_before = name.blocked_until = Instant{};
  if (!who.from) return;
  if (name.usual_place.empty()) {
    Table& names = names_of(who);
    names.known.splice(names.known.begin(), names.strangers, names.index.find(key)->second);
  }
  name.usual_place = text_of(who.from);
  Entry* address = find(addresses_, name.usual_place, now);
  if (address == nullptr) return;
  auto own = std::find_if(address->names.begin(), address->names.end(),
                          [&](const auto& entry) { return entry.first == key; });
  if (own == address->names.end()) return;
  address->wrong -= std::min(address->wrong, own->second);
  address->names.erase(own);
  if (address->wrong < free_of(*address)) address->not_before = Instant{};
}

void Attempts::count(Entry& entry, const Who& who, Instant now) {
  if (entry.blocked_until > now) return;
  entry.last = now;
  ++entry.wrong;
  if (entry.is_address) {
    const std::string key = key_of(who.name);
    auto own = std::find_if(entry.names.begin(), entry.names.end(),
                            [&](const auto& name) { return name.first == key; });
    if (own != entry.names.end()) {
      ++own->second;
    } else if (entry.names.size() < kNamesOfAddress) {
      entry.names.emplace_back(key, 1);
    }
  }
  const uint32_t most = entry.is_address ? settings_.address_attempts : settings_.attempts;
  const uint32_t free = free_of(entry);
  if (entry.wrong >= most) return block(entry, who, now);
  if (entry.wrong < free) return;
  Duration wait = settings_.delay * (int64_t{1} << std::min(entry.wrong - free, 20u));
  entry.not_before = now + std::min(wait, settings_.block);
}

void Attempts::block(Entry& entry, const Who& who, Instant now) {
  entry.blocked_until = now + settings_.block;
  entry.not_before = Instant{};
  entry.told = {entry.is_address, who.door,    entry.key,          text_of(who.from),
                key_of(who.name), entry.wrong, entry.blocked_until};
  entry.wrong = 0;
  entry.names.clear();
  ++counters_.blocked;
  if (on_blocked_) on_blocked_(entry.told);
}

std::vector<Blocked> Attempts::blocked(Instant now) const {
  std::vector<Blocked> out;
  for (const Table* table : {&names_[0], &names_[1], &addresses_}) {
    for (const auto* list : {&table->strangers, &table->known}) {
      for (const Entry& entry : *list) {
        if (entry.blocked_until > now) out.push_back(entry.told);
      }
    }
  }
  return out;
}

bool Attempts::forget(std::string_view what) {
  bool was_known = false;
  for (Table* table : {&names_[0], &names_[1], &addresses_}) {
    auto found = table->index.find(what);
    if (found == table->index.end()) continue;
    auto entry = found->second;
    table->index.erase(found);
    list_of(*table, *entry).erase(entry);
    was_known = true;
  }
  return was_known;
}

}  // namespace postern::accounts
