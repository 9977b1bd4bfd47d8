// SPDX-License-Identifier: BSD-3-Clause
// Session: one connection of the remote administration, from its hello to its end; see server.h.
//
// Each pending operation holds it, so it lives until the last of them is over. Thread: control.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "control/admin/dispatcher.h"
#include "control/remote/channel/handshake.h"
#include "control/remote/door.h"

namespace postern::remote {

class Session : public std::enable_shared_from_this<Session> {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  // What a session asks of the server that it belongs to, and tells it.
  struct Calls {
    std::function<Duration()> idle;
    std::function<void(LogIn log_in, Ipv4Address from,
                       const std::function<void(const Admission&)>& done)>
        admit;
    // A place among the sessions in exchange for that at the door.
    std::function<bool(const Session& session, const Admission& admission)> begin;
    std::function<config::Role(const Session& session)> role_now;
    std::function<uint32_t(const std::string& name)> uid_of;  // of nobody of this machine
    std::function<void(std::string_view request, const admin::Peer& peer,
                       std::function<void(std::string)> done)>
        handle;
    std::function<void(const Session& session, const std::string& line, bool is_attempt)> tell;
    // Of each log-in, once it is decided; `detail` says how, or why not. Those that were turned
    // away unchecked may be many.
    std::function<void(const Session& session, const std::string& detail, bool is_checked)>
        on_log_in;
    std::function<void(Session& session)> on_end;
  };
  Session(Socket socket, const SigningKey& key, const AdminConnection& connection, Calls calls);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start();
  // At once, or after the response that is due.
  void end_soon();
  // At once; its place at the door is another's already.
  void turn_out();

  const AdminConnection& connection() const { return connection_; }
  bool has_place() const { return has_place_; }
  bool is_open() const { return is_open_; }  // somebody is logged in
  const std::string& who() const { return who_; }
  config::Role role() const { return role_; }
  const Proof& proof() const { return proof_; }
  Instant since() const { return since_; }
  void set_since(Instant at) { since_ = at; }

 private:
  void read();
  void take();
  void tell_cut();
  void log_in();
  void decide(const Admission& admission);
  void answer();
  void respond(std::string response);
  void send_more();
  void flush(std::function<void()> then);
  void finish();
  void close();
  void limit(Duration time);

  Socket socket_;
  boost::asio::steady_timer timer_;
  ServerSide side_;
  AdminConnection connection_;
  Calls calls_;
  Buffer in_, sending_;
  std::string response_;
  size_t response_at_ = 0;
  bool is_answering_ = false;
  bool is_ending_ = false;
  bool is_open_ = false;
  bool has_place_ = true;       // at the door, or of a session
  bool has_attempted_ = false;  // a log-in, which then was told by itself
  bool is_late_ = false;        // closed for that
  std::string who_;
  config::Role role_ = config::Role::none;
  Proof proof_;
  Instant since_;
};

}  // namespace postern::remote
