// SPDX-License-Identifier: BSD-3-Clause
// What the store has for the request, and what follows from it (RFC 9111 section 4).
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "services/http/proxy/exchange.h"
#include "services/http/rules/range.h"
#include "services/http/rules/vary.h"

namespace postern::http {
namespace {

// Where the first range begins, of a Range that counts from the front; else 0.
uint64_t first_octet(std::string_view range) {
  const RangePlan plan = plan_ranges(range, std::numeric_limits<int64_t>::max() / 2);
  const bool is_suffix = range.find("=-") != std::string_view::npos;
  if (plan.kind != RangePlan::Kind::some || is_suffix) return 0;
  return static_cast<uint64_t>(plan.ranges.front().first);
}

}  // namespace

// What the office set for the URL.
void Exchange::take_rules() {
  const ProxySettings& settings = core_.settings;
  const KeepRule* rule = nullptr;
  if (settings.keep_rules && request_->has_key) {
    UrlQuestion question;
    // In its normal form: no other spelling is a way around.
    question.url = request_->key.text;
    question.host = request_->url.authority.host;
    question.path = question.url.substr(request_->key.path_start);
    rule = settings.keep_rules->find(question);
  }
  const bool is_never_kept = rule != nullptr && rule->is_never_kept;
  if (is_never_kept || asks_upgrade()) may_use_store_ = false;
  keep_ = store_rules(settings.keep, rule);
  keep_.object_octets_max = std::min(keep_.object_octets_max, core_.object_octets_max);
  serve_ = serve_rules(settings.serve, rule);
}

void Exchange::look_up() {
  take_rules();
  object_.reset();
  entry_octets_.clear();
  variant_.clear();
  looks_for_fill_ = false;
  const bool is_read =
      request_->facts.method == MethodKind::get || request_->facts.method == MethodKind::head;
  if (core_.store == nullptr || !request_->has_key || !may_use_store_ || !is_read ||
      request_->has_body()) {
    result_ = CacheResult::bypass;
    decision_ = decide(request_->facts, Found{}, core_.clock.wall_s, serve_);
    if (decision_.course == Course::gateway_timeout) return show(Problem::not_stored);
    decision_.why = is_read ? Forwarded::bypass : Forwarded::method;
    return fetch();
  }
  if (find({})) examine();
}

// False: the answer comes later.
bool Exchange::find(std::string_view variant) {
  has_found_ = false;
  is_finding_ = true;
  core_.store->find(StoreKey{request_->key.text, variant},
                    [this, life = life_, alive = std::weak_ptr<bool>(core_.alive)](
                        std::unique_ptr<StoredObject> object) {
                      if (alive.expired() || life != life_) return;
                      on_found(std::move(object));
                    });
  is_finding_ = false;
  if (!has_found_) keep();
  return has_found_;
}

void Exchange::on_found(std::unique_ptr<StoredObject> object) {
  object_ = std::move(object);
  has_found_ = true;
  if (!is_finding_) examine();
}

bool Exchange::read_entry() {
  const std::optional<Entry> entry =
      parse_entry(entry_octets_.empty() ? object_->metadata() : std::string_view(entry_octets_));
  if (entry) entry_ = *entry;
  return entry.has_value();
}

void Exchange::examine() {
  if (object_ && !read_entry()) object_.reset();
  if (object_ && entry_.kind == Entry::Kind::signpost) {
    const std::optional<std::string> key =
        variant_.empty() ? vary_key(entry_.vary_names, request_->head().fields) : std::nullopt;
    if (!key) return miss();
    variant_ = variant_of(entry_.vary_names, *key);
    object_.reset();
    if (find(variant_)) examine();
    return;
  }
  if (!object_ && !looks_for_fill_) {
    looks_for_fill_ = true;
    object_ = core_.store->find_fill(StoreKey{request_->key.text, variant_},
                                     first_octet(request_->facts.range));
    if (object_ && !read_entry()) object_.reset();
  }
  if (!object_) return miss();
  take_course();
}

// What decide() is to know of what was found.
Found Exchange::describe_found(StoredFacts& facts, OctetSet& held) const {
  facts = entry_.facts;
  facts.is_complete = object_->is_filling() || object_->is_complete();
  Found found;
  found.stored = &facts;
  found.length = object_->length() ? static_cast<int64_t>(*object_->length()) : -1;
  if (facts.is_complete) return found;
  for (const OctetRange& piece : object_->present()) {
    if (!held.add({static_cast<int64_t>(piece.begin), static_cast<int64_t>(piece.end) - 1})) break;
  }
  found.held = &held;
  return found;
}

void Exchange::take_course() {
  if (object_->is_filling() && !may_join()) return miss();
  StoredFacts facts;
  OctetSet held;
  const Found found = describe_found(facts, held);
  decision_ = decide(request_->facts, found, core_.clock.wall_s, serve_);
  const bool is_served =
      decision_.course == Course::serve || decision_.course == Course::serve_and_refresh;
  if (is_served || decision_.course == Course::fetch_missing) {
    const Problem problem = judge_origin(entry_.origin);
    if (problem == Problem::not_stored) return ask_origin();
    if (problem != Problem::none) return refuse_stored(problem);
  }
  // Only what is fresh is shared while it is on its way (RFC 9111 section 4).
  if (object_->is_filling() && decision_.course != Course::serve) return miss();
  switch (decision_.course) {
    case Course::serve_and_refresh:
      refresh_behind();
      [[fallthrough]];
    case Course::serve:
      result_ = object_->is_filling() ? CacheResult::collapsed : CacheResult::hit;
      if (decision_.ttl_s < 0) result_ = CacheResult::stale;
      if (object_->is_filling()) join();
      return serve_stored();
    case Course::validate:
      return validate();
    case Course::gateway_timeout:
      return show(Problem::not_stored);
    case Course::fetch_missing:
      return fetch_missing(missing_octets(request_->facts, found));
    case Course::forward:
      // What is stored may stand in for an origin that fails.
      return object_->is_complete() ? forward() : miss();
  }
}

// Whether the response that is on its way to another can be ours, too: a whole one of the start, a
// part only for who waited for the same.
bool Exchange::may_join() const {
  return has_waited_ || (entry_.facts.is_complete && request_->facts.range.empty());
}

// We read what another's transfer brings.
void Exchange::join() {
  keep();
  core_.transfers->note_reader(request_->key.text);
}

void Exchange::miss() {
  object_.reset();
  Found found;
  found.has_variants = !variant_.empty();
  decision_ = decide(request_->facts, found, core_.clock.wall_s, serve_);
  if (decision_.course == Course::gateway_timeout) return show(Problem::not_stored);
  forward();
}

void Exchange::forward() {
  if (has_hidden_input(*request_)) return pass_by();
  result_ = CacheResult::miss;
  const std::string pending = pending_key();
  if (wait_for_other(pending)) return;
  begin_transfer(order(pending));
}

void Exchange::validate() {
  if (has_hidden_input(*request_)) return pass_by();
  result_ = CacheResult::miss;
  const std::string pending = pending_key();
  if (wait_for_other(pending)) return;
  keep();
  TransferOrder order = this->order(pending);
  const std::optional<Fields> fields = parse_entry_fields(entry_);
  if (fields && object_->is_complete()) {
    const Validators validators = validators_of(*fields, core_.clock.wall_s);
    order.condition =
        condition_for(std::span<const Validators>(&validators, 1), request_->head().fields);
  }
  if (!order.condition.empty()) {
    order.variant = variant_;
    order.stored = object_->metadata();
    order.stored_length = object_->length();
    order.plain_head = std::move(order.question.head);
    order.question.head.clear();
    RequestChanges changes;
    changes.condition = &order.condition;
    changes.asks_whole = true;
    write_request(order.question.head, core_.settings, *request_, changes);
  }
  begin_transfer(std::move(order));
}

// Stale, but good enough for now: the next client gets a newer one (RFC 5861 section 3).
void Exchange::refresh_behind() {
  if (has_hidden_input(*request_)) return;
  keep();
  const std::string pending = pending_key();
  const std::optional<Fields> fields = parse_entry_fields(entry_);
  if (pending.empty() || !fields || core_.transfers->find_pending(pending) != nullptr) return;
  TransferOrder order = this->order(pending);
  const Validators validators = validators_of(*fields, core_.clock.wall_s);
  order.condition = condition_for(std::span<const Validators>(&validators, 1), Fields());
  order.variant = variant_;
  order.stored = object_->metadata();
  order.plain_head = std::move(order.question.head);
  order.question.head.clear();
  RequestChanges changes;
  changes.condition = &order.condition;
  changes.asks_whole = true;
  write_request(order.question.head, core_.settings, *request_, changes);
  order.is_for_store = true;
  core_.transfers->add(std::move(order), nullptr).start();
}

// A part is stored: what is missing comes into the store, and we read it there (RFC 9111 section
// 3.4). Several gaps are not worth it: the request goes as it is.
void Exchange::fetch_missing(const std::vector<Octets>& missing) {
  if (has_hidden_input(*request_)) return pass_by();
  const std::optional<Fields> fields = parse_entry_fields(entry_);
  if (missing.size() != 1 || has_tried_parts_ || !fields) return miss();
  gap_begin_ = static_cast<uint64_t>(missing.front().first);
  if (has_waited_ && switch_source(gap_begin_)) return serve_parts();
  const Validators validators = validators_of(*fields, core_.clock.wall_s);
  if (!validators.has_strong()) return miss();
  has_tried_parts_ = true;
  keep();
  const std::string pending =
      fmt::format("{}\n{}-{}", request_->key.text, missing.front().first, missing.front().last);
  if (wait_for_other(pending)) return;
  TransferOrder order = this->order(pending);
  RequestChanges changes;
  changes.ranges = missing;
  const bool has_strong_tag = validators.tag && !validators.tag->is_weak;
  changes.if_range = has_strong_tag ? validators.tag_text : validators.modified_text;
  order.question.head.clear();
  write_request(order.question.head, core_.settings, *request_, changes);
  order.asks_part = true;
  Transfer& transfer = core_.transfers->add(std::move(order), nullptr);
  stage_ = Stage::waiting;
  awaited_ = &transfer;
  if (!transfer.add_waiter(*this)) return;
  transfer.start();
}

void Exchange::serve_parts() {
  has_parts_ = true;
  result_ = has_tried_parts_ ? CacheResult::miss : CacheResult::collapsed;
  join();
  serve_stored();
}

// Under which requests wait for each other; empty: this one neither waits nor is waited for.
std::string Exchange::pending_key() const {
  const RequestFacts& facts = request_->facts;
  if (facts.method != MethodKind::get || facts.control.no_store || facts.has_authorization ||
      !request_->has_key || !request_->key.is_exact || !may_use_store_) {
    return {};
  }
  std::string key = request_->key.text;
  if (!facts.range.empty()) key.append("\n").append(facts.range);
  return key;
}

// True: somebody else asks for the same; this exchange looks into the store again when the head of
// that answer is there.
bool Exchange::wait_for_other(const std::string& pending) {
  if (has_waited_ || pending.empty() || request_->facts.control.no_cache) return false;
  if (core_.transfers->is_loner(pending)) return false;
  Transfer* other = core_.transfers->find_pending(pending);
  if (other == nullptr || !other->add_waiter(*this)) return false;
  keep();
  awaited_ = other;
  stage_ = Stage::waiting;
  return true;
}

void Exchange::on_transfer_known() {
  awaited_ = nullptr;
  has_waited_ = true;
  stage_ = Stage::asking;
  if (has_tried_parts_ && object_) {
    if (switch_source(gap_begin_)) return serve_parts();
  }
  look_up();
}

TransferOrder Exchange::order(const std::string& pending) {
  keep();
  TransferOrder order;
  order.request = kept_;
  order.keep = keep_;
  order.may_store =
      may_use_store_ && request_->has_key && request_->key.is_exact && !has_hidden_input(*request_);
  if (core_.transfers->find_pending(pending) == nullptr) order.pending_key = pending;
  Fetch::Question& question = order.question;
  question.destination = destination();
  question.client = connection_->peer();
  question.method = request_->head().method;
  question.scheme = request_->url.scheme;
  question.user = request_->url.user;
  question.has_body = !upload_.is_done();
  const MethodKind kind = request_->facts.method;
  question.asks_upgrade = asks_upgrade();
  question.is_for_one = binds_connection(request_->head().fields);
  question.may_retry = !question.has_body && kind != MethodKind::unsafe && !question.asks_upgrade;
  RequestChanges changes;
  if (question.asks_upgrade) changes.upgrade = request_->upgrade;
  write_request(question.head, core_.settings, *request_, changes);
  return order;
}

}  // namespace postern::http
