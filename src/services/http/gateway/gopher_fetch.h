// SPDX-License-Identifier: BSD-3-Clause
// GopherFetch: an answer to GET and HEAD from a Gopher server (RFC 1436): one line is sent, and
// what comes up to the end of the connection is a page made of a menu, a text, or octets.
//
// Gopher has no statuses: a menu that begins with an error (type 3) is taken for 404. There are no
// lengths either, so that what is cut short cannot be told from what is whole, unless the
// connection is broken off.
//
// Thread: control. Bounds: GopherMenu; kFirstMax octets wait for the end of the first line.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "services/http/gateway/gateway_fetch.h"
#include "services/http/gateway/gopher.h"

namespace postern::http {

class GopherFetch final : public GatewayFetch {
 public:
  static constexpr unsigned kLifetimeS = 60;
  static constexpr size_t kFirstMax = 4096;

  GopherFetch(Core& core, OriginFetch::User& user);
  ~GopherFetch() override;

  const Peer& remote() const override { return stream_.remote(); }
  Ipv4Address origin() const override { return stream_.remote().address; }

 private:
  void begin() override;
  void go_on() override;
  void let_go() override;
  void on_stream_open(ByteStream& stream) override;
  bool on_stream_data(ByteStream& stream, std::string_view data) override;
  void on_stream_pause(ByteStream& stream) override;
  void on_stream_end(ByteStream& stream, bool is_clean) override;
  void on_stream_failure(ByteStream& stream, Problem problem, const std::string& detail) override;
  void on_stream_time_out(ByteStream& stream) override;

  void pass_form();
  bool take_first();
  bool pass_content_head();
  std::string made_of(std::string_view data);
  std::string title() const;

  ByteStream stream_;
  GopherPath wanted_;
  std::string first_;  // what came before the head of the answer was passed on
  std::optional<GopherMenu> menu_;
  std::optional<GopherText> text_;
};

}  // namespace postern::http
