// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/server/pop3_server.h"

#include <algorithm>
#include <utility>

#include "services/mail/server/smtp_rules.h"

namespace postern::mail {

Pop3Server::Pop3Server(boost::asio::io_context& context, const Seams& seams,
                       const Mailboxes& mailboxes, io::JobPool& jobs)
    : parts_{context, seams, mailboxes, jobs, {}},
      rules_(std::make_shared<Pop3Rules>()),
      door_(
          context,
          [this](const io::ListenAddress& at, const io::TcpListener::Arrival& arrival,
                 io::Places::Place place) { take(at, arrival, std::move(place)); },
          [this](const io::ListenAddress& at) {
            return is_tls(at) ? std::string() : "-ERR [SYS/TEMP] too many connections\r\n";
          }) {}

Pop3Server::~Pop3Server() {
  door_.close();
}

Result<void> Pop3Server::follow(const MailSettings& settings, std::shared_ptr<ServerTls> tls) {
  auto rules = std::make_shared<Pop3Rules>();
  rules->host = settings.host;
  rules->users = settings.book.users;
  rules->server = settings.server;
  rules->tls = std::move(tls);
  rules_ = std::move(rules);
  std::vector<io::ListenAddress> addresses;
  addresses.reserve(settings.server.pop3.size());
  for (const Pop3Listener& listener : settings.server.pop3)
    addresses.push_back(listener.at);
  return door_.follow(addresses, settings.server.clients, settings.server.clients_of_one);
}

void Pop3Server::tick() {
  door_.tick();
  const Instant now = parts_.seams.now();
  for (auto at = connections_.begin(); at != connections_.end();) {
    const auto connection = (at++)->second.connection;  // which may go
    connection->on_second(now);
  }
}

bool Pop3Server::is_tls(const io::ListenAddress& at) const {
  const auto& all = rules_->server.pop3;
  return std::any_of(all.begin(), all.end(), [&at](const Pop3Listener& listener) {
    return listener.at == at && listener.is_tls;
  });
}

void Pop3Server::take(const io::ListenAddress& at, const io::TcpListener::Arrival& arrival,
                      io::Places::Place place) {
  if (!is_in(rules_->server.pop3_networks, arrival.from)) {
    const char* line = is_tls(at) ? "" : "-ERR [SYS/PERM] not for you\r\n";
    return FrontDoor::turn_away(arrival.fd, line);
  }
  auto over = [this](Pop3Connection& connection, std::shared_ptr<Stream> stream) {
    let_go(connection, std::move(stream));
  };
  const auto connection =
      std::make_shared<Pop3Connection>(parts_, rules_, arrival.from, std::move(over));
  connections_.emplace(connection.get(), Client{connection, std::move(place)});
  connection->begin(arrival.fd, is_tls(at));
}

void Pop3Server::let_go(const Pop3Connection& connection, std::shared_ptr<Stream> stream) {
  const auto at = connections_.find(&connection);
  if (at == connections_.end()) return;
  door_.leave(std::move(stream), std::move(at->second.place));
  connections_.erase(at);
}

}  // namespace postern::mail
