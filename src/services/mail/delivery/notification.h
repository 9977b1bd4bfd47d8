// SPDX-License-Identifier: BSD-3-Clause
// The text of a notification (message/dsn.h) about a message that is in the queue: with the header
// of that, or with all of it, where its sender asked for that and it has at most kReturnedMax
// octets. In seven bits wherever it can be, so that no hop on its way back has to know 8BITMIME or
// SMTPUTF8: a notification that comes back goes nowhere. Thread: any; reads the text, which may
// wait for the disk.
#pragma once

#include <cstddef>
#include <string>

#include "services/mail/message/dsn.h"
#include "services/mail/message/header.h"
#include "services/mail/queue/body.h"

namespace postern::mail {

constexpr size_t kReturnedMax = size_t{1} << 20;
constexpr size_t kReturnedHeaderMax = size_t{64} << 10;

struct Notification {
  std::string text;
  HeaderFields fields;  // of its own
  bool is_8bit = false;
  bool is_utf8 = false;
};

// `front`: lines that go before the text. Where the text cannot be read, less of it comes back.
Notification write_notification(DsnFacts facts, const std::string& front, const Body& text);

}  // namespace postern::mail
