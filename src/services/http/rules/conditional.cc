// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/conditional.h"

#include <algorithm>
#include <vector>

#include "services/http/message/date.h"

namespace postern::http {
namespace {

// RFC 9110 section 8.8.2.2: so much later than Last-Modified must Date be that the object did not
// change again within the same second, with room for two clocks.
constexpr int64_t kSettledSeconds = 60;

// The only value of that name; nothing when there is none or several.
std::optional<std::string_view> only(const Fields& fields, std::string_view name) {
  std::optional<std::string_view> value;
  for (const Field& field : fields) {
    if (!same_word(field.name, name)) continue;
    if (value) return std::nullopt;
    value = field.value;
  }
  return value;
}

bool is_tag_octet(char octet) {
  const auto code = static_cast<unsigned char>(octet);
  return code == 0x21 || (code >= 0x23 && code != 0x7f);
}

void append_tag(std::string& list, std::string_view tag) {
  list.append(list.empty() ? "" : ", ").append(tag);
}

// Whether a list of entity tags has `tag`, and whether it is "*".
struct TagsOfClient {
  bool is_any = false;
  bool has_tag = false;
};

TagsOfClient look_for(const Fields& request, const std::optional<EntityTag>& tag) {
  TagsOfClient found;
  ListWalk walk(request, "If-None-Match");
  for (size_t seen = 0; seen < kTagsMax; ++seen) {
    const std::optional<std::string_view> member = walk.next();
    if (!member) break;
    if (*member == "*") found.is_any = true;
    const std::optional<EntityTag> other = parse_entity_tag(*member);
    if (tag && other && match_weakly(*tag, *other)) found.has_tag = true;
  }
  return found;
}

}  // namespace

std::optional<EntityTag> parse_entity_tag(std::string_view text) {
  EntityTag tag;
  tag.is_weak = text.substr(0, 2) == "W/";
  if (tag.is_weak) text.remove_prefix(2);
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::nullopt;
  const std::string_view inside = text.substr(1, text.size() - 2);
  if (!std::all_of(inside.begin(), inside.end(), is_tag_octet)) return std::nullopt;
  tag.opaque = text;
  return tag;
}

bool match_strongly(const EntityTag& one, const EntityTag& other) {
  return !one.is_weak && !other.is_weak && one.opaque == other.opaque;
}

bool match_weakly(const EntityTag& one, const EntityTag& other) {
  return one.opaque == other.opaque;
}

Validators validators_of(const Fields& response, int64_t now_s) {
  Validators validators;
  if (const std::optional<std::string_view> text = only(response, "ETag")) {
    validators.tag = parse_entity_tag(*text);
    if (validators.tag) validators.tag_text = *text;
  }
  const std::optional<std::string_view> text = only(response, "Last-Modified");
  if (!text) return validators;
  validators.modified_s = parse_date(*text, now_s);
  if (!validators.modified_s) return validators;
  validators.modified_text = *text;
  const std::optional<std::string_view> date_text = only(response, "Date");
  const std::optional<int64_t> date = date_text ? parse_date(*date_text, now_s) : std::nullopt;
  validators.modified_is_strong = date && *date - *validators.modified_s >= kSettledSeconds;
  return validators;
}

bool same_strongly(const Validators& one, const Validators& other) {
  // Where both have a tag, it decides.
  if (one.tag && other.tag) return match_strongly(*one.tag, *other.tag);
  return one.modified_is_strong && other.modified_is_strong && one.modified_s == other.modified_s;
}

Condition condition_for(std::span<const Validators> stored, const Fields& client_request) {
  Condition condition;
  std::vector<std::string_view> tags;
  tags.reserve(kTagsMax);
  const auto add = [&](std::string_view tag) {
    const bool is_there = std::find(tags.begin(), tags.end(), tag) != tags.end();
    if (is_there || tags.size() == kTagsMax) return false;
    tags.push_back(tag);
    append_tag(condition.if_none_match, tag);
    return true;
  };
  for (const Validators& one : stored) {
    if (one.tag) add(one.tag_text);
  }
  if (!stored.empty()) condition.if_modified_since = stored.front().modified_text;
  if (tags.empty()) return condition;
  // RFC9111-4.3.2: what the client has is asked about as well, but for "*", which is no tag.
  ListWalk walk(client_request, "If-None-Match");
  while (const std::optional<std::string_view> member = walk.next()) {
    if (parse_entity_tag(*member) && add(*member)) condition.has_tags_of_client = true;
  }
  return condition;
}

bool is_replaced_by_condition(std::string_view name) {
  return same_word(name, "If-None-Match") || same_word(name, "If-Modified-Since");
}

bool is_not_modified(const Fields& request, const Validators& stored, int64_t date_s) {
  if (request.has("If-None-Match")) {
    const TagsOfClient found = look_for(request, stored.tag);
    return found.is_any || found.has_tag;
  }
  const std::optional<std::string_view> text = only(request, "If-Modified-Since");
  if (!text) return false;
  const std::optional<int64_t> since = parse_date(*text, date_s);
  return since && stored.modified_s.value_or(date_s) <= *since;
}

bool is_sent_in_304(std::string_view name) {
  // RFC 9110 section 15.4.5; what describes a content that is not sent stays out.
  constexpr std::string_view kLeftOut[] = {"Content-Length", "Content-Type",     "Content-Encoding",
                                           "Content-Range",  "Content-Language", "Content-MD5",
                                           "Content-Digest"};
  return std::none_of(std::begin(kLeftOut), std::end(kLeftOut),
                      [name](std::string_view other) { return same_word(name, other); });
}

}  // namespace postern::http
