// SPDX-License-Identifier: BSD-3-Clause
// FtpFetch: an answer to GET and HEAD from an FTP server (RFC 959, RFC 1738 section 3.2):
//
//   control connection --- FtpDialogue        what is said
//   data connection ------ octets, or FtpPage -> answer
//
// Files have Content-Length by SIZE, Last-Modified by MDTM, and one part of them can be had by
// REST; conditions and ranges are judged here, as no FTP server does. A folder is a page. The data
// connection goes to the address of the control connection and to no other, whatever the server
// says, so that nobody is attacked from here by its word (RFC 2577 section 2); that address was
// judged with the port of the URL (F58).
//
// Who is asked for by Authorization, else by the URL, else anonymous; who is refused gets 401.
//
// Thread: control. Bounds: FtpReplyReader, FtpDialogue, FtpPage; times by ProxyLimits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "services/http/gateway/ftp_dialogue.h"
#include "services/http/gateway/ftp_page.h"
#include "services/http/gateway/gateway_fetch.h"
#include "services/http/rules/octets.h"

namespace postern::http {

class FtpFetch final : public GatewayFetch {
 public:
  static constexpr unsigned kListingLifetimeS = 60;

  FtpFetch(Core& core, OriginFetch::User& user);
  ~FtpFetch() override;

  const Peer& remote() const override { return control_.remote(); }
  Ipv4Address origin() const override { return control_.remote().address; }

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

  std::optional<FtpLogin> login() const;
  bool take_replies(std::string_view octets);
  void act(const FtpAct& act);
  void on_known();
  bool fails_condition(std::string_view modified) const;
  bool plan_part();
  void begin_data();
  void write_file_fields(HeadWriter& writer) const;
  bool pass_file_head();
  bool pass_listing_head();
  bool take_file(std::string_view data);
  void on_data_end(bool is_clean);
  void finish_if_whole();
  void redirect_to_folder();
  void refuse_login();
  std::string modified_text() const;

  ByteStream control_;
  ByteStream data_;
  FtpReplyReader replies_;
  std::optional<FtpDialogue> dialogue_;
  std::optional<FtpPage> page_;
  std::optional<Octets> part_;    // that is asked for
  std::optional<uint64_t> left_;  // of the data; nothing: not known
  bool is_begun_ = false;         // the data come
  bool are_data_over_ = false;
  bool is_confirmed_ = false;  // by the server: all is sent
};

}  // namespace postern::http
