// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/rules/cache_control.h"

#include <algorithm>

namespace postern::http {
namespace {

struct Directive {
  std::string_view name;
  std::string_view value;  // without its quotes
  bool has_value = false;
  // White space around the "=" or a quote in the wrong place: the value says nothing certain.
  bool is_odd = false;
  bool is_open = false;  // a quoted string without an end: it hid what may follow
};

// Whether a quoted string begins in `text` and does not end there.
bool has_open_quote(std::string_view text) {
  bool quoted = false;
  for (size_t at = 0; at < text.size(); ++at) {
    if (quoted && text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      quoted = !quoted;
    }
  }
  return quoted;
}

Directive split(std::string_view member) {
  Directive directive;
  directive.is_open = has_open_quote(member);
  const size_t equals = member.find('=');
  if (equals == std::string_view::npos) {
    directive.name = member;
    return directive;
  }
  const std::string_view name = member.substr(0, equals);
  std::string_view value = member.substr(equals + 1);
  directive.name = trimmed(name);
  directive.has_value = true;
  directive.is_odd = directive.name.size() != name.size() || trimmed(value).size() != value.size();
  value = trimmed(value);
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  directive.is_odd = directive.is_odd || value.find_first_of("\"\\") != std::string_view::npos;
  directive.value = value;
  return directive;
}

// RFC9111-4.2.1: of several the shortest, and what is no number is none at all.
void take_lifetime(const Directive& directive, std::optional<int64_t>& lifetime) {
  std::optional<int64_t> seconds;
  if (!directive.is_odd) seconds = parse_delta(directive.value);
  lifetime = std::min(lifetime.value_or(kDeltaMax), seconds.value_or(0));
}

// How long something stale may be used: what is no number allows nothing.
void take_allowance(const Directive& directive, std::optional<int64_t>& allowance) {
  take_lifetime(directive, allowance);
}

void take_max_stale(const Directive& directive, std::optional<int64_t>& max_stale) {
  if (directive.has_value) return take_allowance(directive, max_stale);
  max_stale = max_stale.value_or(kDeltaMax);
}

void take_min_fresh(const Directive& directive, std::optional<int64_t>& min_fresh) {
  const std::optional<int64_t> seconds = parse_delta(directive.value);
  if (directive.is_odd || !seconds) return;
  min_fresh = std::max(min_fresh.value_or(0), *seconds);
}

void take_request(const Directive& directive, RequestControl& control) {
  if (same_word(directive.name, "no-cache")) {
    control.no_cache = true;
  } else if (same_word(directive.name, "max-age")) {
    take_lifetime(directive, control.max_age);
  } else if (same_word(directive.name, "no-store")) {
    control.no_store = true;
  } else if (same_word(directive.name, "only-if-cached")) {
    control.only_if_cached = true;
  } else if (same_word(directive.name, "max-stale")) {
    take_max_stale(directive, control.max_stale);
  } else if (same_word(directive.name, "min-fresh")) {
    take_min_fresh(directive, control.min_fresh);
  } else if (same_word(directive.name, "no-transform")) {
    control.no_transform = true;
  } else if (same_word(directive.name, "stale-if-error")) {
    take_allowance(directive, control.stale_if_error);
  }
}

// What a stored response is judged by: without these fields it would be taken for another.
constexpr std::string_view kOfCaching[] = {"Age",  "Cache-Control", "Content-Range",
                                           "Date", "Expires",       "Vary"};

// A list of fields that can be left out. A list that is empty, has no end or names what the rules
// themselves need makes the directive count for the whole response.
bool is_list_of_fields(const Directive& directive) {
  if (!directive.has_value || directive.is_open) return false;
  bool has_any = false;
  ListWalk names(directive.value);
  while (const std::optional<std::string_view> name = names.next()) {
    has_any = true;
    for (const std::string_view needed : kOfCaching) {
      if (same_word(*name, needed)) return false;
    }
  }
  return has_any;
}

struct Flag {
  std::string_view name;
  bool ResponseControl::*flag;
};

constexpr Flag kFlags[] = {
    {"public", &ResponseControl::is_public},
    {"no-store", &ResponseControl::no_store},
    {"must-revalidate", &ResponseControl::must_revalidate},
    {"proxy-revalidate", &ResponseControl::proxy_revalidate},
    {"must-understand", &ResponseControl::must_understand},
    {"no-transform", &ResponseControl::no_transform},
};

struct Seconds {
  std::string_view name;
  std::optional<int64_t> ResponseControl::*seconds;
};

constexpr Seconds kSeconds[] = {
    {"max-age", &ResponseControl::max_age},
    {"s-maxage", &ResponseControl::s_maxage},
    {"stale-if-error", &ResponseControl::stale_if_error},
    {"stale-while-revalidate", &ResponseControl::stale_while_revalidate},
};

void take_response(const Directive& directive, ResponseControl& control) {
  if (same_word(directive.name, "no-cache")) {
    (is_list_of_fields(directive) ? control.no_cache_fields : control.no_cache) = true;
  } else if (same_word(directive.name, "private")) {
    (is_list_of_fields(directive) ? control.private_fields : control.is_private) = true;
  }
  for (const Flag& known : kFlags) {
    if (same_word(directive.name, known.name)) control.*known.flag = true;
  }
  for (const Seconds& known : kSeconds) {
    if (same_word(directive.name, known.name)) take_lifetime(directive, control.*known.seconds);
  }
  if (directive.is_open) control.no_store = true;
}

}  // namespace

std::optional<int64_t> parse_delta(std::string_view text) {
  if (text.empty()) return std::nullopt;
  int64_t seconds = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    seconds = std::min(seconds * 10 + (digit - '0'), kDeltaMax);
  }
  return seconds;
}

RequestControl read_request_control(const Fields& request) {
  RequestControl control;
  ListWalk walk(request, "Cache-Control");
  bool has_any = false;
  while (const std::optional<std::string_view> member = walk.next()) {
    has_any = true;
    take_request(split(*member), control);
  }
  if (has_any) return control;
  // RFC9111-5.4: what clients said before there was Cache-Control.
  ListWalk pragma(request, "Pragma");
  while (const std::optional<std::string_view> member = pragma.next()) {
    if (same_word(*member, "no-cache")) control.no_cache = true;
  }
  return control;
}

ResponseControl read_response_control(const Fields& response) {
  ResponseControl control;
  ListWalk walk(response, "Cache-Control");
  while (const std::optional<std::string_view> member = walk.next())
    take_response(split(*member), control);
  return control;
}

bool is_withheld(const Fields& response, std::string_view name) {
  ListWalk walk(response, "Cache-Control");
  while (const std::optional<std::string_view> member = walk.next()) {
    const Directive directive = split(*member);
    if (!same_word(directive.name, "no-cache") && !same_word(directive.name, "private")) continue;
    if (!is_list_of_fields(directive)) continue;
    ListWalk names(directive.value);
    while (const std::optional<std::string_view> named = names.next()) {
      if (same_word(*named, name)) return true;
    }
  }
  return false;
}

}  // namespace postern::http
