// SPDX-License-Identifier: BSD-3-Clause
// TokenSource: tokens of OAuth 2.0 from commands (XOAUTH2). A token is kept until a server refuses
// it, or its command is not used any more.
//
// Thread: control; commands run on one thread, one after another. Bounds: kTokenMax octets,
// kCommandTimeout, kWaitingMax that wait.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "services/io/job_pool.h"

namespace postern::mail {

class TokenSource {
 public:
  static constexpr size_t kTokenMax = 8192;
  static constexpr Duration kCommandTimeout = seconds(30);
  static constexpr size_t kWaitingMax = 64;
  using Then = std::function<void(const Result<std::string>& token)>;

  explicit TokenSource(boost::asio::io_context& context);
  ~TokenSource();  // a command that runs is ended
  TokenSource(const TokenSource&) = delete;
  TokenSource& operator=(const TokenSource&) = delete;

  // `is_again`: the one that is kept was refused. `then` once, never from within ask(); not at all
  // when this is gone.
  void ask(const std::vector<std::string>& command, bool is_again, const Then& then);
  // Those that are kept are forgotten.
  void forget();

 private:
  using Tokens = std::map<std::vector<std::string>, std::string>;
  boost::asio::io_context& context_;
  std::shared_ptr<Tokens> tokens_ = std::make_shared<Tokens>();
  int stop_ = -1;  // readable: commands end
  std::unique_ptr<io::JobPool> pool_;
};

// Runs the command and reads its token, the first line that it prints. For a thread. `stop`: once
// it is readable the command is ended; -1: never.
Result<std::string> read_token(const std::vector<std::string>& command, int stop);

}  // namespace postern::mail
