// SPDX-License-Identifier: BSD-3-Clause
// GatewayFetch: what the fetches of other protocols have in common: they read the question as a
// server of HTTP would, and write the head of an answer (RFC 9110 section 3.7: a gateway).
//
// Thread: control. Each call of a protected function that tells the user something may end the
// fetch: is_running() says so.
#pragma once

#include <string>
#include <string_view>

#include "services/http/gateway/byte_stream.h"
#include "services/http/message/head.h"
#include "services/http/message/writer.h"
#include "services/http/proxy/origin_fetch.h"

namespace postern::http {

class GatewayFetch : public OriginFetch, protected ByteStream::User {
 public:
  using Question = OriginFetch::Question;

  void start(Question question) final;
  void resume() final;
  void stop() final;
  const Fields& trailer() const final { return trailer_; }

 protected:
  GatewayFetch(Core& core, OriginFetch::User& user);

  virtual void begin() = 0;   // with the question at hand
  virtual void go_on() = 0;   // there is room again
  virtual void let_go() = 0;  // of all connections

  Core& core() const { return core_; }
  const Question& question() const { return question_; }
  const Fields& asked() const { return reader_.head().fields; }
  std::string_view path() const { return reader_.head().target; }
  bool is_head() const { return question_.method == "HEAD"; }
  // ftp://host:port, without the user.
  std::string site() const;

  bool is_running() const { return is_running_; }
  bool has_head() const { return has_head_; }
  bool is_paused() const { return is_paused_; }

  // The head of an answer: status line and Date; fields follow.
  HeadWriter write_head(unsigned status);
  // Ends that head and passes it on; HEAD and 304 end there. False: it is over.
  bool pass_head(Body body, uint64_t length);
  // False: there is no room, or it is over.
  bool pass(std::string_view data);
  void tell_pause();
  void end(bool is_complete);
  // An answer of ours with a page; `fields`: lines.
  void pass_page(Problem problem, std::string_view fields, std::string_view detail);
  // One without a body.
  void pass_empty(unsigned status, std::string_view name, std::string_view value);
  void fail(Problem problem, const std::string& detail);

 private:
  Core& core_;
  OriginFetch::User& user_;
  Question question_;
  RequestReader reader_;
  std::string head_;
  ResponseReader answer_;
  Fields trailer_;  // there is none
  bool is_running_ = false;
  bool has_head_ = false;
  bool is_paused_ = false;
};

}  // namespace postern::http
