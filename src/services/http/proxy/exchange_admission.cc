// SPDX-License-Identifier: BSD-3-Clause
// Who asks, and whether for something that may be had.
#include <fmt/format.h>

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
  if (!may_fetch_port(rules, request_->url.port())) {
    ++core_.counters.denied;
    return show(Problem::port_prohibited);
  }
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
  const std::string address = to_text(connection_->original().address);
  const std::string url =
      fmt::format("http://{}:{}{}", address, connection_->original().port, request_->url.path);
  const Admission admission =
      admit(core_, Asked{url, address, request_->url.path}, identity_, false);
  if (admission.kind == Admission::Kind::permit) return look_up();
  ++core_.counters.denied;
  show(Problem::denied, admission.message);
}

// A transparent connection leads where it was going, whatever Host says (F58).
Destination Exchange::destination() const {
  const std::string host = host_of(request_->url.authority);
  if (!connection_->is_transparent()) return {host, request_->url.port(), {}};
  return {host, connection_->original().port, connection_->original().address};
}

}  // namespace postern::http
