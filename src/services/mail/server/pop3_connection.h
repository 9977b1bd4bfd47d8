// SPDX-License-Identifier: BSD-3-Clause
// Pop3Connection: one client of the POP3 server with its socket, and what its Pop3Session asks of
// passwords, of the mailbox and of the network (RFC 1939, RFC 2595).
//
//   Stream -> Pop3Session -> Pop3Host: here -> threads of `jobs` for the disk -> Stream
//
// A message is read in pieces, each on a thread, the next one when the client has taken the last.
// The lock of a mailbox is held until what was to be removed is, be the client there or not.
//
// Bounds: kUnsentMax octets and a piece wait to be sent; commands wait while that is so. A session
// that waits has no buffers, but a list of its mailbox. kLoginMax to log in, whatever is said, and
// `idle` from octet to octet behind that (on_second()). Thread: control.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "services/io/job_pool.h"
#include "services/mail/mailbox/mailboxes.h"
#include "services/mail/mailbox/maildir.h"
#include "services/mail/net/stream.h"
#include "services/mail/pop3/message_sender.h"
#include "services/mail/pop3/server_session.h"
#include "services/mail/routing/recipients.h"
#include "services/mail/seams.h"
#include "services/mail/server/mailbox_locks.h"
#include "services/mail/server/settings.h"

namespace postern::mail {

class ServerTls;

// Sessions keep the rules that they began with.
struct Pop3Rules {
  std::string host;
  std::set<std::string> users;  // with a mailbox; lower case
  ServerSettings server;
  std::shared_ptr<ServerTls> tls;  // nullptr: there is none
};

// What all connections have in common, and outlives them.
struct Pop3Parts {
  boost::asio::io_context& context;
  Seams seams;
  const Mailboxes& mailboxes;
  io::JobPool& jobs;
  MailboxLocks locks;
};

class Pop3Connection : public std::enable_shared_from_this<Pop3Connection>, private Pop3Host {
 public:
  static constexpr Duration kLoginMax = seconds(120);
  static constexpr Duration kLeavingMax = seconds(10);
  static constexpr size_t kUnsentMax = size_t{64} << 10;

  // `over`: it is, and is to be let go of; what was sent may still go out by the stream.
  using Over = std::function<void(Pop3Connection& connection, std::shared_ptr<Stream> stream)>;
  Pop3Connection(Pop3Parts& parts, std::shared_ptr<const Pop3Rules> rules, Ipv4Address client,
                 Over over);
  ~Pop3Connection() override;
  Pop3Connection(const Pop3Connection&) = delete;
  Pop3Connection& operator=(const Pop3Connection&) = delete;

  // Owns `fd`. `is_tls`: from the first octet.
  void begin(int fd, bool is_tls);
  // Once a second: who is silent for too long is gone. Nothing of the mailbox is removed then.
  void on_second(Instant now);

 private:
  struct Piece;

  void send(std::string_view octets) override;
  bool has_room() const override;
  void check_password(const std::string& user, const std::string& password) override;
  void open_mailbox(const std::string& user) override;
  void send_message(const MailboxMessage& message, std::optional<uint64_t> lines) override;
  void remove(const std::vector<MailboxMessage>& messages) override;
  void start_tls() override;
  void close() override;

  void receive(std::string_view octets);
  void drained();
  void secured(const Result<void>& outcome);
  void password_checked(PasswordCheck check, const std::string& user);
  void read_piece(const std::shared_ptr<Piece>& piece);
  void take_piece(const std::shared_ptr<Piece>& piece);
  void settle();
  void end(bool was_told);
  void log_login(PasswordCheck check, const std::string& user);
  Instant now() const { return parts_.seams.now(); }

  Pop3Parts& parts_;
  std::shared_ptr<const Pop3Rules> rules_;
  Ipv4Address client_;
  Over over_;
  std::shared_ptr<Stream> stream_;
  Pop3Session session_;
  std::shared_ptr<MailboxLock> lock_;
  std::optional<Maildir> maildir_;  // behind the log-in
  std::shared_ptr<Piece> sending_;  // of the message that is sent
  Instant active_at_;
  Instant began_at_;        // and again behind STLS
  bool is_asking_ = false;  // something that will be answered
  bool is_greeted_ = false;
  bool has_all_said_ = false;  // the client sends no more
  bool is_all_read_ = false;   // of the message; the session is told when there is room again
  bool is_over_ = false;
};

}  // namespace postern::mail
