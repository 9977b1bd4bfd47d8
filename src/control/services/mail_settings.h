// SPDX-License-Identifier: BSD-3-Clause
// services.mail of the configuration -> what the mail service takes. Pure but for the files with
// passwords. Thread: control.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/accounts/book.h"
#include "control/config/model.h"
#include "control/config/resolve.h"
#include "control/listeners.h"
#include "dataplane/policy/policy.h"
#include "services/mail/service/settings.h"

namespace postern {

// Times of the week by the numbers that settings have.
class MailTimes {
 public:
  static constexpr uint32_t kNever = UINT32_MAX;
  // Empty items: always, which is no number.
  std::vector<uint32_t> add(const config::Objects& objects, const std::vector<std::string>& items);
  bool holds(uint32_t time, std::time_t now) const;

 private:
  std::vector<std::vector<config::WeekInterval>> times_;
};

// What it is made of; all of it outlives the call.
struct MailInputs {
  const config::Mail& mail;
  const config::Objects& objects;
  const std::string& system_name;
  const Policy& policy;
  const DeviceOf& device_of;
  const accounts::Book& people;
};

struct MailPlan {
  mail::MailSettings settings;  // without certificate and key
  MailTimes times;
  Result<void> complaint;  // the first password that cannot be had: that way is not used
};
MailPlan plan_mail(const MailInputs& inputs);

// MailPlan::settings.book alone, which is all that accounts change. Reads no file.
mail::RecipientBook plan_mail_book(const MailInputs& inputs);

// Where the service listens by these settings.
std::vector<io::ListenAddress> places_of(const mail::ServerSettings& server);

}  // namespace postern
