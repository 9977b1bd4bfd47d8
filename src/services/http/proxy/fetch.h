// SPDX-License-Identifier: BSD-3-Clause
// Fetch: one exchange with an HTTP origin or a parent proxy: a request goes out, perhaps with a
// body, and a response comes back, head first, then the body without its transfer coding.
//
//   Connector -> connection -> request -> interim responses -> head -> data ... -> end
//
// A kept connection that turns out to be closed before it gave an octet is no failure: the request
// goes out once more on a new one, if it may (RFC 9112 section 9.3.1).
//
// Nothing is read while the user says that it has no room, and no more than kUnsentMax octets of a
// request's body wait.
//
// Thread: control. Bounds: the head of the response by ProxyLimits::head_bytes, kInterimMax interim
// responses, kRoundsMax reads in one go; times by ProxyLimits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "services/http/message/chunked.h"
#include "services/http/message/framing.h"
#include "services/http/message/head.h"
#include "services/http/proxy/connector.h"
#include "services/http/proxy/origin_fetch.h"

namespace postern::http {

class Fetch : public OriginFetch, private Connector::User, private UpstreamConnection::User {
 public:
  static constexpr size_t kUnsentMax = size_t{64} << 10;
  static constexpr int kInterimMax = 16;
  static constexpr int kRoundsMax = 8;

  using Question = OriginFetch::Question;
  using User = OriginFetch::User;

  Fetch(Core& core, User& user);
  ~Fetch() override;

  void start(Question question) override;
  void send_body(std::string_view octets) override;
  void end_body() override;
  size_t unsent() const override { return out_.size() - sent_; }
  bool takes_body() const override { return state_ != State::connecting && state_ != State::idle; }
  void resume() override;
  void stop() override;

  const Peer& remote() const override { return remote_; }
  // As the Connector has it.
  Ipv4Address origin() const override { return connector_.origin(); }
  const ResponseHead& head() const { return reader_.head(); }
  const Fields& trailer() const override { return chunks_.trailer(); }

 private:
  enum class State : uint8_t { idle, connecting, head, body };

  void on_connected(std::unique_ptr<UpstreamConnection> connection) override;
  void on_no_connection(Problem problem, const std::string& detail) override;
  void on_upstream(uint32_t events) override;
  void on_upstream_time_out() override;

  void flush();
  void read();
  bool take(std::string_view octets);
  bool take_head(std::string_view octets);
  void hand_over();
  bool begin_body(std::string_view rest);
  bool take_body(std::string_view octets);
  bool take_chunks(std::string_view octets);
  bool take_counted(std::string_view octets);
  bool give(std::string_view data);
  void on_closed(bool is_clean);
  void end(bool is_complete, bool is_reusable);
  void fail(Problem problem, std::string_view detail);
  bool try_again();

  Core& core_;
  User& user_;
  Connector connector_;
  Question question_;
  State state_ = State::idle;
  std::unique_ptr<UpstreamConnection> connection_;
  Peer remote_;
  std::string out_;  // of the request, from sent_ on not sent yet
  size_t sent_ = 0;
  bool is_sent_ = false;  // the body is whole in out_
  bool is_reused_ = false;
  bool has_octets_ = false;  // of a response
  bool is_paused_ = false;
  bool may_write_ = true;  // the far side still reads
  int interims_ = 0;
  std::string in_;    // of a head that is not whole yet; then that head
  std::string held_;  // behind on_data() that said no
  ResponseReader reader_;
  Framing framing_;
  uint64_t left_ = 0;
  ChunkedDecoder chunks_;
};

}  // namespace postern::http
