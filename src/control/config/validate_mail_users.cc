// SPDX-License-Identifier: BSD-3-Clause
// services.mail: who gets what. Accounts that `postern user` looks after are not in this file:
// where there may be such, a name that nobody has here may be one of theirs.
#include <algorithm>
#include <set>
#include <string>

#include "control/config/account_text.h"
#include "control/config/mail_book.h"
#include "control/config/user_items.h"
#include "control/config/validate.h"
#include "services/mail/message/address.h"
#include "services/mail/routing/recipients.h"

namespace postern::config {
namespace {

constexpr std::string_view kPath = "services.mail";

std::vector<MailPerson> people_of(const Users& users) {
  std::vector<MailPerson> people;
  people.reserve(users.accounts.size());
  for (const User& user : users.accounts)
    people.push_back({user.name, groups_of(users, user.name)});
  return people;
}

// Names that aliases and keys lead to may all be accounts that are not in the file.
void believe_in(const std::vector<std::string>& targets, mail::RecipientBook& book) {
  for (const std::string& target : targets) {
    const std::string name = mail::to_lower(target);
    if (is_account_name(name) && book.aliases.count(name) == 0) book.users.insert(name);
  }
}

class Recipients {
 public:
  Recipients(Check& check, const Mail& mail)
      : check_(check), book_(mail_book(mail, people_of(check.model.users))) {
    if (!check.model.users.account_file) return;
    for (const MailAlias& alias : mail.aliases)
      believe_in(alias.targets, book_);
    for (const MailSorting& rule : mail.sorting)
      believe_in(rule.to, book_);
    for (const MailFetch& fetch : mail.fetch)
      believe_in({fetch.to, fetch.unsorted}, book_);
    believe_in({mail.postmaster, mail.catch_all}, book_);
  }

  void require(const std::string& target, const std::string& path) {
    if (target.empty()) return;
    mail::Expansion expansion(book_);
    if (expansion.add_target(target)) return;
    check_.report.error_at(path, quote(target) +
                                     " leads to nobody: there is no such user, alias "
                                     "or group, or it leads only to itself");
  }

  const mail::RecipientBook& book() const { return book_; }

