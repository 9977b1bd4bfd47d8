// SPDX-License-Identifier: BSD-3-Clause
// Who asks, and whether for something that may be had.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "services/http/proxy/exchange.h"
#include "services/http/proxy/problem.h"

namespace postern::http {

void Exchange::identify() {
  if (core_.seams.identify) identity_ = core_.seams.identify(connection_->peer().address);
  if (identity_ == nullptr && core_.seams.check_password && !connection_->is_transparent()) {
    const auto header = request_->head().fields.find("proxy-authorization");
    if (header) return check_password(*header);
  }
  admit_client();
}

void Exchange::check_password(std::string_view header) {
  const std::optional<Credentials> credentials = parse_basic(header);
  if (!credentials) return admit_client();
  is_asking_ = true;
  has_answer_ = false;
  core_.seams.check_password(
      credentials->user, credentials->password, connection_->peer().address,
      [this, life = life_, alive = std::weak_ptr<bool>(core_.alive)](const LoginAnswer& answer) {
        if (alive.expired() || life != life_) return;
        on_password_checked(answer);
      });
  is_asking_ = false;
  if (has_answer_) return admit_client();
  keep();
  stage_ = Stage::asking;
}

void Exchange::on_password_checked(const LoginAnswer& answer) {
  if (answer.identity != nullptr) {
    known_ = *answer.identity;
    identity_ = &known_;
  }
  busy_s_ = answer.is_busy ? std::max(answer.retry_s, uint32_t{1}) : 0;
  has_answer_ = true;
  if (!is_asking_) admit_client();
}

// For the log: which of the rules it was.
void Exchange::tell_rule(const std::string& name) {
  if (!name.empty()) detail_.append(describe(Problem::denied).name).append(": rule ").append(name);
}

void Exchange::admit_client() {
  const bool may_ask = core_.seams.check_password && !connection_->is_transparent();
  const Admission admission = admit(core_, *request_, identity_, may_ask);
  switch (admission.kind) {
    case Admission::Kind::permit:
      return check_target();
    case Admission::Kind::log_in:
      // A 407 would make a browser throw away the right password.
      return show(busy_s_ != 0 ? Problem::login_busy : Problem::login_required);
    case Admission::Kind::deny:
      return deny(admission);
  }
}

void Exchange::deny(const Admission& admission) {
  rule_ = admission.rule;
  if (rule_) tell_rule(core_.settings.url_rules->rule(*rule_).name);
  show(Problem::denied, admission.message);
}

void Exchange::check_target() {
  const DestinationRules& rules = core_.settings.destinations;
  if (request_->target.form == TargetForm::authority) {
    if (may_connect_port(rules, request_->url.authority.port)) return connect();
    return show(Problem::port_prohibited);
  }
  const Url& url = request_->url;
  // 21 is refused to http, and is what ftp is for.
  const bool is_own_port = url.scheme != Scheme::http && url.port() == default_port(url.scheme);
  if (!is_own_port && !may_fetch_port(rules, url.port())) return show(Problem::port_prohibited);
  if (connection_->is_transparent()) return check_original();
  look_up();
}

// A transparent client says in Host what it likes: what is stored under that name must come from an
// address of that name, else one client could put its own page into the place of another's.
void Exchange::check_original() {
  const Peer& original = connection_->original();
  const Authority& authority = request_->url.authority;
  if (request_->url.port() != original.port) return on_original_known(false);
  if (authority.kind == HostKind::ipv4)
    return on_original_known(authority.address == original.address);
  const std::string host = host_of(authority);
  if (host == connection_->verified_host()) return look_up();
  if (!core_.seams.resolve) return on_original_known(false);
  keep();
  stage_ = Stage::asking;
  core_.seams.resolve(host, [this, host, life = life_, alive = std::weak_ptr<bool>(core_.alive)](
                                const Result<Seams::Addresses>& addresses) {
    if (alive.expired() || life != life_) return;
    if (!addresses && addresses.error().code == ErrorCode::denied)
      return show(Problem::denied, addresses.error().text);
    const bool is_its = addresses && std::find(addresses->begin(), addresses->end(),
                                               connection_->original().address) != addresses->end();
    if (is_its) connection_->set_verified_host(host);
    on_original_known(is_its);
  });
}

// Where Host is not believed, its rules are not enough: those for the address itself hold as well,
// or a name that is permitted would open every server. A parent proxy, which goes by Host, is not
// asked, unless what may be reached is its own affair.
void Exchange::on_original_known(bool is_its) {
  if (is_its) return look_up();
  may_use_store_ = false;
  const std::optional<ParentProxy>& parent = core_.settings.parent;
  if (parent && !parent->is_trusted) return show(Problem::misdirected, "Host");
  const Admission admission = admit_at(core_, *request_, connection_->original(), identity_);
  if (admission.kind == Admission::Kind::permit) return look_up();
  deny(admission);
}

// A transparent connection leads where it was going, whatever Host says (F58).
Destination Exchange::destination() const {
  const std::string host = host_of(request_->url.authority);
  if (!connection_->is_transparent()) return {host, request_->url.port(), {}};
  return {host, connection_->original().port, connection_->original().address};
}

}  // namespace postern::http
