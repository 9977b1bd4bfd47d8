// SPDX-License-Identifier: BSD-3-Clause
// Who asks, and whether for something that may be had.
#include <algorithm>
#include <memory>
#include <utility>

#include "services/http/proxy/exchange.h"

namespace postern::http {

void Exchange::identify() {
  if (core_.seams.identify) identity_ = core_.seams.identify(connection_->peer().address);
  if (identity_ == nullptr && core_.seams.check_password && !connection_->is_transparent()) {
    const auto header = request_->head().fields.find("proxy-authorization");
    if (header) {
      identity_ = connection_->known_by(*header);
      if (identity_ == nullptr) return check_password(std::string(*header));
    }
  }
  admit_client();
}

void Exchange::check_password(const std::string& header) {
  const std::optional<Credentials> credentials = parse_basic(header);
  if (!credentials) return admit_client();
  keep();
  stage_ = Stage::asking;
  core_.seams.check_password(credentials->user, credentials->password, connection_->peer().address,
                             [this, header, life = life_,
                              alive = std::weak_ptr<bool>(core_.alive)](const Identity* identity) {
                               if (alive.expired() || life != life_) return;
                               if (identity != nullptr) {
                                 connection_->remember(header, *identity);
                                 known_ = *identity;
                                 identity_ = &known_;
                               }
                               admit_client();
                             });
}

void Exchange::admit_client() {
  const bool may_ask = core_.seams.check_password && !connection_->is_transparent();
  const Admission admission = admit(core_, asked_of(*request_), identity_, may_ask);
  switch (admission.kind) {
    case Admission::Kind::permit:
      return check_target();
    case Admission::Kind::log_in:
      return show(Problem::login_required);
    case Admission::Kind::deny:
      ++core_.counters.denied;
      return show(Problem::denied, admission.message);
  }
}

void Exchange::check_target() {
  const DestinationRules& rules = core_.settings.destinations;
  if (request_->target.form == TargetForm::authority) {
    if (may_connect_port(rules, request_->url.authority.port)) return connect();
    ++core_.counters.denied;
    return show(Problem::port_prohibited);
  }
  const Url& url = request_->url;
  // 21 is refused to http, and is what ftp is for.
  const bool is_own_port = url.scheme != Scheme::http && url.port() == default_port(url.scheme);
  if (!is_own_port && !may_fetch_port(rules, url.port())) {
    ++core_.counters.denied;
    return show(Problem::port_prohibited);
  }
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
