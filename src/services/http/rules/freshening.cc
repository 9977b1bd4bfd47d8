// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/freshening.h"

#include <algorithm>

#include "services/http/message/hop.h"
#include "services/http/rules/cache_control.h"
#include "services/http/rules/range.h"

namespace postern::http {
namespace {

bool has_strong_tag(const Validators& validators) {
  return validators.tag && !validators.tag->is_weak;
}

// RFC9111-4.3.4: by the strong tag of the update where it has one, else by what it has. Whether a
// Last-Modified is strong is told by the response that is stored (RFC 9110 section 8.8.2.2).
bool is_same(const Validators& update, const Validators& stored) {
  if (update.tag && stored.tag) {
    return has_strong_tag(update) ? match_strongly(*update.tag, *stored.tag)
                                  : match_weakly(*update.tag, *stored.tag);
  }
  if (!update.modified_s || update.modified_s != stored.modified_s) return false;
  return stored.modified_is_strong || !has_strong_tag(update);
}

bool is_tag_of_client(const Validators& update, const Fields& request) {
  if (!update.tag) return false;
  ListWalk walk(request, "If-None-Match");
  while (const std::optional<std::string_view> member = walk.next()) {
    const std::optional<EntityTag> tag = parse_entity_tag(*member);
    if (tag && match_weakly(*tag, *update.tag)) return true;
  }
  return false;
}

std::vector<size_t> identified(const Validators& update, std::span<const Validators> stored,
                               const Condition& condition) {
  std::vector<size_t> found;
  if (!update.has_any()) {
    // Servers leave validators out; what was asked about is known when it was one thing only.
    if (stored.size() == 1 && !condition.has_tags_of_client) found.push_back(0);
    return found;
  }
  for (size_t at = 0; at < stored.size(); ++at) {
    if (!is_same(update, stored[at])) continue;
    found.push_back(at);
    // A weak validator may be that of several; the first is meant.
    if (!has_strong_tag(update)) break;
  }
  return found;
}

// What describes the octets that are stored, and the octets did not come again.
constexpr std::string_view kOfContent[] = {"Content-Length", "Content-Encoding", "Content-Range",
                                           "Content-Type"};

bool is_of_content(std::string_view name) {
  return std::any_of(std::begin(kOfContent), std::end(kOfContent),
                     [name](std::string_view other) { return same_word(name, other); });
}

// The length of the whole object as the stored fields tell it; empty: they do not.
std::string_view length_text(unsigned status, const Fields& stored) {
  if (status != 206) return stored.find("Content-Length").value_or("");
  const std::string_view range = stored.find("Content-Range").value_or("");
  const size_t slash = range.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : range.substr(slash + 1);
}

// RFC9111-4.3.5: a field that the answer has and that says something else.
bool differs(const Fields& answer, const Fields& stored, std::string_view name) {
  const std::optional<std::string_view> value = answer.find(name);
  return value && stored.find(name) != value;
}

}  // namespace

NotModified read_not_modified(const Fields& not_modified, std::span<const Validators> stored,
                              const Condition& condition, const Fields& client_request) {
  NotModified result;
  if (condition.empty()) {
    result.outcome = NotModified::Outcome::pass_on;
    return result;
  }
  const Validators update = validators_of(not_modified, 0);
  result.freshened = identified(update, stored, condition);
  if (!result.freshened.empty()) {
    result.outcome = NotModified::Outcome::freshen;
  } else if (condition.has_tags_of_client && is_tag_of_client(update, client_request)) {
    result.outcome = NotModified::Outcome::pass_on;
  }
  return result;
}

bool replaces_stored(const Fields& update, std::string_view name) {
  return !is_of_content(name) && Connection(update).passes(name) && !is_withheld(update, name);
}

std::optional<Fields> updated_fields(const Fields& stored, const Fields& update) {
  Fields update_kept;
  const Connection connection(update);
  for (const Field& field : update) {
    const bool is_taken = !is_of_content(field.name) && connection.passes(field.name) &&
                          !is_withheld(update, field.name);
    if (is_taken && !update_kept.add(field.name, field.value)) return std::nullopt;
  }
  Fields merged;
  for (const Field& field : stored) {
    // The age and the date of the old answer say nothing about the new one.
    const bool is_over = same_word(field.name, "Age") || same_word(field.name, "Date");
    if (is_over || update_kept.has(field.name)) continue;
    if (!merged.add(field.name, field.value)) return std::nullopt;
  }
  for (const Field& field : update_kept) {
    if (!merged.add(field.name, field.value)) return std::nullopt;
  }
  return merged;
}

HeadOutcome read_head_answer(unsigned status, const Fields& answer, unsigned stored_status,
                             const Fields& stored) {
  const bool is_gone = status == 301 || status == 308 || status == 404 || status == 410;
  if (is_gone && status != stored_status) return HeadOutcome::invalidate;
  if (status != 200 || (stored_status != 200 && stored_status != 206)) return HeadOutcome::nothing;
  if (differs(answer, stored, "ETag") || differs(answer, stored, "Last-Modified"))
    return HeadOutcome::invalidate;
  const std::optional<std::string_view> length = answer.find("Content-Length");
  const std::string_view stored_length = length_text(stored_status, stored);
  if (length && !stored_length.empty() && *length != stored_length) return HeadOutcome::invalidate;
  return HeadOutcome::update;
}

}  // namespace postern::http
