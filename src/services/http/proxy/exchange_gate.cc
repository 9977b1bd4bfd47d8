// SPDX-License-Identifier: BSD-3-Clause
// The one gate for all ways out of the store (F58): a client that could not reach the origin by
// itself does not get there by what others had from it, fresh, stale, in parts, or still on its
// way.
#include "services/http/proxy/exchange.h"

namespace postern::http {

// `not_stored`: where it came from is not known; who may have it is seen by asking anew.
Problem Exchange::judge_origin(Ipv4Address origin) const {
  if (leaves_judging_to_parent(core_)) return Problem::none;
  if (origin.is_unspecified()) return core_.seams.judge ? Problem::not_stored : Problem::none;
  const Ipv4Address meant =
      connection_->is_transparent() ? connection_->original().address : Ipv4Address();
  return judge_destination(core_, connection_->peer(), {origin, request_->url.port()}, meant);
}

// Of something beside object_: a part of the same, that came at another time.
bool Exchange::is_open_to(const StoredObject& object) const {
  const std::optional<Entry> entry = parse_entry(object.metadata());
  return entry && judge_origin(entry->origin) == Problem::none;
}

// Good as it is, but for whom, the way to the origin has to show.
void Exchange::ask_origin() {
  if (core_.settings.serve.is_offline || request_->facts.control.only_if_cached)
    return show(Problem::not_stored);
  if (!object_->is_complete() || !entry_.facts.has_validator) return miss();
  decision_.course = Course::validate;
  decision_.why = Forwarded::bypass;
  validate();
}

// What comes is for this client alone, and changes nothing that is kept.
void Exchange::pass_by() {
  result_ = CacheResult::bypass;
  decision_.why = Forwarded::bypass;
  may_use_store_ = false;
  fetch();
}

void Exchange::refuse_stored(Problem problem) {
  object_.reset();
  gap_.reset();
  is_in_gap_ = has_parts_ = false;
  result_ = CacheResult::none;
  if (problem != Problem::not_stored) return show(problem, to_text(entry_.origin));
  may_use_store_ = false;
  fetch();
}

}  // namespace postern::http
