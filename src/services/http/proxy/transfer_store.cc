// SPDX-License-Identifier: BSD-3-Clause
// What a Transfer does with the store when the head of a response is there.
#include <array>
#include <utility>

#include "services/http/message/writer.h"
#include "services/http/proxy/transfer.h"
#include "services/http/rules/freshening.h"
#include "services/http/rules/invalidation.h"
#include "services/http/rules/range.h"
#include "services/http/rules/vary.h"

namespace postern::http {
namespace {

int64_t length_of(const Framing& framing) {
  if (framing.body == Body::length) return static_cast<int64_t>(framing.length);
  return framing.body == Body::none ? 0 : -1;
}

uint64_t hash_of(const Validators& validators) {
  std::string_view text = validators.modified_text;
  if (validators.tag && !validators.tag->is_weak) text = validators.tag_text;
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char letter : text)
    hash = (hash ^ static_cast<uint8_t>(letter)) * 0x100000001b3;
  return hash;
}

// Lines of the fields as they are kept; with the time in which they came where they have no Date
// (RFC 9110 section 6.6.1).
std::string kept_lines(const Fields& fields, int64_t now_s) {
  std::string lines = encode_field_lines(fields);
  if (!fields.has("date")) HeadWriter(lines).date("Date", now_s);
  return lines;
}

Fields without(const Fields& fields, std::string_view name) {
  Fields left;
  for (const Field& field : fields) {
    if (!same_word(field.name, name)) static_cast<void>(left.add(field.name, field.value));
  }
  return left;
}

}  // namespace

void Transfer::begin_storing(const ResponseHead& head, const Framing& framing) {
  if (core_.store == nullptr || !order_.may_store) return;
  const StoreRefusal refusal = try_storing(head, framing);
  if (refusal != StoreRefusal::none) drop_validated(head.status, refusal);
}

StoreRefusal Transfer::try_storing(const ResponseHead& head, const Framing& framing) {
  const Request& request = *order_.request;
  const RequestView asked{request.head().method, request.key.text, &request.head().fields};
  const ResponseView got{head.status, &head.fields, length_of(framing)};
  const StoreRefusal refusal = storable(asked, got, order_.keep);
  if (refusal != StoreRefusal::none) return refusal;
  // A part that nobody asked for is a fault of the server; what it means is anybody's guess.
  if (head.status == 206 && request.facts.range.empty() && !order_.asks_part)
    return StoreRefusal::partial;
  Entry entry;
  entry.facts = facts_of(got, Moments{started_s_, core_.clock.wall_s}, order_.keep);
  if (!is_worth_keeping(entry.facts)) return StoreRefusal::lifetime;
  const std::optional<std::string> names = vary_names(head.fields);
  if (!names) return StoreRefusal::vary;
  const std::optional<std::string> key = vary_key(*names, request.head().fields);
  if (!key) return StoreRefusal::vary;
  entry.vary_names = *names;
  entry.origin = fetch_->origin();
  order_.variant = names->empty() ? std::string() : variant_of(*names, *key);
  if (!names->empty()) put_signpost(*names);
  begin_fill(entry, head.fields, framing);
  return StoreRefusal::none;
}

// The origin has something else now, which may not be kept: what was asked about is not sent any
// more unless the origin says once more that it is right (RFC 9111 section 4.3.3).
void Transfer::drop_validated(unsigned status, StoreRefusal refusal) {
  const bool is_about_request =
      refusal == StoreRefusal::request || refusal == StoreRefusal::authorization;
  if (order_.stored.empty() || status >= 500 || is_about_request) return;
  if (order_.request->facts.method != MethodKind::get) return;
  std::optional<Entry> entry = parse_entry(order_.stored);
  if (!entry) return;
  entry->facts.is_invalidated = true;
  core_.store->update_metadata(StoreKey{order_.request->key.text, order_.variant},
                               encode_entry(*entry));
}

void Transfer::put_signpost(const std::string& names) {
  Entry signpost;
  signpost.kind = Entry::Kind::signpost;
  signpost.vary_names = names;
  FillOptions options;
  options.length = 0;
  const StoreKey key{order_.request->key.text, {}};
  if (const auto writer = core_.store->begin(key, encode_entry(signpost), options))
    writer->commit();
}

