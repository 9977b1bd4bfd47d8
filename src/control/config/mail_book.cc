// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/mail_book.h"

#include <algorithm>

#include "control/config/user_items.h"
#include "services/mail/message/address.h"

namespace postern::config {
namespace {

bool is_member(const MailPerson& person, std::string_view group) {
  return std::find(person.groups.begin(), person.groups.end(), group) != person.groups.end();
}

bool has_mailbox(const Mail& mail, const MailPerson& person) {
  return std::any_of(mail.mailboxes.begin(), mail.mailboxes.end(), [&](const std::string& text) {
    const auto item = parse_user_item(text);
    if (!item) return false;
    switch (item->kind) {
      case UserItem::Kind::any:
        return true;
      case UserItem::Kind::user:
        return item->name == person.name;
      case UserItem::Kind::group:
        return is_member(person, item->name);
    }
    return false;
  });
}

}  // namespace

std::string mail_domain(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  return mail::to_lower(domain);
}

std::string mail_name(const Mail& mail, const std::string& system_name) {
  if (!mail.name.empty()) return mail_domain(mail.name);
  std::string name = mail::to_lower(system_name);
  if (!mail.domains.empty()) name += "." + mail_domain(mail.domains[0]);
  return name;
}

mail::RecipientBook mail_book(const Mail& mail, const std::vector<MailPerson>& people) {
  mail::RecipientBook book;
  for (const std::string& domain : mail.domains)
    book.domains.insert(mail_domain(domain));
  if (!mail.domains.empty()) book.own_domain = mail_domain(mail.domains[0]);
  for (const MailPerson& person : people) {
    if (!has_mailbox(mail, person)) continue;
    book.users.insert(person.name);
    for (const std::string& group : person.groups) {
      const bool has_address = !mail.groups || std::find(mail.groups->begin(), mail.groups->end(),
                                                         group) != mail.groups->end();
      if (has_address) book.groups[group].push_back(person.name);
    }
  }
  for (const MailAlias& alias : mail.aliases) {
    std::string key = mail::to_lower(alias.name);
    if (key.ends_with('.')) key.pop_back();
    book.aliases[key] = alias.targets;
  }
  book.catch_all = mail.catch_all;
  book.postmaster = mail.postmaster;
  book.has_plus = mail.plus_addresses;
  return book;
}

}  // namespace postern::config
