// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/gateway/ftp_dialogue.h"

#include <algorithm>
#include <utility>

#include "services/http/message/fields.h"

namespace postern::http {
namespace {

using Kind = FtpAct::Kind;

FtpAct act(Kind kind) {
  FtpAct act;
  act.kind = kind;
  return act;
}

// Whether FEAT names MLST, which MLSD comes with (RFC 3659 section 7.8).
bool names_mlst(std::string_view features) {
  while (!features.empty()) {
    const size_t end = std::min(features.find('\n'), features.size());
    const std::string_view line = trimmed(features.substr(0, end));
    if (same_word(line.substr(0, line.find_first_of(" \t")), "mlst")) return true;
    features.remove_prefix(std::min(end + 1, features.size()));
  }
  return false;
}

}  // namespace

FtpDialogue::FtpDialogue(FtpPath path, FtpLogin login)
    : path_(std::move(path)), login_(std::move(login)) {}

FtpAct FtpDialogue::send(State next, std::string_view verb, std::string_view argument) {
  state_ = next;
  FtpAct act = http::act(Kind::send);
  act.command = ftp_command(verb, argument);
  return act;
}

FtpAct FtpDialogue::fail(Problem problem, const FtpReply& reply) {
  state_ = State::over;
  FtpAct act = http::act(Kind::fail);
  act.problem = problem;
  act.detail = reply.brief();
  return act;
}

// By what the code alone says (RFC 959 section 4.2.1).
FtpAct FtpDialogue::fail_by(const FtpReply& reply) {
  switch (reply.code) {
    case 425:
      return fail(Problem::connection_timeout, reply);
    case 430:
    case 530:
    case 532:
      state_ = State::over;
      return act(Kind::log_in);
    default:
      return fail(reply.group() >= 4 ? Problem::gateway_refused : Problem::gateway_protocol_error,
                  reply);
  }
}

// Of a command that names something.
FtpAct FtpDialogue::missing(const FtpReply& reply) {
  if (reply.code != 550 && reply.code != 553 && reply.code != 501) return fail_by(reply);
  return not_found(reply);
}

FtpAct FtpDialogue::not_found(const FtpReply& reply) {
  state_ = State::over;
  FtpAct act = http::act(Kind::not_found);
  act.detail = reply.brief();
  return act;
}

FtpAct FtpDialogue::on_reply(const FtpReply& reply) {
  if (++replies_ > kRepliesMax) return fail(Problem::gateway_protocol_error, reply);
  // The server goes away, whatever was asked.
  if (reply.code == 421 && state_ != State::over) return fail(Problem::gateway_refused, reply);
  switch (state_) {
    case State::greeting:
    case State::user:
    case State::password:
    case State::type:
      return on_log_in(reply);
    case State::folder:
    case State::size:
    case State::probe:
    case State::time:
    case State::features:
      return on_facts(reply);
    case State::epsv:
    case State::pasv:
      return on_passive(reply);
    case State::restart:
      if (reply.group() != 3) offset_ = 0;
      return send(State::retrieve, "RETR", path_.name);
    case State::retrieve:
      return on_retrieve(reply);
    case State::data:
      return on_data_reply(reply);
    case State::known:
    case State::connecting:
      // Nothing was asked.
      return fail(Problem::gateway_protocol_error, reply);
    case State::over:
      return {};
  }
  return {};
}

FtpAct FtpDialogue::on_log_in(const FtpReply& reply) {
  if (reply.group() == 1 && state_ == State::greeting) return {};
  switch (state_) {
    case State::greeting:
      if (reply.group() != 2) return fail_by(reply);
      return send(State::user, "USER", login_.user);
    case State::user:
      if (reply.group() == 2) return logged_in();
      if (reply.code != 331) break;
      return send(State::password, "PASS", login_.password);
    case State::password:
      if (reply.group() == 2) return logged_in();
      break;
    default:
      if (reply.group() == 2) return next_folder();
      return fail_by(reply);
  }
  // A 332 wants an account (RFC 959 section 4.1.1), which no URL has a place for.
  if (reply.group() != 5) return fail_by(reply);
  state_ = State::over;
  return act(Kind::log_in);
}

// Listings, and what is asked for as text, come in the type that each connection begins with.
FtpAct FtpDialogue::logged_in() {
  if (path_.is_listing() || path_.type == 'a') return next_folder();
  return send(State::type, "TYPE", "I");
}

FtpAct FtpDialogue::next_folder() {
  if (folder_ == path_.folders.size()) return in_folder();
  return send(State::folder, "CWD", path_.folders[folder_++]);
}

FtpAct FtpDialogue::in_folder() {
  if (path_.is_listing()) return send(State::features, "FEAT");
  // The size of a file as text is another one.
  if (path_.type == 'a') return send(State::time, "MDTM", path_.name);
  return send(State::size, "SIZE", path_.name);
}

FtpAct FtpDialogue::known() {
  state_ = State::known;
  return act(Kind::known);
}

FtpAct FtpDialogue::on_facts(const FtpReply& reply) {
  switch (state_) {
    case State::folder:
      return reply.group() == 2 ? next_folder() : missing(reply);
    case State::size:
      if (reply.code == 213) octets_ = parse_ftp_size(reply.text);
      if (reply.code != 550) return send(State::time, "MDTM", path_.name);
      has_probed_ = true;
      return send(State::probe, "CWD", path_.name);
    case State::probe:
      if (reply.group() == 2) {
        state_ = State::over;
        return act(Kind::folder);
      }
      if (is_refused_) return not_found(reply);
      return send(State::time, "MDTM", path_.name);
    case State::time:
      if (reply.code == 213) modified_s_ = parse_ftp_time(reply.text);
      return known();
    default:
      has_mlsd_ = reply.group() == 2 && names_mlst(reply.text);
      return known();
  }
}

FtpAct FtpDialogue::retrieve(uint64_t offset) {
  offset_ = offset;
  return ask_data();
}

FtpAct FtpDialogue::ask_data() {
  return has_no_epsv_ ? send(State::pasv, "PASV") : send(State::epsv, "EPSV");
}

FtpAct FtpDialogue::on_passive(const FtpReply& reply) {
  const bool is_epsv = state_ == State::epsv;
  std::optional<uint16_t> port;
  if (reply.code == (is_epsv ? 229 : 227))
    port = is_epsv ? parse_epsv(reply.text) : parse_pasv(reply.text);
  if (is_epsv && !port && (reply.group() == 2 || reply.group() == 5)) {
    has_no_epsv_ = true;
    return send(State::pasv, "PASV");
  }
  if (!port) return fail_by(reply);
  if (*port < kDataPortMin) return fail(Problem::gateway_protocol_error, reply);
  state_ = State::connecting;
  FtpAct act = http::act(Kind::connect);
  act.port = *port;
  return act;
}

FtpAct FtpDialogue::on_connected() {
  if (path_.is_listing()) return send(State::retrieve, has_mlsd_ ? "MLSD" : "LIST");
  if (offset_ != 0) return send(State::restart, "REST", std::to_string(offset_));
  return send(State::retrieve, "RETR", path_.name);
}

FtpAct FtpDialogue::on_retrieve(const FtpReply& reply) {
  if (reply.group() == 1) {
    state_ = State::data;
    return act(Kind::begin);
  }
  if (path_.is_listing()) {
    if (has_mlsd_ && reply.group() == 5) {
      has_mlsd_ = false;
      return ask_data();
    }
    return missing(reply);
  }
  if (reply.code == 550 && !has_probed_) {
    has_probed_ = is_refused_ = true;
    return send(State::probe, "CWD", path_.name);
  }
  return missing(reply);
}

FtpAct FtpDialogue::on_data_reply(const FtpReply& reply) {
  if (reply.group() == 1) return {};
  if (reply.group() != 2) return fail(Problem::gateway_refused, reply);
  state_ = State::over;
  return act(Kind::end);
}

}  // namespace postern::http
