// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/relay/token_source.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <optional>

#include "services/io/program.h"

namespace postern::mail {

TokenSource::TokenSource(boost::asio::io_context& context)
    : context_(context),
      stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      pool_(std::make_unique<io::JobPool>(context,
                                          io::JobPool::Settings{"mail-token", 1, kWaitingMax})) {}

// The pool waits for the command that runs, which ends as its `stop` becomes readable.
TokenSource::~TokenSource() {
  eventfd_write(stop_, 1);
  pool_.reset();
  if (stop_ >= 0) close(stop_);
}

void TokenSource::ask(const std::vector<std::string>& command, bool is_again, const Then& then) {
  if (is_again) tokens_->erase(command);
  if (const auto kept = tokens_->find(command); kept != tokens_->end()) {
    boost::asio::post(context_,
                      [weak = std::weak_ptr<Tokens>(tokens_), token = kept->second, then] {
                        if (!weak.expired()) then(token);
                      });
    return;
  }
  auto outcome = std::make_shared<std::optional<Result<std::string>>>();
  const bool is_running =
      pool_->run([command, outcome, stop = stop_] { outcome->emplace(read_token(command, stop)); },
                 [this, command, outcome, then] {
                   const Result<std::string>& token = **outcome;
                   if (token) (*tokens_)[command] = *token;
                   then(token);
                 });
  if (is_running) return;
  boost::asio::post(context_, [weak = std::weak_ptr<Tokens>(tokens_), then] {
    if (!weak.expired()) then(Error{ErrorCode::exhausted, "too many wait for a token"});
  });
}

void TokenSource::forget() {
  tokens_->clear();
}

Result<std::string> read_token(const std::vector<std::string>& command, int stop) {
  io::ProgramJob job;
  job.command = command;
  job.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"};
  job.timeout = TokenSource::kCommandTimeout;
  job.stop = stop;
  job.output_max = TokenSource::kTokenMax;
  const Result<io::ProgramEnd> end = io::run_program(job);
  if (!end) return end.error();
  const std::string name = command.empty() ? "" : command.front();
  if (end->kind != io::ProgramEnd::Kind::exited || end->code != 0) {
    return Error{ErrorCode::failed, name + ": " + io::to_text(*end)};
  }
  const std::string token = end->output.substr(0, end->output.find_first_of("\r\n"));
  // RFC 6750 section 2.1: visible characters; anything else could end the line or the field.
  const auto is_visible = [](char octet) { return octet > 0x20 && octet < 0x7f; };
  if (token.empty() || end->is_cut || !std::ranges::all_of(token, is_visible)) {
    return Error{ErrorCode::invalid, name + ": what it printed is no token"};
  }
  return token;
}

}  // namespace postern::mail
