// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/delivery/outcome.h"

#include <algorithm>
#include <string_view>

namespace postern::mail {
namespace {

constexpr std::string_view kSaid = " said: ";
constexpr int64_t kNsPerS = 1'000'000'000;
constexpr uint32_t kDoublingsMax = 30;
constexpr int64_t kAgeMaxS = 365LL * 86'400;  // of a message; what is older came by a wrong clock
// Who is out of reach comes back for all at once: nobody waits for hours behind that.
constexpr int64_t kOutOfReachMaxS = 900;

int64_t to_s(Duration duration) {
  return duration.ns / kNsPerS;
}

// "mail.isp.example[192.0.2.25]:587 said: 450 4.2.1 The mailbox is busy"
std::string said_of(const Attempt& attempt) {
  std::string said = to_text(attempt.reply);
  if (!attempt.remote.empty()) said.insert(0, attempt.remote + std::string(kSaid));
  if (said.size() > kSaidMax) said.resize(kSaidMax);
  return said;
}

struct Said {
  std::string remote;  // the host's name alone
  std::string reply;
};

Said parse_said(const std::string& said) {
  const size_t at = said.find(kSaid);
  if (at == std::string::npos) return {"", said};
  std::string host = said.substr(0, at);
  host.resize(std::min(host.find('['), host.size()));
  return {std::move(host), said.substr(at + kSaid.size())};
}

bool is_told(const QueuedMessage& message, size_t place, DsnAction action) {
  DsnRecipient about;
  about.recipient.notify = message.envelope.recipients[place].notify;
  about.action = action;
  return !message.envelope.sender.is_null() && is_wanted(about);
}

// "5.1.1" of "550 5.1.1 Nobody has that name"; else the class alone.
std::string status_of(std::string_view reply, char class_digit) {
  const size_t first = reply.find(' ');
  if (first != std::string_view::npos) {
    const std::string_view word = reply.substr(first + 1, reply.find(' ', first + 1) - first - 1);
    if (is_enhanced_code(word) && word.front() == class_digit) return std::string(word);
  }
  return std::string(1, class_digit) + ".0.0";
}

// How long it has waited; -1: the clock does not say.
int64_t age_of(const QueuedMessage& message, int64_t now_s) {
  const int64_t age_s = now_s - message.arrived_s;
  return age_s < 0 || age_s > kAgeMaxS ? -1 : age_s;
}

int64_t longest_wait_s(const DeliverySettings& settings) {
  const int64_t wait = std::max({settings.first_retry.ns, settings.longest_retry.ns, kNsPerS});
  return to_s({wait + wait / 8}) + 1;
}

// Where the clock does not say how long it is tried, the number of tries does.
bool is_expired(const QueuedMessage& message, uint32_t attempts, const DeliverySettings& settings,
                int64_t now_s) {
  if (attempts < kTriesMin) return false;
  if (age_of(message, now_s) >= 0) return is_overdue(message, settings, now_s);
  return attempts - kTriesMin > to_s(settings.expiry) / longest_wait_s(settings);
}

}  // namespace

int64_t due_of(const Progress& progress, const DeliverySettings& settings, int64_t now_s) {
  return progress.next_s > now_s + longest_wait_s(settings) ? 0 : progress.next_s;
}

bool is_overdue(const QueuedMessage& message, const DeliverySettings& settings, int64_t now_s) {
  const int64_t age_s = age_of(message, now_s);
  return age_s >= 0 && age_s >= to_s(settings.expiry);
}

Duration back_off(const DeliverySettings& settings, uint32_t attempts, uint64_t number) {
  int64_t wait = std::max<int64_t>(settings.first_retry.ns, kNsPerS);
  const int64_t longest = std::max(settings.longest_retry.ns, wait);
  for (uint32_t i = 1; i < std::min(attempts, kDoublingsMax) && wait < longest; ++i)
    wait *= 2;
  wait = std::min(wait, longest);
  constexpr uint64_t kGolden = 0x9E3779B97F4A7C15;
  const auto eighth = static_cast<uint64_t>(wait / 8);
  return {wait + static_cast<int64_t>((number + attempts) * kGolden % (eighth + 1))};
}

Progress progress_after(const Attempt& attempt, const QueuedMessage& message, size_t place,
                        const DeliverySettings& settings, int64_t now_s) {
  Progress after = message.progress[place];
  ++after.attempts;
  after.said = said_of(attempt);
  if (attempt.reply.is_ok()) {
    after.state = RecipientState::delivered;
    after.is_owed = !attempt.has_dsn && is_told(message, place, DsnAction::delivered);
    return after;
  }
  if (attempt.reply.is_permanent() || is_expired(message, after.attempts, settings, now_s)) {
    after.state = RecipientState::failed;
    after.is_owed = is_told(message, place, DsnAction::failed);
    return after;
  }
  int64_t wait_s = to_s(back_off(settings, after.attempts, message.number));
  if (!attempt.was_tried) {
    const int64_t first_s = to_s(back_off(settings, 1, message.number));
    wait_s = std::min(wait_s, std::max(first_s, kOutOfReachMaxS));
  }
  after.next_s = now_s + wait_s;
  return after;
}

std::optional<int64_t> unscanned_due(const QueuedMessage& message,
                                     const DeliverySettings& settings) {
  std::optional<int64_t> due_s;
  for (const Progress& progress : message.progress) {
    if (progress.state != RecipientState::waiting) continue;
    int64_t at_s = message.arrived_s + to_s(settings.expiry);
    const bool is_warned = progress.attempts != 0 || settings.warning.ns <= 0;
    if (!is_warned) at_s = std::min(at_s, message.arrived_s + to_s(settings.warning));
    at_s = std::max(at_s, progress.next_s);
    due_s = std::min(due_s.value_or(at_s), at_s);
  }
  return due_s;
}

bool is_late(const QueuedMessage& message, size_t place, const DeliverySettings& settings,
             int64_t now_s) {
  const Progress& progress = message.progress[place];
  return progress.state == RecipientState::waiting && progress.attempts != 0 &&
         !progress.was_told_late && settings.warning.ns > 0 &&
         age_of(message, now_s) >= to_s(settings.warning) &&
         is_told(message, place, DsnAction::delayed);
}

DsnRecipient dsn_recipient(const QueuedMessage& message, size_t place,
                           const DeliverySettings& settings, int64_t now_s) {
  const Progress& progress = message.progress[place];
  DsnRecipient about;
  about.recipient = message.envelope.recipients[place];
  Said said = parse_said(progress.said);
  about.remote = std::move(said.remote);
  about.diagnostic = std::move(said.reply);
  about.last_attempt_s = progress.attempts != 0 ? now_s : 0;
  const bool is_transient = about.diagnostic.starts_with('4');
  switch (progress.state) {
    case RecipientState::waiting:
      about.action = DsnAction::delayed;
      about.status = status_of(about.diagnostic, '4');
      about.retry_until_s = message.arrived_s + to_s(settings.expiry);
      break;
    case RecipientState::delivered:
      about.action = about.recipient.user.empty() ? DsnAction::relayed : DsnAction::delivered;
      about.status = status_of(about.diagnostic, '2');
      break;
    case RecipientState::failed:
      about.action = DsnAction::failed;
      // RFC3463-3.5: X.4.7, delivery time expired
      about.status = is_transient ? "4.4.7" : status_of(about.diagnostic, '5');
      break;
    case RecipientState::expanded:
      about.action = DsnAction::expanded;
      about.status = "2.0.0";
      break;
  }
  return about;
}

}  // namespace postern::mail
