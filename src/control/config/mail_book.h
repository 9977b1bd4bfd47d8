// SPDX-License-Identifier: BSD-3-Clause
// services.mail and the people that there are -> who gets mail (services/mail/routing). Pure;
// thread: any.
#pragma once

#include <string>
#include <vector>

#include "control/config/model_mail.h"
#include "services/mail/routing/recipients.h"

namespace postern::config {

struct MailPerson {
  std::string name;
  std::vector<std::string> groups;  // all, those that groups are in as well
};

// Of the mailboxes and groups of the configuration those that there are; addresses of our own are
// for the caller to add.
mail::RecipientBook mail_book(const Mail& mail, const std::vector<MailPerson>& people);

// As it is compared: small letters, without a dot at its end.
std::string mail_domain(std::string_view domain);

// Mail::name, or what stands for it.
std::string mail_name(const Mail& mail, const std::string& system_name);

}  // namespace postern::config
