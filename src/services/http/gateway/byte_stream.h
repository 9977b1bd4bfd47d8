// SPDX-License-Identifier: BSD-3-Clause
// ByteStream: one connection to an origin that does not speak HTTP: octets both ways, read only
// while the user has room. It is opened by a Connector, and so to addresses that were judged (F58).
//
// The user may stop() it from within any call. Thread: control. Bounds: kRoundsMax reads in one go;
// what is sent are short lines.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "services/http/proxy/connector.h"

namespace postern::http {

class ByteStream : private Connector::User, private UpstreamConnection::User {
 public:
  static constexpr int kRoundsMax = 8;

  class User {
   public:
    virtual ~User() = default;
    virtual void on_stream_open(ByteStream& stream) = 0;
    // False: no more until read_on().
    virtual bool on_stream_data(ByteStream& stream, std::string_view data) = 0;
    // Nothing more has come for the moment.
    virtual void on_stream_pause(ByteStream& stream) = 0;
    // `is_clean`: the far side has closed it, and not broken off.
    virtual void on_stream_end(ByteStream& stream, bool is_clean) = 0;
    virtual void on_stream_failure(ByteStream& stream, Problem problem,
                                   const std::string& detail) = 0;
    // Of wait().
    virtual void on_stream_time_out(ByteStream& stream) = 0;
  };

  ByteStream(Core& core, User& user);
  ~ByteStream() override;

  void open(const Destination& destination, const Peer& client);
  void send(std::string_view octets);
  // Nothing is read before the first call.
  void read_on();
  // on_stream_time_out() after so many seconds, unless it is called again.
  void wait(uint32_t seconds);
  void wait_no_more();
  // Nothing is called any more.
  void stop();

  bool is_open() const { return connection_ != nullptr; }
  const Peer& remote() const { return remote_; }

 private:
  void on_connected(std::unique_ptr<UpstreamConnection> connection) override;
  void on_no_connection(Problem problem, const std::string& detail) override;
  void on_upstream(uint32_t events) override;
  void on_upstream_time_out() override;
  void flush();
  void read();

  Core& core_;
  ByteStream::User& user_;
  Connector connector_;
  std::unique_ptr<UpstreamConnection> connection_;
  Peer remote_;
  std::string out_;
  bool is_reading_ = false;
};

}  // namespace postern::http
