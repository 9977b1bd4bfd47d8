// SPDX-License-Identifier: BSD-3-Clause
// OriginFetch: one question to an origin and its answer as HTTP has them, whatever the origin
// speaks: HTTP (fetch.h), FTP or Gopher (gateway/). The answer comes head first, then the body.
//
// The user may stop() it from within any call, and must not free it from within one: see
// Poller::bury(). While the user says that it has no room, nothing comes.
//
// Thread: control.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "services/http/message/framing.h"
#include "services/http/message/head.h"
#include "services/http/message/url.h"
#include "services/http/proxy/connector.h"

namespace postern::http {

class OriginFetch {
 public:
  struct Question {
    Destination destination;
    Peer client;
    std::string method;
    std::string head;              // of the request, whole
    Scheme scheme = Scheme::http;  // of the URL
    std::string user;              // user[:password] of the URL, percent-encoded; of ftp alone
    bool may_retry = false;        // idempotent, and without a body
    bool has_body = false;         // send_body() and end_body() follow
    bool asks_upgrade = false;     // 101 is an answer, then
    bool is_for_one = false;       // the connection is the client's afterwards, and not kept
  };

  class User {
   public:
    virtual ~User() = default;
    virtual void on_interim(const ResponseHead& head) = 0;
    // The head is good until the next start() or the end of the OriginFetch.
    virtual void on_head(const ResponseHead& head, const Framing& framing) = 0;
    // False: no more until resume().
    virtual bool on_data(std::string_view data) = 0;
    // Nothing more has come for the moment.
    virtual void on_pause() = 0;
    // `is_complete`: the body is whole as far as anybody can tell.
    virtual void on_end(bool is_complete) = 0;
    // Instead of on_head(): the server goes over to another protocol on this connection, and has
    // sent `early` in it.
    virtual void on_upgrade(const ResponseHead& head,
                            std::unique_ptr<UpstreamConnection> connection,
                            const std::string& early) = 0;
    // Instead of on_head().
    virtual void on_failure(Problem problem, const std::string& detail) = 0;
    // There is room for more of the request's body.
    virtual void on_upload_room() = 0;
  };

  virtual ~OriginFetch() = default;

  virtual void start(Question question) = 0;
  virtual void send_body(std::string_view /*octets*/) {}
  virtual void end_body() {}
  virtual size_t unsent() const { return 0; }
  virtual bool takes_body() const { return false; }
  virtual void resume() = 0;
  virtual void stop() = 0;

  virtual const Peer& remote() const = 0;
  // As Connector::origin().
  virtual Ipv4Address origin() const = 0;
  virtual const Fields& trailer() const = 0;
};

// For a URL of that scheme; a parent proxy is asked by HTTP for all of them.
std::unique_ptr<OriginFetch> make_fetch(Core& core, OriginFetch::User& user, Scheme scheme);

}  // namespace postern::http