void Transfer::begin_fill(Entry& entry, const Fields& fields, const Framing& framing) {
  const Validators validators = validators_of(fields, core_.clock.wall_s);
  FillOptions options;
  if (framing.body != Body::until_close && framing.body != Body::chunked)
    options.length = static_cast<uint64_t>(length_of(framing));
  if (validators.has_strong()) options.validator = hash_of(validators);
  Fields kept = kept_fields(fields);
  if (entry.facts.status == 206) {
    const std::optional<ContentRange> range =
        parse_content_range(fields.find("content-range").value_or(""));
    const bool is_known = range && range->total && validators.has_strong();
    if (!is_known || *range->total > order_.keep.object_octets_max) return;
    options.length = static_cast<uint64_t>(*range->total);
    options.offset = static_cast<uint64_t>(range->octets.first);
    options.expected_end = static_cast<uint64_t>(range->octets.last + 1);
    options.adds = true;
    // The parts are kept as parts of the whole (RFC 9111 section 3.4).
    entry.facts.status = 200;
    kept = without(kept, "content-range");
  }
  first_octet_ = options.offset;
  keeps_part_ = options.length.has_value() && validators.has_strong();
  const std::string lines = kept_lines(kept, core_.clock.wall_s);
  entry.field_lines = lines;
  // Of what is stored the store knows what is there; those who would read along know it by this.
  entry.facts.is_complete = !options.adds;
  writer_ = core_.store->begin(StoreKey{order_.request->key.text, order_.variant},
                               encode_entry(entry), options);
  if (!writer_) {
    ++core_.counters.store_failures;
    return;
  }
  core_.transfers->add_filling(order_.request->key.text, *this);
}

// Requests that change something make what is stored of their target wrong (RFC 9111 section 4.4).
void Transfer::invalidate(const ResponseHead& head) {
  const Request& request = *order_.request;
  if (core_.store == nullptr || request.facts.method != MethodKind::unsafe || !request.has_key)
    return;
  const RequestView asked{request.head().method, request.key.text, &request.head().fields};
  const ResponseView got{head.status, &head.fields};
  for (const std::string& uri : invalidated_by(asked, got)) {
    Url url;
    CacheKey key;
    if (!parse_url(uri, url) && make_key(url, key)) core_.store->remove(key.text);
  }
}

// A HEAD may show that what is stored for GET is no longer what a GET would get (section 4.3.5).
void Transfer::take_head_answer(const ResponseHead& head) {
  if (order_.stored.empty() || order_.request->facts.method != MethodKind::head) return;
  const std::optional<Entry> entry = parse_entry(order_.stored);
  std::optional<Fields> fields = entry ? parse_entry_fields(*entry) : std::nullopt;
  if (!fields) return;
  const std::string length = std::to_string(order_.stored_length.value_or(0));
  if (order_.stored_length && !fields->add("Content-Length", length)) return;
  const HeadOutcome outcome =
      read_head_answer(head.status, head.fields, entry->facts.status, *fields);
  if (outcome == HeadOutcome::invalidate) core_.store->remove(order_.request->key.text);
  if (outcome == HeadOutcome::update) {
    const Fields updated = updated_fields(*fields, head.fields).value_or(*fields);
    core_.store->update_metadata(StoreKey{order_.request->key.text, order_.variant},
                                 freshen(*entry, updated));
  }
}

// True: it is dealt with.
bool Transfer::take_not_modified(const ResponseHead& head) {
  const std::optional<Entry> entry = parse_entry(order_.stored);
  const std::optional<Fields> stored = entry ? parse_entry_fields(*entry) : std::nullopt;
  if (!stored) return false;
  const std::array<Validators, 1> validators = {validators_of(*stored, core_.clock.wall_s)};
  const NotModified answer =
      read_not_modified(head.fields, validators, order_.condition, order_.request->head().fields);
  if (answer.outcome == NotModified::Outcome::pass_on) return false;
  if (answer.outcome == NotModified::Outcome::ask_again) {
    ask_again();
    return true;
  }
  const std::string octets =
      freshen(*entry, updated_fields(*stored, head.fields).value_or(*stored));
  core_.store->update_metadata(StoreKey{order_.request->key.text, order_.variant}, octets);
  if (Leader* leader = std::exchange(leader_, nullptr)) leader->on_validated(octets);
  wake_waiters();
  return true;  // the Fetch ends by itself: a 304 has no body
}

// The metadata of what is stored, with those fields now.
std::string Transfer::freshen(const Entry& entry, const Fields& fields) {
  Entry fresh = entry;
  const ResponseView view{entry.facts.status, &fields};
  fresh.facts = facts_of(view, Moments{started_s_, core_.clock.wall_s}, order_.keep);
  fresh.facts.is_complete = true;
  fresh.origin = fetch_->origin();
  const std::string lines = kept_lines(kept_fields(fields), core_.clock.wall_s);
  fresh.field_lines = lines;
  return encode_entry(fresh);
}

// The server spoke of something that we do not have: the request goes without our condition.
void Transfer::ask_again() {
  order_.condition = Condition();
  Fetch::Question question = order_.question;
  question.head = order_.plain_head;
  fetch_->start(std::move(question));
}

}  // namespace postern::http
