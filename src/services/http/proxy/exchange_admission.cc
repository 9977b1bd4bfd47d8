// SPDX-License-Identifier: BSD-3-Clause
// Who asks, and whether for something that may be had.
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
      rule_ = admission.rule;
      if (rule_)
        detail_.append(describe(Problem::denied).name)
            .append(": rule ")
            .append(core_.settings.url_rules->rule(*rule_).name);
      return show(Problem::denied, admission.message);
  }
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
  const Ipv4Address original = connection_->original().address;
  const Authority& authority = request_->url.authority;
  if (request_->url.port() != connection_->original().port) {
    only_ = original;
    may_use_store_ = false;
  }
  const std::string host = host_of(authority);
  if (may_use_store_ && host != connection_->verified_host()) {
    if (authority.kind == HostKind::ipv4) {
      return on_original_known(authority.address == original);
    }
    if (!core_.seams.resolve) return on_original_known(false);
    keep();
    stage_ = Stage::asking;
    return core_.seams.resolve(
        host, [this, host, original, life = life_, alive = std::weak_ptr<bool>(core_.alive)](
                  const Result<Seams::Addresses>& addresses) {
          if (alive.expired() || life != life_) return;
          if (!addresses && addresses.error().code == ErrorCode::denied)
            return show(Problem::denied, addresses.error().text);
          const bool is_its = addresses && std::find(addresses->begin(), addresses->end(),
                                                     original) != addresses->end();
          if (is_its) connection_->set_verified_host(host);
          on_original_known(is_its);
        });
  }
  look_up();
}

void Exchange::on_original_known(bool is_its) {
  if (!is_its) {
    only_ = connection_->original().address;
    may_use_store_ = false;
  }
  look_up();
}

}  // namespace postern::http
