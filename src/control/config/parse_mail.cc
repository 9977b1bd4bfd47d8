// SPDX-License-Identifier: BSD-3-Clause
// services.mail; what has to do with servers elsewhere is in parse_mail_remote.cc.
#include <algorithm>
#include <span>
#include <utility>

#include "control/config/parse.h"

namespace postern::config {
namespace {

void parse_tls(Section& section, MailServerTls& tls) {
  section.string("certificate", tls.certificate);
  section.string("key", tls.key);
  section.boolean("clear_passwords", tls.clear_passwords);
  section.finish();
}

void parse_submission(Section& section, MailSubmission& submission) {
  section.number("port", submission.port);
  section.number("tls_port", submission.tls_port);
  section.boolean("sender_check", submission.sender_check);
  section.finish();
}

void parse_pop3(Section& section, MailPop3& pop3) {
  section.number("port", pop3.port);
  section.number("tls_port", pop3.tls_port);
  section.strings("from", pop3.from);
  section.duration("idle", pop3.idle);
  section.finish();
}

// Entries of a map of the file's author's own keys, as many as may be.
std::span<const Entry> entries_of(const Field& field) {
  if (!expect_map(field.report, field.node, field.path)) return {};
  const auto max = static_cast<size_t>(field.spec.max);
  const std::span<const Entry> all = field.node.entries;
  if (all.size() <= max) return all;
  field.error("has more than " + std::to_string(max) + " entries");
  return all.first(max);
}

void parse_aliases(Section& section, std::vector<MailAlias>& aliases) {
  const auto field = section.find("aliases");
  if (!field) return;
  const KeySpec targets{.key = "targets", .type = Type::mail_target, .help = "", .list = true};
  const KeySpec name{.key = "name", .type = Type::mail_target, .help = ""};
  for (const Entry& entry : entries_of(*field)) {
    const std::string path = join(field->path, entry.key);
    if (entry.key.find('*') != std::string::npos || entry.key.starts_with('@')) {
      section.report().error(entry.mark, path,
                             "aliases have no patterns; for all other names use "
                             "services.mail.catch_all");
      continue;
    }
    Node key;
    key.kind = NodeKind::scalar;
    key.mark = entry.mark;
    key.text = entry.key;
    key.quoted = true;
    if (!read_string({key, name, path, field->report})) continue;
    MailAlias& alias = aliases.emplace_back();
    alias.name = entry.key;
    alias.mark = entry.mark;
    for (const Field& value : list_of({entry.value, targets, path, field->report})) {
      if (value.index >= kMailTargetsMax) {
        value.error("is beyond the " + std::to_string(kMailTargetsMax) + " that an alias has");
        break;
      }
      if (auto text = read_string(value)) alias.targets.push_back(std::move(*text));
    }
  }
}

void parse_headers(const Field& field, MailSorting& rule) {
  constexpr int64_t kFieldMax = 64, kValueMax = 998;  // RFC 5322 section 2.1.1
  const KeySpec pattern{.key = "pattern", .type = Type::text, .help = "", .max = kValueMax};
  for (const Entry& entry : entries_of(field)) {
    const std::string path = join(field.path, entry.key);
    const bool is_field = !entry.key.empty() && entry.key.size() <= kFieldMax &&
                          std::all_of(entry.key.begin(), entry.key.end(),
                                      [](char c) { return c > ' ' && c < 0x7F && c != ':'; });
    if (!is_field) {
      field.report.error(entry.mark, path,
                         quote(entry.key) + " is not the name of a field of a header (List-Id)");
    }
    if (auto text = read_string({entry.value, pattern, path, field.report}))
      rule.headers.emplace_back(entry.key, std::move(*text));
  }
}

void parse_sorting(Section& section, MailSorting& rule) {
  rule.mark = section.node().mark;
  section.string("name", rule.name);
  section.boolean("enabled", rule.enabled);
  section.strings("users", rule.users);
  section.strings("senders", rule.senders);
  section.strings("recipients", rule.recipients);
  if (auto field = section.find("headers")) parse_headers(*field, rule);
  section.string("folder", rule.folder);
  section.strings("to", rule.to);
  section.boolean("keep_copy", rule.keep_copy);
  section.finish();
}

void parse_queue(Section& section, MailQueue& queue) {
  section.number("messages", queue.messages);
  section.size("size", queue.size);
  section.size("message_size", queue.message_size);
  section.duration("first_retry", queue.first_retry);
  section.duration("longest_retry", queue.longest_retry);
  section.duration("expiry", queue.expiry);
  section.duration("warning", queue.warning);
  section.finish();
}

void parse_scan(Section& section, MailScan& scan) {
  section.strings("milters", scan.milters);
  section.strings("command", scan.command);
  section.duration("timeout", scan.timeout);
  section.word("unavailable", scan.unavailable);
  section.word("infected", scan.infected);
  section.finish();
}

void parse_greylist(Section& section, MailGreylist& greylist) {
  section.duration("wait", greylist.wait);
  section.duration("memory", greylist.memory);
  section.finish();
}

void parse_limits(Section& section, MailLimits& limits) {
  section.number("recipients", limits.recipients);
  section.number("clients", limits.clients);
  section.number("clients_of_one", limits.clients_of_one);
  section.number("messages_per_minute", limits.messages_per_minute);
  section.duration("greet_delay", limits.greet_delay);
  section.finish();
}

// An empty list is something else than none.
void set_strings(Section& section, std::string_view key,
                 std::optional<std::vector<std::string>>& out) {
  std::vector<std::string> list;
  section.strings(key, list);
  if (section.has(key)) out = std::move(list);
}

// Who gets what.
void parse_recipients(Section& section, Mail& mail) {
  if (section.has("mailboxes")) mail.mailboxes.clear();
  section.strings("mailboxes", mail.mailboxes);
  set_strings(section, "groups", mail.groups);
  parse_aliases(section, mail.aliases);
  for (const Field& field : section.find_sections("sorting")) {
    Section entry(field.report, field.node, field.path, *field.spec.section);
    parse_sorting(entry, mail.sorting.emplace_back());
  }
  section.string("catch_all", mail.catch_all);
  section.string("postmaster", mail.postmaster);
  section.boolean("plus_addresses", mail.plus_addresses);
}

}  // namespace

void parse_mail(Section& section, Mail& mail) {
  section.boolean("enabled", mail.enabled);
  section.string("name", mail.name);
  section.strings("domains", mail.domains);
  section.string("folder", mail.folder);
  section.strings("listen", mail.listen);
  section.number("port", mail.port);
  section.boolean("from_outside", mail.from_outside);
  set_strings(section, "relay_networks", mail.relay_networks);
  if (auto tls = section.section("tls")) parse_tls(*tls, mail.tls);
  if (auto part = section.section("submission")) parse_submission(*part, mail.submission.emplace());
  if (auto pop3 = section.section("pop3")) parse_pop3(*pop3, mail.pop3.emplace());
  parse_recipients(section, mail);
  parse_mail_remote(section, mail);
  if (auto scan = section.section("scan")) parse_scan(*scan, mail.scan.emplace());
  if (auto part = section.section("greylist")) parse_greylist(*part, mail.greylist.emplace());
  section.word("spf", mail.spf);
  if (auto queue = section.section("queue")) parse_queue(*queue, mail.queue);
  if (auto limits = section.section("limits")) parse_limits(*limits, mail.limits);
  section.finish();
}

}  // namespace postern::config
