// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/relay/link.h"

#include <sodium.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/assert.h"
#include "services/mail/message/address.h"

namespace postern::mail {
namespace {

std::string remote_text(const RelayHost& host, Ipv4Address address) {
  return host.host + '[' + to_text(address) + "]:" + std::to_string(host.port);
}

}  // namespace

RelayLink::RelayLink(const Tools& tools, Owner& owner, std::string hop, Manner manner)
    : tools_(tools), owner_(owner), hop_(std::move(hop)), manner_(std::move(manner)) {}

RelayLink::~RelayLink() {
  stop();
}

void RelayLink::stop() {
  is_over_ = true;
  question_.reset();
  token_question_.reset();
  connector_.reset();
  if (stream_) stream_->close();
  stream_.reset();
}

void RelayLink::open(std::vector<RelayHost> hosts) {
  hosts_ = std::move(hosts);
  later(&RelayLink::try_host);
}

void RelayLink::open_domain(const RelayHost& like) {
  pattern_ = like;
  later(&RelayLink::find_mail_hosts);
}

// A step of its own, not from within the owner's call.
void RelayLink::later(void (RelayLink::*step)()) {
  boost::asio::post(tools_.context, [weak = weak_from_this(), step] {
    const auto self = weak.lock();
    if (self && !self->is_over_) (self.get()->*step)();
  });
}

void RelayLink::find_mail_hosts() {
  const std::string domain = domain_of(hop_);
  if (const auto literal = literal_ipv4(domain)) {
    take_mail_hosts({to_text(*literal)});
    return;
  }
  if (!tools_.seams.find_mail_hosts) {
    return end({451, "4.3.5", "Mail exchangers cannot be looked up here"});
  }
  ask();
  tools_.seams.find_mail_hosts(
      domain, [weak = weak_from_this(), question = std::weak_ptr<int>(question_),
               domain](const Result<std::vector<MailHost>>& found) {
        const auto self = weak.lock();
        if (!self || question.expired()) return;
        self->question_.reset();
        if (!found && found.error().code == ErrorCode::not_found) {
          return self->end({550, "5.1.2", "There is no domain " + domain});
        }
        if (!found) return self->end({451, "4.4.3", domain + ": " + found.error().text});
        uint64_t random = 0;
        randombytes_buf(&random, sizeof random);
        const MailHostChoice choice = choose_mail_hosts(domain, *found, self->manner_.helo, random);
        if (choice.names.empty()) return self->end(choice.refusal);
        self->take_mail_hosts(choice.names);
      });
}

void RelayLink::take_mail_hosts(const std::vector<std::string>& names) {
  hosts_.reserve(names.size());
  for (const std::string& name : names) {
    hosts_.push_back(pattern_);
    hosts_.back().host = name;
  }
  try_host();
}

void RelayLink::ask() {
  question_ = std::make_shared<int>(0);
  asked_at_ = tools_.seams.now();
}

// hosts_[at_], or it is over.
void RelayLink::try_host() {
  if (at_ == hosts_.size()) return end(last_ ? last_ : Reply{451, "4.3.5", "There is no host"});
  tls_.reset();
  if (host().tls.mode != TlsMode::none) {
    auto tls = tools_.tls_for(host());
    if (!tls) return refuse_host({451, "4.3.5", tls.error().text});
    tls_ = std::move(tls).value();
  }
  if (const auto address = parse_ipv4(host().host)) return choose({*address});
  ask();
  tools_.seams.resolve(
      host().host, [weak = weak_from_this(), question = std::weak_ptr<int>(question_)](
                       const Result<Seams::Addresses>& addresses) {
        const auto self = weak.lock();
        if (!self || question.expired()) return;
        self->question_.reset();
        if (addresses) return self->choose(*addresses);
        // A domain without MX and without an address has nobody who could take its mail.
        const bool is_nobody = addresses.error().code == ErrorCode::not_found &&
                               !domain_of(self->hop_).empty() && self->hosts_.size() == 1;
        const std::string text = self->host().host + ": " + addresses.error().text;
        self->refuse_host(is_nobody ? Reply{550, "5.1.2", text} : Reply{451, "4.4.3", text});
      });
}

// Hosts that the settings name may be anywhere; those that a domain names may not.
void RelayLink::choose(std::vector<Ipv4Address> found) {
  if (domain_of(hop_).empty() || found.empty()) return connect(std::move(found));
  MailAddressChoice choice = tools_.choose_addresses(host().host, std::move(found));
  // Another host may take it later.
  if (choice.addresses.empty()) return refuse_host(last_.is_transient() ? last_ : choice.refusal);
  connect(std::move(choice.addresses));
}

void RelayLink::connect(std::vector<Ipv4Address> addresses) {
  connector_ = std::make_unique<Connector>(
      tools_.context, std::move(addresses), host().port, manner_.connect_timeout,
      [weak = weak_from_this()](const Result<int>& fd, Ipv4Address address) {
        const auto self = weak.lock();
        if (!self || self->is_over_) {
          if (fd) ::close(*fd);
          return;
        }
        self->connector_.reset();
        if (fd) return self->begin(*fd, address);
        self->refuse_host({451, "4.4.1", self->host().host + ": " + fd.error().text});
      });
}

ClientSettings RelayLink::settings_of(const RelayHost& host) const {
  const TlsMode mode = host.tls.mode;
  ClientSettings settings;
  settings.helo = manner_.helo;
  settings.starts_tls =
      mode == TlsMode::required || (mode == TlsMode::opportunistic && !leaves_tls_);
  settings.needs_tls = mode == TlsMode::required || mode == TlsMode::implicit;
  settings.has_tls = mode == TlsMode::implicit;
  settings.allows_clear_auth = mode == TlsMode::none;
  settings.credentials = host.credentials;
  settings.command_timeout = manner_.command_timeout;
  settings.end_timeout = manner_.end_timeout;
  return settings;
}

void RelayLink::begin(int fd, Ipv4Address address) {
  remote_ = remote_text(host(), address);
  session_ = std::make_unique<ClientSession>(settings_of(host()));
  stream_ = Stream::take(tools_.context, fd);
  const auto weak = weak_from_this();
  // The link holds the stream, so it is there in each call; it may go in it.
  const auto with = [weak](auto call) {
    return [weak, call](const auto&... args) {
      const auto self = weak.lock();
      if (self && !self->is_over_ && self->stream_) call(*self, args...);
    };
  };
  Stream::Calls calls;
  calls.received = with([](RelayLink& self, std::string_view octets) {
    self.carry_out(self.session_->take(octets, self.tools_.seams.now()));
  });
  calls.drained = with([](RelayLink& self) { self.go_on_with_text(); });
  calls.secured = with([](RelayLink& self, const Result<void>& done) { self.secured(done); });
  calls.end_of_input = with([](RelayLink& self) { self.lost("the server closed it"); });
  calls.failed = with([](RelayLink& self, const Error& why) { self.lost(why.text); });
  stream_->begin(std::move(calls));
  if (host().tls.mode == TlsMode::implicit) stream_->secure_as_client(tls_, host().host);
  carry_out(session_->start(tools_.seams.now()));
}

void RelayLink::secured(const Result<void>& outcome) {
  const TlsMode mode = host().tls.mode;
  if (outcome) {
    if (mode != TlsMode::implicit) carry_out(session_->tls_is_up(tools_.seams.now()));
    return;
  }
  if (mode == TlsMode::opportunistic && host().credentials.user.empty() && !leaves_tls_) {
    leaves_tls_ = true;
    stream_->close();
    stream_.reset();
    return try_host();
  }
  lost(outcome.error().text);
}

void RelayLink::lost(const std::string& why) {
  stream_->close();
  carry_out(session_->lost(why, tools_.seams.now()));
}

void RelayLink::carry_out(const ClientActions& actions) {
  const auto self = shared_from_this();  // the owner may let go of it
  After after;
  for (const ClientAction& action : actions) {
    std::visit([this, &after](const auto& each) { take_action(each, after); }, action);
    if (is_over_) return;
  }
  if (after.over) {
    if (is_open_) return end(*after.over);
    return refuse_host(*after.over);
  }
  if (after.is_text) go_on_with_text();
  if (after.is_ready) {
    is_open_ = true;
    is_busy_ = false;
    idle_since_ = tools_.seams.now();
    owner_.on_link_ready(*this);
  }
}

void RelayLink::take_action(const SendOctets& send, After& /*after*/) {
  if (stream_) stream_->send(send.octets);
}
void RelayLink::take_action(const StartTls& /*action*/, After& /*after*/) {
  stream_->secure_as_client(tls_, host().host);
}
void RelayLink::take_action(const CloseConnection& /*action*/, After& /*after*/) {
  if (stream_) stream_->close_when_sent(kFarewell);
  stream_.reset();
}
void RelayLink::take_action(const AskToken& ask, After& /*after*/) {
  // The next host's session may stand where this one's did: the question tells them apart.
  token_question_ = std::make_shared<int>(0);
  tools_.tokens.ask(
      host().credentials.token_command, ask.is_again,
      [weak = weak_from_this(),
       question = std::weak_ptr<int>(token_question_)](const Result<std::string>& token) {
        const auto self = weak.lock();
        if (!self || self->is_over_ || question.expired()) return;
        self->token_question_.reset();
        self->carry_out(self->session_->answer_token(
            token ? *token : "", token ? "" : token.error().text, self->tools_.seams.now()));
      });
}
void RelayLink::take_action(const ReadyForMessage& /*action*/, After& after) {
  after.is_ready = true;
}
void RelayLink::take_action(const SendText& /*action*/, After& after) {
  text_at_ = 0;
  has_front_sent_ = false;
  after.is_text = true;
}
void RelayLink::take_action(const MessageOver& over, After& /*after*/) {
  job_ = {};
  owner_.on_link_message_over(*this, over);
}
void RelayLink::take_action(const Said& /*said*/, After& /*after*/) {}
void RelayLink::take_action(const SessionOver& over, After& after) {
  after.over = over.reply;
}

// This host cannot be used now; the next one may.
void RelayLink::refuse_host(const Reply& why) {
  if (stream_) stream_->close();
  stream_.reset();
  token_question_.reset();
  last_ = why;
  leaves_tls_ = false;
  ++at_;
  try_host();
}

void RelayLink::end(const Reply& why) {
  const auto self = shared_from_this();
  stop();
  owner_.on_link_ended(*this, why);
}

bool RelayLink::is_idle() const {
  return is_open_ && !is_over_ && !is_busy_;
}

void RelayLink::quit() {
  if (!is_over_ && stream_) {
    const ClientActions actions = session_->quit(tools_.seams.now());
    After after;
    for (const ClientAction& action : actions)
      std::visit([this, &after](const auto& each) { take_action(each, after); }, action);
  }
  stop();
}

void RelayLink::tick() {
  if (is_over_) return;
  const Instant now = tools_.seams.now();
  if (question_ && asked_at_ + manner_.connect_timeout <= now) {
    question_.reset();
    const Reply why{451, "4.4.3", "No answer from DNS in time"};
    return hosts_.empty() ? end(why) : refuse_host(why);
  }
  if (session_ && stream_) carry_out(session_->on_time(now));
}

}  // namespace postern::mail
