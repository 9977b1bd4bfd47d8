// SPDX-License-Identifier: BSD-3-Clause
// MailSettings: all that the configuration says about mail. Plain values; thread: any.
#pragma once

#include <string>
#include <vector>

#include "services/mail/delivery/settings.h"
#include "services/mail/fetch/settings.h"
#include "services/mail/queue/queue.h"
#include "services/mail/relay/settings.h"
#include "services/mail/routing/recipients.h"
#include "services/mail/routing/sorting.h"
#include "services/mail/scan/settings.h"
#include "services/mail/server/settings.h"

namespace postern::mail {

struct MailSettings {
  std::string host;  // our name: in greetings, Received fields and ids of messages
  RecipientBook book;
  std::vector<SortingRule> sorting;
  QueueLimits queue;
  ServerSettings server;
  DeliverySettings delivery;
  RelaySettings relay;
  ScanSettings scan;
  FetchSettings fetch;
};

}  // namespace postern::mail
