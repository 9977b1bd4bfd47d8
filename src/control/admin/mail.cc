// SPDX-License-Identifier: BSD-3-Clause
// The mail service, its queue and the mailboxes elsewhere as JSON; what an administrator does with
// messages.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "control/admin/show.h"
#include "control/gateway.h"
#include "services/mail/message/address.h"

namespace postern::admin {
namespace {

constexpr uint32_t kRowsMax = 10'000;

Json listening_json(const mail::Service& service) {
  Json list = Json::array();
  for (const io::ListenAddress& at : service.listening())
    list.push_back(fmt::format("{}:{} on {}", to_text(at.address), at.port, at.device));
  return list;
}

Json time_json(int64_t at_s) {
  if (at_s == 0) return nullptr;
  return utc_text(static_cast<std::time_t>(at_s));
}

struct Kinds {
  uint64_t held = 0;
  uint64_t deferred = 0;
  int64_t oldest_s = 0;
};

bool is_waiting(const mail::Progress& progress) {
  return progress.state == mail::RecipientState::waiting;
}

bool is_deferred(const mail::QueuedMessage& message) {
  return std::any_of(message.progress.begin(), message.progress.end(),
                     [](const mail::Progress& one) { return is_waiting(one) && one.attempts > 0; });
}

Kinds kinds_of(const mail::Queue& queue) {
  Kinds kinds;
  queue.each([&kinds](const mail::QueuedMessage& message) {
    if (kinds.oldest_s == 0) kinds.oldest_s = message.arrived_s;
    kinds.held += message.is_held() ? 1 : 0;
    kinds.deferred += !message.is_held() && is_deferred(message) ? 1 : 0;
    return true;
  });
  return kinds;
}

Json queue_json(const mail::Service& service) {
  const mail::QueueCounters counters = service.queue().counters();
  const mail::QueueLimits& limits = service.queue().limits();
  const Kinds kinds = kinds_of(service.queue());
  return {{"messages", counters.messages},
          {"messages_max", limits.messages},
          {"bytes", counters.octets},
          {"bytes_max", limits.octets},
          {"held", kinds.held},
          {"deferred", kinds.deferred},
          {"oldest", time_json(kinds.oldest_s)},
          {"is_failing", counters.is_failing}};
}

const char* to_word(mail::RecipientState state) {
  switch (state) {
    case mail::RecipientState::waiting:
      return "waiting";
    case mail::RecipientState::delivered:
      return "delivered";
    case mail::RecipientState::failed:
      return "failed";
    case mail::RecipientState::expanded:
      return "expanded";
  }
  return "-";
}

Json message_json(const mail::QueuedMessage& message) {
  uint64_t waiting = 0;
  std::optional<int64_t> next_s;
  std::string said;
  for (const mail::Progress& one : message.progress) {
    if (!is_waiting(one)) continue;
    ++waiting;
    next_s = std::min(next_s.value_or(one.next_s), one.next_s);
    if (!one.said.empty()) said = one.said;
  }
  const mail::Envelope& envelope = message.envelope;
  return {{"id", mail::to_queue_id(message.number)},
          {"arrived", time_json(message.arrived_s)},
          {"bytes", message.octets},
          {"from", mail::to_text(envelope.sender)},
          {"user", envelope.user},
          {"client", envelope.client.is_unspecified() ? "" : to_text(envelope.client)},
          {"is_held", message.is_held()},
          {"recipients", envelope.recipients.size()},
          {"waiting", waiting},
          {"next", message.is_held() ? Json() : time_json(next_s.value_or(0))},
          {"said", said}};
}

Json recipients_json(const mail::QueuedMessage& message) {
  Json list = Json::array();
  for (size_t i = 0; i < message.envelope.recipients.size(); ++i) {
    const mail::Progress& progress = message.progress[i];
    const mail::Recipient& recipient = message.envelope.recipients[i];
    std::string mailbox = recipient.user;
    if (!recipient.folder.empty()) mailbox += fmt::format("/{}", recipient.folder);
    list.push_back({{"to", mail::to_text(recipient.address)},
                    {"mailbox", std::move(mailbox)},
                    {"state", to_word(progress.state)},
                    {"attempts", progress.attempts},
                    {"next", time_json(is_waiting(progress) ? progress.next_s : 0)},
                    {"said", progress.said}});
  }
  return list;
}

Error not_running(const MailControl& mail) {
  if (!mail.is_wanted()) return {ErrorCode::not_found, "services.mail is not configured"};
  return {ErrorCode::unavailable, "the mail service does not run; see postern status"};
}

Error no_message(const std::string& id) {
  return {ErrorCode::not_found, fmt::format("there is no message {} in the queue", id)};
}

void show_queue(Gateway& gateway, const Json& request, Reply reply) {
  const mail::Service* service = gateway.mail().service();
  if (service == nullptr) return reply.refuse(not_running(gateway.mail()));
  const std::string id = request.value("id", std::string());
  if (!id.empty()) {
    const mail::QueuedMessage* message = service->queue().find(mail::parse_queue_id(id));
    if (message == nullptr) return reply.refuse(no_message(id));
    Json result = {{"message", message_json(*message)}};
    result["message"]["to"] = recipients_json(*message);
    return reply.done(result);
  }
  auto limit = number_of(request, {"limit", "--limit", 0, UINT32_MAX, uint64_t{1000}});
  if (!limit) return reply.refuse(limit.error());
  const size_t rows = std::min<uint64_t>(*limit, kRowsMax);
  Json list = Json::array();
  service->queue().each([&](const mail::QueuedMessage& message) {
    if (list.size() >= rows) return false;
    list.push_back(message_json(message));
    return true;
  });
  reply.done({{"messages", std::move(list)}, {"total", service->queue().counters().messages}});
}

void show_fetch(Gateway& gateway, Reply reply) {
  const mail::Service* service = gateway.mail().service();
  if (service == nullptr) return reply.refuse(not_running(gateway.mail()));
  Json list = Json::array();
  for (const mail::Service::FetchState& state : service->fetches()) {
    list.push_back({{"name", state.name},
                    {"last", time_json(state.last_s)},
                    {"fetched", state.fetched},
                    {"outcome", state.outcome},
                    {"is_running", state.is_running}});
  }
  reply.done({{"accounts", std::move(list)}});
}

// One message of an administrator's choice; `text` says what has been done.
using Deed = void (mail::Service::*)(uint64_t number, const mail::Service::Done& then);
void add_deed(Dispatcher& dispatcher, Gateway& gateway, const std::string& name,
              const std::pair<Deed, std::string>& what) {
  dispatcher.add(
      name,
      [&gateway, what](const Json& request, const Peer&, Reply reply) {
        mail::Service* service = gateway.mail().service();
        if (service == nullptr) return reply.refuse(not_running(gateway.mail()));
        const std::string id = request.at("id").get<std::string>();
        if (id == "all" && what.first == &mail::Service::retry) {
          service->retry_all();
          return reply.done({{"text", "all messages that wait are tried now"}});
        }
        const uint64_t number = mail::parse_queue_id(id);
        if (number == 0) return reply.refuse(no_message(id));
        const auto answer = std::make_shared<Reply>(std::move(reply));
        (service->*what.first)(number, [answer, id, text = what.second](const Result<void>& done) {
          if (done) return answer->done({{"text", id + " " + text}});
          answer->refuse(done.error().code == ErrorCode::not_found ? no_message(id) : done.error());
        });
      },
      Effect::changes);
}

void fetch_now(Gateway& gateway, const Json& request, Reply reply) {
  mail::Service* service = gateway.mail().service();
  if (service == nullptr) return reply.refuse(not_running(gateway.mail()));
  const std::string name = request.value("name", std::string());
  uint64_t begun = 0;
  for (const mail::Service::FetchState& state : service->fetches()) {
    if (!name.empty() && state.name != name) continue;
    if (auto done = service->fetch_now(state.name); !done) return reply.refuse(done.error());
    ++begun;
  }
  if (begun == 0) {
    return reply.refuse({ErrorCode::not_found,
                         name.empty()
                             ? std::string("services.mail.fetch has no accounts")
                             : fmt::format("there is no account {} in services.mail.fetch", name)});
  }
  reply.done({{"text", fmt::format("{} begun; see postern show mail fetch", begun)}});
}

}  // namespace

Json mail_json(Gateway& gateway) {
  const MailControl& mail = gateway.mail();
  if (!mail.is_wanted()) return nullptr;
  const mail::Service* service = mail.service();
  Json result = {{"running", service != nullptr}};
  if (service == nullptr) return result;
  const mail::MailCounters counters = mail.counters();
  result["listening"] = listening_json(*service);
  result["queue"] = queue_json(*service);
  result["received"] = counters.received + counters.fetched;
  result["delivered"] = counters.delivered;
  result["relayed"] = counters.relayed;
  return result;
}

Json show_mail(Gateway& gateway) {
  const MailControl& mail = gateway.mail();
  const mail::Service* service = mail.service();
  Json result = {{"since", utc_text(gateway.status().started)},
                 {"enabled", mail.is_wanted()},
                 {"running", service != nullptr}};
  if (service == nullptr) return result;
  const mail::MailCounters counters = mail.counters();
  Json counts = Json::object();
  Json help = Json::object();
#define POSTERN_MAIL_COUNTER(name, text) \
  counts[#name] = counters.name;         \
  help[#name] = text;
#include "control/services/mail_counters.def"
#undef POSTERN_MAIL_COUNTER
  Json networks = Json::array();
  for (const AddressRange& range : mail.relay_networks())
    networks.push_back(to_text(range));
  result["name"] = mail.host();
  result["folder"] = mail.folder();
  result["fingerprint"] = mail.fingerprint();
  result["listening"] = listening_json(*service);
  result["relay_networks"] = std::move(networks);
  result["smtp_sessions"] = counters.smtp_sessions;
  result["pop3_sessions"] = counters.pop3_sessions;
  result["queue"] = queue_json(*service);
  result["counters"] = std::move(counts);
  result["help"] = std::move(help);
  return result;
}

void add_mail_commands(Dispatcher& dispatcher, Gateway& gateway) {
  dispatcher.add("show mail", [&gateway](const Json& request, const Peer&, Reply reply) {
    const std::string what = request.value("what", std::string());
    if (what == "queue") return show_queue(gateway, request, std::move(reply));
    if (what == "fetch") return show_fetch(gateway, std::move(reply));
    reply.done(show_mail(gateway));
  });
  add_deed(dispatcher, gateway, "mail retry", {&mail::Service::retry, "is tried now"});
  add_deed(dispatcher, gateway, "mail hold",
           {&mail::Service::hold, "stays until postern mail retry"});
  add_deed(dispatcher, gateway, "mail delete", {&mail::Service::remove, "is deleted"});
  dispatcher.add(
      "mail fetch",
      [&gateway](const Json& request, const Peer&, Reply reply) {
        fetch_now(gateway, request, std::move(reply));
      },
      Effect::changes);
}

}  // namespace postern::admin
