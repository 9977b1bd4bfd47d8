// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/server/smtp_server.h"

#include <algorithm>
#include <utility>

namespace postern::mail {
namespace {

// Octets of the fields that we put before a message (received.h, spf.h), which the queue counts.
constexpr uint64_t kTraceMax = 4096;

}  // namespace

SmtpServer::SmtpServer(Parts parts)
    : strangers_(parts.context, parts.seams,
                 {std::move(parts.folder), std::move(parts.spf_program)}, parts.jobs),
      host_{parts.context, std::move(parts.seams),  parts.queue,
            strangers_,    std::move(parts.finish), std::move(parts.has_way)},
      rules_(std::make_shared<SmtpRules>()),
      door_(
          parts.context,
          [this](const io::ListenAddress& at, const io::TcpListener::Arrival& arrival,
                 io::Places::Place place) { take(at, arrival, std::move(place)); },
          [this](const io::ListenAddress& at) { return sorry(at); }) {}

SmtpServer::~SmtpServer() {
  door_.close();
  const auto left = std::exchange(connections_, {});
  for (const auto& [key, client] : left)
    client.connection->stop();
}

Result<void> SmtpServer::follow(const MailSettings& settings, std::shared_ptr<ServerTls> tls) {
  auto rules = std::make_shared<SmtpRules>();
  rules->host = settings.host;
  rules->book = settings.book;
  rules->server = settings.server;
  const uint64_t queue_max = settings.queue.message_octets;
  rules->size_max = std::min(settings.server.message_octets,
                             queue_max > kTraceMax ? queue_max - kTraceMax : queue_max);
  rules->tls = std::move(tls);
  rules_ = std::move(rules);
  strangers_.follow(settings.server, settings.host);
  std::vector<io::ListenAddress> addresses;
  addresses.reserve(settings.server.smtp.size());
  for (const SmtpListener& listener : settings.server.smtp)
    addresses.push_back(listener.at);
  return door_.follow(addresses, settings.server.clients, settings.server.clients_of_one);
}

void SmtpServer::tick() {
  door_.tick();
  strangers_.tick();
}

SmtpPort SmtpServer::port_of(const io::ListenAddress& at) const {
  const auto& all = rules_->server.smtp;
  const auto found = std::find_if(
      all.begin(), all.end(), [&at](const SmtpListener& listener) { return listener.at == at; });
  return found == all.end() ? SmtpPort::mail : found->port;
}

std::string SmtpServer::sorry(const io::ListenAddress& at) const {
  if (port_of(at) == SmtpPort::submissions) return {};
  return "421 4.7.0 " + rules_->host + " Too many connections; come again later\r\n";
}

void SmtpServer::take(const io::ListenAddress& at, const io::TcpListener::Arrival& arrival,
                      io::Places::Place place) {
  // Who submits logs in, and is one of ours then.
  const bool may_share = port_of(at) != SmtpPort::mail || is_ours(*rules_, arrival.from);
  if (!may_share && door_.taken() > share_of_strangers(rules_->server.clients))
    return FrontDoor::turn_away(arrival.fd, sorry(at));
  auto over = [this](SmtpConnection& connection, std::shared_ptr<Stream> stream) {
    let_go(connection, std::move(stream));
  };
  const auto connection =
      std::make_shared<SmtpConnection>(host_, rules_, port_of(at), arrival.from, std::move(over));
  connections_.emplace(connection.get(), Client{connection, std::move(place)});
  connection->begin(arrival.fd);
}

void SmtpServer::let_go(const SmtpConnection& connection, std::shared_ptr<Stream> stream) {
  const auto at = connections_.find(&connection);
  if (at == connections_.end()) return;
  door_.leave(std::move(stream), std::move(at->second.place));
  connections_.erase(at);
}

}  // namespace postern::mail