 private:
  Check& check_;
  mail::RecipientBook book_;
};

void validate_domains(Check& check, const Mail& mail) {
  const std::string path = join(kPath, "domains");
  std::set<std::string> seen;
  for (size_t i = 0; i < mail.domains.size(); ++i) {
    const std::string place = item_path(path, i, mail.domains.size());
    std::string domain;
    if (mail::parse_domain(mail_domain(mail.domains[i]), false, domain) !=
        mail::AddressFault::none) {
      check.report.error_at(place, quote(mail.domains[i]) + " cannot be in an address of mail");
    } else if (!seen.insert(domain).second) {
      check.report.error_at(place, quote(mail.domains[i]) + " is named twice");
    }
  }
  if (!mail::is_host(mail_name(mail, check.model.system.name)) && !mail.name.empty())
    check.report.error_at(join(kPath, "name"), quote(mail.name) + " is not the name of a host");
}

void validate_aliases(Check& check, const Mail& mail, Recipients& recipients) {
  std::set<std::string> seen;
  for (const MailAlias& alias : mail.aliases) {
    const std::string path = join(join(kPath, "aliases"), alias.name);
    auto refuse = [&](const std::string& text) { check.report.error(alias.mark, path, text); };
    mail::Address address;
    const bool is_whole = alias.name.find('@') != std::string::npos;
    if (is_whole) (void)mail::parse_mailbox(alias.name, true, address);
    if (!seen.insert(mail::to_lower(alias.name)).second) {
      refuse("is there already: capital letters make no difference");
    } else if (is_whole && recipients.book().domains.count(address.domain) == 0) {
      refuse(quote(address.domain) + " is none of services.mail.domains");
    } else if (!alias.targets.empty()) {
      mail::Expansion expansion(recipients.book());
      const bool is_useful = is_whole ? expansion.add(address) : expansion.add_target(alias.name);
      if (!is_useful)
        refuse("leads to nobody: its targets are no users, aliases or groups, or lead only to it");
      if (expansion.is_cut()) {
        refuse("leads to more than " + std::to_string(mail::kTargetsMax) + " addresses");
      }
    }
  }
}

bool is_folder(std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('/'), text.size());
    const std::string_view level = text.substr(0, end);
    if (level.empty() || level.front() == '.' || level.find('.') != std::string_view::npos)
      return false;
    if (end + 1 == text.size()) return false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

void validate_sorting(Check& check, const Mail& mail, Recipients& recipients) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < mail.sorting.size(); ++i) {
    const MailSorting& rule = mail.sorting[i];
    const std::string path = join(join(kPath, "sorting"), i);
    if (!rule.name.empty() && !names.insert(rule.name).second) {
      check.report.error_at(join(path, "name"),
                            quote(rule.name) + " is the name of an earlier rule");
    }
    if (!is_folder(rule.folder)) {
      check.report.error_at(join(path, "folder"), quote(rule.folder) +
                                                      " is no folder of the form Lists/DPDK, "
                                                      "without dots");
    }
    for (size_t j = 0; j < rule.to.size(); ++j)
      recipients.require(rule.to[j], item_path(join(path, "to"), j, rule.to.size()));
    if (rule.folder.empty() && rule.to.empty())
      check.report.warning_at(path, "does nothing: it has neither folder nor to");
    if (rule.keep_copy && rule.to.empty())
      check.report.warning_at(join(path, "keep_copy"), "has no effect without to");
    if (!rule.folder.empty() && !rule.to.empty() && !rule.keep_copy) {
      check.report.warning_at(join(path, "folder"),
                              "has no effect: the mail goes to others, without keep_copy");
    }
  }
}

// Where all accounts are in the file, names are to be there.
void validate_people(Check& check, const Mail& mail) {
  const Users& users = check.model.users;
  if (users.account_file) return;
  auto is_group = [&](std::string_view name) {
    return std::any_of(users.groups.begin(), users.groups.end(),
                       [&](const UserGroup& group) { return group.name == name; });
  };
  auto is_user = [&](std::string_view name) {
    return std::any_of(users.accounts.begin(), users.accounts.end(),
                       [&](const User& user) { return user.name == name; });
  };
  for (size_t i = 0; i < mail.mailboxes.size(); ++i) {
    const auto item = parse_user_item(mail.mailboxes[i]);
    if (!item || item->kind == UserItem::Kind::any) continue;
    if (item->kind == UserItem::Kind::user ? is_user(item->name) : is_group(item->name)) continue;
    check.report.error_at(item_path(join(kPath, "mailboxes"), i, mail.mailboxes.size()),
                          quote(mail.mailboxes[i]) + " is not in users");
  }
  if (!mail.groups) return;
  for (size_t i = 0; i < mail.groups->size(); ++i) {
    if (is_group((*mail.groups)[i])) continue;
    check.report.error_at(item_path(join(kPath, "groups"), i, mail.groups->size()),
                          quote((*mail.groups)[i]) + " is no group of users");
  }
}

}  // namespace

void validate_mail_users(Check& check, const Mail& mail) {
  validate_domains(check, mail);
  validate_people(check, mail);
  Recipients recipients(check, mail);
  validate_aliases(check, mail, recipients);
  validate_sorting(check, mail, recipients);
  recipients.require(mail.postmaster, join(kPath, "postmaster"));
  recipients.require(mail.catch_all, join(kPath, "catch_all"));
  for (size_t i = 0; i < mail.fetch.size(); ++i) {
    const std::string path = join(join(kPath, "fetch"), i);
    recipients.require(mail.fetch[i].to, join(path, "to"));
    recipients.require(mail.fetch[i].unsorted, join(path, "unsorted"));
  }
}

}  // namespace postern::config
