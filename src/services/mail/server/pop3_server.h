// SPDX-License-Identifier: BSD-3-Clause
// Pop3Server: the listeners for POP3, in clear and over TLS, and their clients (F49; RFC 1939,
// RFC 8314). Bounds: ServerSettings::clients connections, clients_of_one of one address, and of
// pop3_networks alone. Thread: control.
#pragma once

#include <memory>
#include <unordered_map>

#include "base/result.h"
#include "services/mail/server/front_door.h"
#include "services/mail/server/pop3_connection.h"
#include "services/mail/service/settings.h"

namespace postern::mail {

class Pop3Server {
 public:
  // What it refers to outlives this. Nothing is listened to before follow().
  Pop3Server(boost::asio::io_context& context, const Seams& seams, const Mailboxes& mailboxes,
             io::JobPool& jobs);
  // What is under way is broken off; nothing that was not to be removed is.
  ~Pop3Server();
  Pop3Server(const Pop3Server&) = delete;
  Pop3Server& operator=(const Pop3Server&) = delete;

  // Sessions that are there go on by the rules that they began with. The error: a socket that
  // cannot be opened; all else is followed.
  Result<void> follow(const MailSettings& settings, std::shared_ptr<ServerTls> tls);
  // Once a second.
  void tick();

  std::vector<io::ListenAddress> listening() const { return door_.listening(); }
  size_t sessions() const { return connections_.size(); }

 private:
  struct Client {
    std::shared_ptr<Pop3Connection> connection;
    io::Places::Place place;
  };
  bool is_tls(const io::ListenAddress& at) const;
  void take(const io::ListenAddress& at, const io::TcpListener::Arrival& arrival,
            io::Places::Place place);
  void let_go(const Pop3Connection& connection, std::shared_ptr<Stream> stream);

  Pop3Parts parts_;
  std::shared_ptr<const Pop3Rules> rules_;
  std::unordered_map<const Pop3Connection*, Client> connections_;
  FrontDoor door_;
};

}  // namespace postern::mail
