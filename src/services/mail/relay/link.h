// SPDX-License-Identifier: BSD-3-Clause
// RelayLink: one connection of Relay to a host of a hop, from the first address that is looked up
// to the last message. It gives a ClientSession what it wants: sockets, TLS, tokens, time and the
// text of messages, in pieces.
//
//   open(hosts) -> [name -> addresses -> connection -> session] of the first host that is usable
//               -> Owner::on_link_ready -> send() -> on_link_message_over -> ... on_link_ended
//
// TLS that is only opportunistic and fails is left away at the next try of the same host (RFC 7435
// section 3), but never where there is a password.
//
// Thread: control; a long text is read on a thread of `disk`. Bounds: kPieceMax octets of a text
// and as much of it on its way out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/mail/net/client_tls.h"
#include "services/mail/net/connector.h"
#include "services/mail/net/stream.h"
#include "services/mail/relay/next_hops.h"
#include "services/mail/relay/route.h"
#include "services/mail/relay/settings.h"
#include "services/mail/relay/token_source.h"
#include "services/mail/seams.h"
#include "services/mail/smtp/client_session.h"

namespace postern::io {
class JobPool;
}

namespace postern::mail {

class RelayLink : public std::enable_shared_from_this<RelayLink> {
 public:
  static constexpr size_t kPieceMax = size_t{64} << 10;
  static constexpr Duration kFarewell = seconds(5);

  // Never called from within a call to the link but stop(); there is no call behind stop().
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_link_ready(RelayLink& link) = 0;
    virtual void on_link_message_over(RelayLink& link, const MessageOver& over) = 0;
    // The last call. Where the link never was ready: no host could be used, `why` is 4xx, or 5xx
    // where none ever can.
    virtual void on_link_ended(RelayLink& link, const Reply& why) = 0;
  };

  // What all links share; outlives them.
  struct Tools {
    boost::asio::io_context& context;
    const Seams& seams;
    TokenSource& tokens;
    io::JobPool& disk;
    // Kept, for a file of authorities takes long to read.
    std::function<Result<std::shared_ptr<ClientTls>>(const RelayHost& host)> tls_for;
    // Of a host that is a domain's own (route.h).
    std::function<MailAddressChoice(const std::string& host, std::vector<Ipv4Address> found)>
        choose_addresses;
  };
  struct Manner {
    std::string helo;
    Duration connect_timeout;
    Duration command_timeout;
    Duration end_timeout;
  };

  RelayLink(const Tools& tools, Owner& owner, std::string hop, Manner manner);
  ~RelayLink();
  RelayLink(const RelayLink&) = delete;
  RelayLink& operator=(const RelayLink&) = delete;

  void open(std::vector<RelayHost> hosts);
  // The hosts of the hop's domain, each `like` this but for its name.
  void open_domain(const RelayHost& like);
  // While is_idle().
  void send(RelayJob job, std::vector<size_t> places);
  void quit();  // while is_idle(); then it has ended, without a call
  void stop();  // at once
  // Once a second.
  void tick();

  const std::string& hop() const { return hop_; }
  bool is_open() const { return is_open_; }  // a session that can take messages
  bool is_idle() const;
  Instant idle_since() const { return idle_since_; }
  size_t messages() const { return messages_; }          // begun
  const std::string& remote() const { return remote_; }  // "mx.b.example[192.0.2.1]:25"
  bool has_dsn() const { return session_ && session_->offers().is_dsn; }

 private:
  // What is to be done behind a list of actions.
  struct After {
    bool is_ready = false;
    bool is_text = false;
    std::optional<Reply> over;
  };

  const RelayHost& host() const { return hosts_[at_]; }
  void later(void (RelayLink::*step)());
  void find_mail_hosts();
  void take_mail_hosts(const std::vector<std::string>& names);
  void ask();
  void try_host();
  void choose(std::vector<Ipv4Address> found);
  void connect(std::vector<Ipv4Address> addresses);
  void begin(int fd, Ipv4Address address);
  ClientSettings settings_of(const RelayHost& host) const;
  void secured(const Result<void>& outcome);
  void lost(const std::string& why);
  void refuse_host(const Reply& why);
  void end(const Reply& why);

  void carry_out(const ClientActions& actions);
  void take_action(const SendOctets& send, After& after);
  void take_action(const StartTls& action, After& after);
  void take_action(const CloseConnection& action, After& after);
  void take_action(const AskToken& ask, After& after);
  void take_action(const ReadyForMessage& action, After& after);
  void take_action(const SendText& action, After& after);
  void take_action(const MessageOver& over, After& after);
  void take_action(const Said& said, After& after);
  void take_action(const SessionOver& over, After& after);

  // link_text.cc
  void begin_message();
  void go_on_with_text();
  void read_piece();
  void send_piece(const std::string& piece, size_t wanted);

  const Tools& tools_;
  Owner& owner_;
  std::string hop_;
  Manner manner_;
  RelayHost pattern_;  // of the hosts of a domain
  std::vector<RelayHost> hosts_;
  size_t at_ = 0;
  bool leaves_tls_ = false;  // at this host, after it failed
  Reply last_;               // what was wrong with the host before
  std::string remote_;
  std::unique_ptr<Connector> connector_;
  std::shared_ptr<Stream> stream_;
  std::unique_ptr<ClientSession> session_;
  std::shared_ptr<ClientTls> tls_;
  std::shared_ptr<int> question_;        // the one that is out: to DNS
  std::shared_ptr<int> token_question_;  // for a token, of session_
  Instant asked_at_;
  bool is_open_ = false;
  bool is_over_ = false;
  bool is_busy_ = false;  // with a message
  Instant idle_since_;
  size_t messages_ = 0;

  RelayJob job_;  // that is sent
  std::vector<size_t> places_;
  uint64_t text_at_ = 0;
  bool has_front_sent_ = false;
  bool is_reading_ = false;
};

}  // namespace postern::mail
