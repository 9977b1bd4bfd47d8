// SPDX-License-Identifier: BSD-3-Clause
// FtpDialogue: what is said on the control connection to get one file or one listing (RFC 959,
// RFC 2428, RFC 3659), without the connection itself: replies go in, and out comes what to do next.
//
//   220  USER, PASS   TYPE I   CWD, CWD   SIZE, MDTM -> known -> EPSV -> connect -> RETR   file
//                              CWD, CWD, FEAT        -> known -> EPSV -> connect -> MLSD   folder
//
// Data connections are passive, by EPSV or, for servers that do not have it, by PASV, of whose
// answer the port alone counts and must not be that of a service (RFC 2577 section 5).
//
// Thread: any. Bounds: one command after another; kRepliesMax replies.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "services/http/gateway/ftp_path.h"
#include "services/http/gateway/ftp_reply.h"
#include "services/http/proxy/problem.h"

namespace postern::http {

struct FtpAct {
  enum class Kind : uint8_t {
    wait,       // for the next reply
    send,       // `command`, then wait
    known,      // size() and modified_s() say what there is: go on by retrieve(), or leave it
    connect,    // to `port`, then on_connected()
    begin,      // the data come
    end,        // the server says that they are whole
    folder,     // what was taken for a file is a folder
    log_in,     // the server does not take the user
    not_found,  // `detail`
    fail,       // `problem`, `detail`; once data have begun: they are not whole
  };
  Kind kind = Kind::wait;
  std::string command;  // with its CRLF
  uint16_t port = 0;
  Problem problem = Problem::none;
  std::string detail;
};

class FtpDialogue {
 public:
  static constexpr size_t kRepliesMax = 100;
  static constexpr uint16_t kDataPortMin = 1024;

  FtpDialogue(FtpPath path, FtpLogin login);

  FtpAct on_reply(const FtpReply& reply);
  // After `known`: the file from `offset` on, or the listing.
  FtpAct retrieve(uint64_t offset);
  // After `connect`.
  FtpAct on_connected();

  const FtpPath& path() const { return path_; }
  std::optional<uint64_t> octets() const { return octets_; }
  std::optional<int64_t> modified_s() const { return modified_s_; }
  // At `begin`: where the data start; 0 where the server cannot start elsewhere.
  uint64_t offset() const { return offset_; }
  bool is_mlsd() const { return has_mlsd_; }

 private:
  enum class State : uint8_t {
    greeting,
    user,
    password,
    type,
    folder,
    size,
    probe,  // whether the name is one of a folder
    time,
    features,
    known,
    epsv,
    pasv,
    connecting,
    restart,
    retrieve,
    data,
    over,
  };
  FtpAct send(State next, std::string_view verb, std::string_view argument = {});
  FtpAct fail(Problem problem, const FtpReply& reply);
  FtpAct fail_by(const FtpReply& reply);
  FtpAct missing(const FtpReply& reply);
  FtpAct not_found(const FtpReply& reply);
  FtpAct logged_in();
  FtpAct next_folder();
  FtpAct in_folder();
  FtpAct known();
  FtpAct ask_data();
  FtpAct on_log_in(const FtpReply& reply);
  FtpAct on_facts(const FtpReply& reply);
  FtpAct on_passive(const FtpReply& reply);
  FtpAct on_retrieve(const FtpReply& reply);
  FtpAct on_data_reply(const FtpReply& reply);

  FtpPath path_;
  FtpLogin login_;
  State state_ = State::greeting;
  size_t replies_ = 0;
  size_t folder_ = 0;  // the next one to enter
  std::optional<uint64_t> octets_;
  std::optional<int64_t> modified_s_;
  uint64_t offset_ = 0;
  bool has_mlsd_ = false;
  bool has_probed_ = false;
  bool is_refused_ = false;  // RETR was
  bool has_no_epsv_ = false;
};

}  // namespace postern::http
