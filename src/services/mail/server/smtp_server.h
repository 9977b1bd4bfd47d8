// SPDX-License-Identifier: BSD-3-Clause
// SmtpServer: the listeners for mail, submission and submissions, and their clients (F49, F53;
// RFC 5321, RFC 6409, RFC 8314).
//
//   FrontDoor -> SmtpConnection -> FinishedMessage -> Intake
//
// Bounds: ServerSettings::clients connections, clients_of_one of one address. Thread: control.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "services/mail/server/front_door.h"
#include "services/mail/server/smtp_connection.h"
#include "services/mail/service/settings.h"

namespace postern::mail {

class SmtpServer {
 public:
  struct Parts {
    boost::asio::io_context& context;
    Seams seams;
    Queue& queue;
    io::JobPool& jobs;
    std::string folder;  // of the greylist
    std::function<void(FinishedMessage message, const SmtpHost::Answer& then)> finish;
    std::function<bool(const Address& sender, const Address& recipient)> has_way;
    std::string spf_program;  // its path
  };
  // What it refers to outlives this. Nothing is listened to before follow().
  explicit SmtpServer(Parts parts);
  // What is under way is broken off.
  ~SmtpServer();
  SmtpServer(const SmtpServer&) = delete;
  SmtpServer& operator=(const SmtpServer&) = delete;

  // Sessions that are there go on by the rules that they began with. The error: a socket that
  // cannot be opened; all else is followed.
  Result<void> follow(const MailSettings& settings, std::shared_ptr<ServerTls> tls);
  // Once a second.
  void tick();

  std::vector<io::ListenAddress> listening() const { return door_.listening(); }
  size_t sessions() const { return connections_.size(); }

 private:
  struct Client {
    std::shared_ptr<SmtpConnection> connection;
    io::Places::Place place;
  };
  std::string sorry(const io::ListenAddress& at) const;
  SmtpPort port_of(const io::ListenAddress& at) const;
  void take(const io::ListenAddress& at, const io::TcpListener::Arrival& arrival,
            io::Places::Place place);
  void let_go(const SmtpConnection& connection, std::shared_ptr<Stream> stream);

  Strangers strangers_;
  SmtpHost host_;
  std::shared_ptr<const SmtpRules> rules_;
  std::unordered_map<const SmtpConnection*, Client> connections_;
  FrontDoor door_;
};

}  // namespace postern::mail
