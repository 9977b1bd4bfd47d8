// SPDX-License-Identifier: BSD-3-Clause
// FtpFetch: what is answered, once it is known what there is.
#include <fmt/format.h>

#include <utility>

#include "services/http/gateway/content_type.h"
#include "services/http/gateway/ftp_fetch.h"
#include "services/http/gateway/text.h"
#include "services/http/message/date.h"
#include "services/http/rules/conditional.h"
#include "services/http/rules/range.h"

namespace postern::http {

// Empty: not known, or of a clock that is ahead of ours (RFC 9110 section 8.8.2.1).
std::string FtpFetch::modified_text() const {
  std::string text;
  const std::optional<int64_t> time = dialogue_->modified_s();
  if (time && *time <= core().clock.wall_s && *time >= 0) append_date(text, *time);
  return text;
}

void FtpFetch::on_known() {
  const FtpPath& path = dialogue_->path();
  if (path.is_listing()) {
    if (is_head()) return static_cast<void>(pass_listing_head());
    return act(dialogue_->retrieve(0));
  }
  const std::string modified = modified_text();
  if (fails_condition(modified)) return pass_empty(412, {}, {});
  if (!modified.empty()) {
    Validators validators;
    validators.modified_s = dialogue_->modified_s();
    if (is_not_modified(asked(), validators, *dialogue_->modified_s())) {
      write_head(304).field("Last-Modified", modified);
      return static_cast<void>(pass_head(Body::none, 0));
    }
  }
  if (is_head() && (dialogue_->octets() || !modified.empty()))
    return static_cast<void>(pass_file_head());
  if (plan_part()) act(dialogue_->retrieve(part_ ? static_cast<uint64_t>(part_->first) : 0));
}

// What only an origin may judge, and we stand for one (RFC 9110 sections 13.1.1 and 13.1.4).
bool FtpFetch::fails_condition(std::string_view modified) const {
  if (const auto tags = asked().find("if-match")) return *tags != "*";
  const auto since = asked().find("if-unmodified-since");
  if (!since || modified.empty()) return false;
  const std::optional<int64_t> time = parse_date(*since, core().clock.wall_s);
  return time && *dialogue_->modified_s() > *time;
}

// False: there is no such part, which has been answered.
bool FtpFetch::plan_part() {
  const std::optional<uint64_t> octets = dialogue_->octets();
  if (!octets) return true;
  std::string date;
  append_date(date, core().clock.wall_s);
  const std::string modified = modified_text();
  Fields fields;
  if (!modified.empty())
    static_cast<void>(fields.add("Date", date) && fields.add("Last-Modified", modified));
  const auto length = static_cast<int64_t>(*octets);
  const Validators validators = validators_of(fields, core().clock.wall_s);
  const RangePlan plan = plan_ranges(question().method, asked(), validators, length);
  if (plan.kind == RangePlan::Kind::unsatisfiable) {
    pass_empty(416, "Content-Range", encode_unsatisfied_range(length));
    return false;
  }
  // Several parts would take as many transfers: the whole is sent, as may be (section 14.2).
  if (plan.kind == RangePlan::Kind::some && plan.ranges.size() == 1) part_ = plan.ranges.front();
  return true;
}

void FtpFetch::write_file_fields(HeadWriter& writer) const {
  const FtpPath& path = dialogue_->path();
  writer.field("Content-Type", path.type == 'a' ? "text/plain" : content_type_of(path.name));
  const std::string modified = modified_text();
  if (!modified.empty()) writer.field("Last-Modified", modified);
  if (dialogue_->octets()) writer.field("Accept-Ranges", "bytes");
}

bool FtpFetch::pass_file_head() {
  const std::optional<uint64_t> octets = dialogue_->octets();
  const bool is_part = part_ && dialogue_->offset() == static_cast<uint64_t>(part_->first);
  HeadWriter writer = write_head(is_part ? 206 : 200);
  write_file_fields(writer);
  if (is_part) {
    writer.field("Content-Range", encode_content_range(*part_, static_cast<int64_t>(*octets)));
    left_ = static_cast<uint64_t>(part_->size());
  } else {
    left_ = octets;
  }
  return pass_head(left_ ? Body::length : Body::until_close, left_.value_or(0));
}

bool FtpFetch::pass_listing_head() {
  HeadWriter writer = write_head(200);
  writer.field("Content-Type", "text/html; charset=utf-8");
  writer.field("Cache-Control", fmt::format("max-age={}", kListingLifetimeS));
  writer.field("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
  if (!pass_head(Body::until_close, 0)) return false;
  page_.emplace(dialogue_->is_mlsd());
  std::string begin;
  const std::string_view folder = without_type(path());
  FtpPage::begin(begin, site() + percent_decoded(folder).value_or(std::string(folder)),
                 folder.size() > 1);
  pass(begin);
  return is_running();
}

// Links of a listing are relative to a URL that ends with '/'.
void FtpFetch::redirect_to_folder() {
  std::string location = "ftp://";
  if (!question().user.empty()) location.append(question().user).append("@");
  location.append(asked().find("host").value_or("")).append(without_type(path())).append("/");
  pass_empty(301, "Location", location);
}

void FtpFetch::refuse_login() {
  const std::string realm = site();
  pass_page(Problem::gateway_login,
            fmt::format("WWW-Authenticate: Basic realm=\"{}\", charset=\"UTF-8\"\r\n"
                        "Cache-Control: no-store\r\n",
                        realm),
            {});
}

}  // namespace postern::http
