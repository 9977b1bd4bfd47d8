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

// The local part, where it is a name or an address of ours; empty where it is elsewhere.
std::string name_of(const std::string& target, const mail::RecipientBook& book) {
  std::string name = mail::to_lower(target);
  if (name.find('@') != std::string::npos) {
    mail::Address address;
    if (mail::parse_mailbox(name, true, address) != mail::AddressFault::none) return "";
    if (book.domains.count(address.domain) == 0) return "";
    name = address.local;
    const size_t plus = book.has_plus ? name.find('+') : std::string::npos;
    if (plus != 0 && plus != std::string::npos) name.resize(plus);
  }
  return name;
}

// Names that aliases and keys lead to may all be accounts that are not in the file.
void believe_in(const std::vector<std::string>& targets, mail::RecipientBook& book) {
  for (const std::string& target : targets) {
    const std::string name = name_of(target, book);
    if (is_account_name(name) && book.aliases.count(name) == 0) book.users.insert(name);
  }
}

bool has_account(const Users& users, std::string_view name) {
  return std::any_of(users.accounts.begin(), users.accounts.end(),
                     [&](const User& user) { return user.name == name; });
}

bool has_group(const Users& users, std::string_view name) {
  return std::any_of(users.groups.begin(), users.groups.end(),
                     [&](const UserGroup& group) { return group.name == name; });
}

// Who has accounts in the file may have mistyped one. Where there are none, they are all those of
// `postern user`, and nothing is known of them here.
void warn_of_stranger(Check& check, const std::string& name, const std::string& path) {
  const Users& users = check.model.users;
  if (!users.account_file || users.accounts.empty() || has_account(users, name)) return;
  std::vector<std::string_view> known;
  known.reserve(users.accounts.size());
  for (const User& user : users.accounts)
    known.push_back(user.name);
  const std::string_view near = nearest_word(name, known);
  check.report.warning_at(
      path, quote(name) +
                " is not in this file; it must be in the account file (postern user add " + name +
                ")" + (near.empty() ? "" : "; did you mean " + quote(near) + "?"));
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

  // The same of a key with one name, where a slip of the pen costs most.
  void require_known(const std::string& target, const std::string& path) {
    require(target, path);
    const std::string name = name_of(target, book_);
    const bool is_defined = book_.aliases.count(mail::to_lower(target)) != 0 ||
                            book_.aliases.count(name) != 0 || book_.groups.count(name) != 0;
    if (is_account_name(name) && !is_defined) warn_of_stranger(check_, name, path);
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

// Of an alias that leads to somebody: whether all of them are somebody, and whether it hides one.
void validate_targets(Check& check, const MailAlias& alias, Recipients& recipients) {
  const std::string path = join(join(kPath, "aliases"), alias.name);
  const std::string own = mail::to_lower(alias.name);
  bool has_itself = false;
  for (size_t i = 0; i < alias.targets.size(); ++i) {
    recipients.require(alias.targets[i], item_path(path, i, alias.targets.size()));
    has_itself |= mail::to_lower(alias.targets[i]) == own;
  }
  const Users& users = check.model.users;
  const bool is_user = has_account(users, own);
  if (has_itself || (!is_user && recipients.book().groups.count(own) == 0)) return;
  check.report.warning(alias.mark, path,
                       std::string("comes before the ") + (is_user ? "user" : "group") +
                           " of that name, who gets none of its mail; add " + quote(own) +
                           " to its targets, or take another name");
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
      if (is_useful) validate_targets(check, alias, recipients);
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
    for (size_t j = 0; j < rule.users.size(); ++j) {
      if (check.model.users.account_file || has_account(check.model.users, rule.users[j])) continue;
      check.report.error_at(item_path(join(path, "users"), j, rule.users.size()),
                            quote(rule.users[j]) + " is not in users");
    }
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
  for (size_t i = 0; i < mail.mailboxes.size(); ++i) {
    const auto item = parse_user_item(mail.mailboxes[i]);
    if (!item || item->kind == UserItem::Kind::any) continue;
    const std::string path = item_path(join(kPath, "mailboxes"), i, mail.mailboxes.size());
    const bool is_user = item->kind == UserItem::Kind::user;
    if (is_user) warn_of_stranger(check, std::string(item->name), path);
    const bool is_known = is_user ? has_account(users, item->name) : has_group(users, item->name);
    if (users.account_file || is_known) continue;
    check.report.error_at(path, quote(mail.mailboxes[i]) + " is not in users");
  }
  if (!mail.groups || users.account_file) return;
  for (size_t i = 0; i < mail.groups->size(); ++i) {
    if (has_group(users, (*mail.groups)[i])) continue;
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
  recipients.require_known(mail.postmaster, join(kPath, "postmaster"));
  recipients.require_known(mail.catch_all, join(kPath, "catch_all"));
  for (size_t i = 0; i < mail.fetch.size(); ++i) {
    const std::string path = join(join(kPath, "fetch"), i);
    recipients.require_known(mail.fetch[i].to, join(path, "to"));
    recipients.require_known(mail.fetch[i].unsorted, join(path, "unsorted"));
  }
}

}  // namespace postern::config
