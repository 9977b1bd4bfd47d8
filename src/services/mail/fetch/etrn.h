// SPDX-License-Identifier: BSD-3-Clause
// EtrnSession: asks a server to send what it has for our domains, to us by SMTP (RFC 1985).
//
//   dial, EHLO, STARTTLS -> ETRN domain ... -> QUIT
//
// Bounds: those of ClientSession and Dialer. Thread: control.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "services/mail/fetch/dialer.h"
#include "services/mail/fetch/settings.h"
#include "services/mail/net/client_tls.h"
#include "services/mail/seams.h"
#include "services/mail/smtp/client_session.h"

namespace postern::mail {

// "mx.isp.example:25"
std::string etrn_name(const EtrnHost& host);

class EtrnSession : public std::enable_shared_from_this<EtrnSession> {
 public:
  struct Tools {
    boost::asio::io_context& context;
    const Seams& seams;  // outlive this
  };
  struct Manner {
    std::string host;                // our name
    std::shared_ptr<ClientTls> tls;  // nullptr: TlsMode::none
  };
  // Once; in words what went wrong, empty: nothing. The session may be let go of in it.
  using Then = std::function<void(const std::string& outcome)>;

  EtrnSession(const Tools& tools, EtrnHost host, Manner manner, Then then);
  ~EtrnSession();
  EtrnSession(const EtrnSession&) = delete;
  EtrnSession& operator=(const EtrnSession&) = delete;

  void start();
  // Once a second.
  void tick();

 private:
  void reached(const Result<Dialer::Reached>& reached);
  void secured(const Result<void>& outcome);
  void lost(const std::string& why);
  void carry_out(const ClientActions& actions);
  void say_next();
  void said(const Reply& reply);
  void conclude(const std::string& outcome);

  Tools tools_;
  EtrnHost host_;
  Manner manner_;
  Then then_;
  std::unique_ptr<Dialer> dialer_;
  std::shared_ptr<Stream> stream_;
  std::unique_ptr<ClientSession> session_;
  bool is_clear_ = false;  // opportunistic TLS failed: RFC 7435 section 3
  size_t at_ = 0;          // of the domains
  std::string outcome_;
  bool is_over_ = false;
};

}  // namespace postern::mail
