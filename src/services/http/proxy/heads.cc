// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/heads.h"

#include <sodium.h>

#include <array>

#include "services/http/message/hop.h"
#include "services/http/message/writer.h"
#include "services/http/rules/range.h"

namespace postern::http {
namespace {

constexpr uint8_t kMinor = 1;

std::string basic(const std::string& credentials) {
  std::string coded(sodium_base64_encoded_len(credentials.size(), sodium_base64_VARIANT_ORIGINAL),
                    '\0');
  sodium_bin2base64(coded.data(), coded.size(),
                    reinterpret_cast<const unsigned char*>(credentials.data()), credentials.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  coded.pop_back();  // the zero
  return "Basic " + coded;
}

void write_target(std::string& out, const ProxySettings& settings, const Request& request) {
  const std::string_view method = request.head().method;
  std::string target;
  if (settings.parent) {
    target.append(to_text(request.url.scheme)).append("://");
    if (!request.url.user.empty()) target.append(request.url.user).append("@");
    append_authority(target, request.url.authority, default_port(request.url.scheme));
  }
  // RFC 9112 section 3.2.4: only the last proxy asks with an asterisk.
  const bool is_whole_server = method == "OPTIONS" && request.url.path.empty();
  if (!settings.parent || !is_whole_server) append_origin_form(target, method, request.url);
  HeadWriter(out).request_line(method, target);
}

bool is_range_field(std::string_view name) {
  return same_word(name, "range") || same_word(name, "if-range");
}

// Fields that are written by us and not copied.
bool is_own_field(std::string_view name) {
  return same_word(name, "host") || same_word(name, "content-length") ||
         same_word(name, "max-forwards") || same_word(name, "via") || same_word(name, "expect");
}

void copy_via(HeadWriter& writer, const Fields& fields) {
  for (const Field& field : fields) {
    if (same_word(field.name, "via")) writer.field(field);
  }
}

void write_framing(HeadWriter& writer, const Delivery& delivery) {
  if (delivery.is_chunked) {
    writer.field("Transfer-Encoding", "chunked");
  } else if (delivery.has_length) {
    writer.field("Content-Length", delivery.length);
  }
}

// What the proxy adds to each response.
void write_own(std::string& out, const ProxySettings& settings, const Delivery& delivery,
               const ResponseNotes& notes) {
  HeadWriter writer(out);
  write_framing(writer, delivery);
  append_via(out, kMinor, settings.name);
  if (notes.has_status)
    writer.field("Cache-Status", encode_cache_status(settings.name, notes.status));
  if (!delivery.is_persistent) writer.field("Connection", "close");
  writer.end();
}

bool is_kept_in_304(std::string_view name) {
  return is_sent_in_304(name) || same_word(name, "via");
}

}  // namespace

void write_request(std::string& out, const ProxySettings& settings, const Request& request,
                   const RequestChanges& changes) {
  const Fields& fields = request.head().fields;
  write_target(out, settings, request);
  HeadWriter writer(out);
  std::string host;
  append_authority(host, request.url.authority, default_port(request.url.scheme));
  writer.field("Host", host);
  const Connection connection(fields);
  const bool drops_range = changes.asks_whole || !changes.ranges.empty();
  for (const Field& field : fields) {
    if (!connection.passes(field.name) || is_own_field(field.name)) continue;
    if (changes.condition != nullptr && is_replaced_by_condition(field.name)) continue;
    if (drops_range && is_range_field(field.name)) continue;
    writer.field(field);
  }
  if (changes.condition != nullptr && !changes.condition->if_none_match.empty())
    writer.field("If-None-Match", changes.condition->if_none_match);
  if (changes.condition != nullptr && !changes.condition->if_modified_since.empty())
    writer.field("If-Modified-Since", changes.condition->if_modified_since);
  if (!changes.ranges.empty()) {
    writer.field("Range", encode_range(changes.ranges));
    writer.field("If-Range", changes.if_range);
  }
  const MaxForwards forwards = max_forwards(request.head().method, fields);
  if (forwards.kind == MaxForwards::Kind::pass_on)
    writer.field("Max-Forwards", uint64_t{forwards.rest});
  if (request.framing.body == Body::chunked) {
    writer.field("Transfer-Encoding", "chunked");
  } else if (request.framing.body == Body::length) {
    writer.field("Content-Length", request.framing.length);
  }
  if (request.expects == Expectation::go_on && request.has_body())
    writer.field("Expect", "100-continue");
  if (!changes.upgrade.empty()) write_upgrade(out, changes.upgrade);
  copy_via(writer, fields);
  append_via(out, request.head().minor, settings.name);
  write_parent_credentials(out, settings);
  writer.end();
}

void write_upgrade(std::string& out, std::string_view protocol) {
  HeadWriter writer(out);
  writer.field("Connection", "upgrade");
  writer.field("Upgrade", protocol);
}

void write_parent_credentials(std::string& out, const ProxySettings& settings) {
  if (settings.parent && !settings.parent->credentials.empty())
    HeadWriter(out).field("Proxy-Authorization", basic(settings.parent->credentials));
}

void write_response(std::string& out, const ProxySettings& settings, const ResponseHead& head,
                    const Delivery& delivery, const ResponseNotes& notes) {
  HeadWriter writer(out);
  writer.status_line(head.status, head.reason);
  const Connection connection(head.fields);
  // RFC 9110 section 8.6: a 204 has none, or its reader waits for octets of the next response.
  const bool keeps_length = !delivery.has_length && !delivery.is_chunked && head.status != 204;
  for (const Field& field : head.fields) {
    if (!connection.passes(field.name)) continue;
    if (!keeps_length && same_word(field.name, "content-length")) continue;
    writer.field(field);
  }
  // RFC 9110 section 6.6.1.
  if (!head.fields.has("date")) writer.date("Date", notes.now_s);
  write_own(out, settings, delivery, notes);
}

void write_switch(std::string& out, const ProxySettings& settings, const ResponseHead& head) {
  HeadWriter writer(out);
  writer.status_line(head.status, head.reason);
  const Connection connection(head.fields);
  for (const Field& field : head.fields) {
    if (connection.passes(field.name)) writer.field(field);
  }
  write_upgrade(out, head.fields.find("Upgrade").value_or(""));
  append_via(out, kMinor, settings.name);
  writer.end();
}

void write_interim(std::string& out, const ProxySettings& settings, const ResponseHead& head) {
  HeadWriter writer(out);
  writer.status_line(head.status, head.reason);
  const Connection connection(head.fields);
  for (const Field& field : head.fields) {
    if (connection.passes(field.name) && !same_word(field.name, "content-length"))
      writer.field(field);
  }
  append_via(out, kMinor, settings.name);
  writer.end();
}

void write_stored(std::string& out, const ProxySettings& settings, const StoredHead& stored,
                  const Delivery& delivery, const ResponseNotes& notes) {
  const Entry& entry = *stored.entry;
  HeadWriter writer(out);
  writer.status_line(stored.status);
  const bool is_plain = stored.status == entry.facts.status && stored.content_type.empty();
  if (is_plain) {
    out += entry.field_lines;
  } else if (const std::optional<Fields> fields = parse_entry_fields(entry)) {
    for (const Field& field : *fields) {
      if (stored.status == 304 && !is_kept_in_304(field.name)) continue;
      if (!stored.content_type.empty() && same_word(field.name, "content-type")) continue;
      writer.field(field);
    }
  }
  if (!stored.content_type.empty()) writer.field("Content-Type", stored.content_type);
  if (!stored.content_range.empty()) writer.field("Content-Range", stored.content_range);
  writer.field("Age", static_cast<uint64_t>(stored.age_s));
  write_own(out, settings, delivery, notes);
}

}  // namespace postern::http
