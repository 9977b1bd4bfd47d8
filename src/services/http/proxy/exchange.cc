// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/exchange.h"

#include <sys/socket.h>

#include <utility>

#include "services/http/message/writer.h"
#include "services/http/proxy/pac.h"

namespace postern::http {
namespace {

Problem problem_of(unsigned status) {
  switch (status) {
    case 408:
      return Problem::request_timeout;
    case 413:
      return Problem::content_too_large;
    case 414:
      return Problem::uri_too_long;
    case 431:
      return Problem::head_too_large;
    case 501:
      return Problem::not_implemented;
    case 505:
      return Problem::version_not_supported;
    default:
      return Problem::bad_request;
  }
}

}  // namespace

std::unique_ptr<Exchange> ExchangePool::get() {
  if (spare_.empty()) return std::make_unique<Exchange>(core_);
  std::unique_ptr<Exchange> exchange = std::move(spare_.back());
  spare_.pop_back();
  return exchange;
}

void ExchangePool::put(std::unique_ptr<Exchange> exchange) {
  resting_.push_back(std::move(exchange));
}

void ExchangePool::end_turn() {
  for (std::unique_ptr<Exchange>& exchange : resting_) {
    if (spare_.size() < kSpareMax) {
      spare_.push_back(std::move(exchange));
    } else {
      core_.poller.bury(std::move(exchange));
    }
  }
  resting_.clear();
}

Exchange::Exchange(Core& core) : core_(core), connector_(core, *this) {}

Exchange::~Exchange() = default;

void Exchange::reset() {
  ++life_;
  stage_ = Stage::idle;
  connection_ = nullptr;
  request_ = nullptr;
  kept_.reset();
  identity_ = nullptr;
  may_use_store_ = true;
  is_host_believed_ = true;
  is_by_password_ = false;
  tunnel_origin_ = Ipv4Address();
  busy_s_ = 0;
  out_.clear();
  delivery_ = Delivery();
  notes_ = ResponseNotes();
  result_ = CacheResult::none;
  object_.reset();
  gap_.reset();
  is_in_gap_ = false;
  switches_ = 0;
  entry_octets_.clear();
  variant_.clear();
  parts_.clear();
  part_ = 0;
  tail_.clear();
  looks_for_fill_ = has_waited_ = has_tried_parts_ = has_parts_ = false;
  is_store_waiting_ = is_unbounded_ = false;
  is_over_upstream_ = is_cut_short_ = has_trailer_ = has_head_gone_ = false;
  upstream_ = Peer();
  upload_.begin(Framing(), 0);
  status_ = 0;
  body_bytes_ = request_bytes_ = 0;
  upstream_wait_ = Duration();
  is_stored_ = false;
  detail_.clear();
  is_denied_ = false;
  rule_.clear();
}

void Exchange::start(ClientConnection& connection, Request& request, std::string_view head) {
  reset();
  connection_ = &connection;
  request_ = &request;
  head_ = head;
  started_ = core_.clock.now;
  stage_ = Stage::asking;
  ++core_.counters.requests;
  if (const Refusal refusal = request.analyse()) {
    ++core_.counters.malformed;
    detail_ = refusal.reason;
    delivery_.is_persistent = false;
    show(problem_of(refusal.status), refusal.reason);
  } else {
    begin();
  }
  // What goes on later needs the request, and its octets are about to be overwritten.
  if (stage_ != Stage::idle) keep();
}

void Exchange::refuse(ClientConnection& connection, Refusal refusal) {
  reset();
  connection_ = &connection;
  started_ = core_.clock.now;
  detail_ = refusal.reason;
  show(problem_of(refusal.status), refusal.reason);
}

// From now on the request is ours.
void Exchange::keep() {
  if (kept_ || request_ == nullptr) return;
  // One that was refused is not analysed again: only its head is read, for the log.
  kept_ = std::make_shared<Request>(head_limits(core_.settings.limits));
  kept_->text = head_;
  static_cast<void>(kept_->reader.read(kept_->text));
  static_cast<void>(kept_->analyse());
  request_ = kept_.get();
  if (identity_ != nullptr && identity_ != &known_) {
    known_ = *identity_;
    identity_ = &known_;
  }
}

void Exchange::begin() {
  delivery_.is_persistent = request_->framing.is_persistent && !connection_->is_stopping();
  upload_.begin(request_->framing, core_.settings.limits.request_body_bytes);
  if (upload_.state() == Upload::State::refused) return show(Problem::content_too_large);
  if (!answer_here()) identify();
}

// Meant for a server, or for a proxy, that we are not.
bool Exchange::is_misdirected() const {
  const bool is_connect = request_->target.form == TargetForm::authority;
  if (connection_->is_transparent()) return is_connect || request_->url.scheme != Scheme::http;
  return !is_connect && request_->target.form != TargetForm::absolute;
}

// True: the request ends here, before anybody is asked.
bool Exchange::answer_here() {
  const RequestHead& head = request_->head();
  const MaxForwards forwards = max_forwards(head.method, head.fields);
  const bool is_connect = request_->target.form == TargetForm::authority;
  if (request_->expects == Expectation::unknown) {
    show(Problem::expectation_failed);
  } else if (has_via(head.fields, core_.settings.name)) {
    show(Problem::proxy_loop_detected);
  } else if (forwards.kind == MaxForwards::Kind::broken) {
    show(Problem::bad_request, "Max-Forwards");
  } else if (forwards.kind == MaxForwards::Kind::answer_here) {
    answer_max_forwards();
  } else if (is_pac_request()) {
    send_pac();
  } else if (is_misdirected()) {
    show(Problem::misdirected);
  } else if (!is_connect && request_->url.authority.host.empty()) {
    show(Problem::bad_request, "no host");
  } else if (request_->url.scheme != Scheme::http && !request_->is("GET") && !is_head()) {
    show(Problem::not_implemented, to_text(request_->url.scheme));
  } else {
    return false;
  }
  return true;
}

// Of the proxy itself, as it would be of a web server.
bool Exchange::is_pac_request() const {
  return request_->target.form == TargetForm::origin && !connection_->is_transparent() &&
         (request_->is("GET") || is_head()) && is_pac_path(request_->head().target);
}

void Exchange::send_pac() {
  const std::string script = pac_script(connection_->own(), core_.settings.local_domain);
  send_page(200, "OK",
            "Content-Type: application/x-ns-proxy-autoconfig\r\nCache-Control: max-age=300\r\n",
            script);
}

// RFC 9110 sections 9.3.7 and 9.3.8: we are the one who is asked.
void Exchange::answer_max_forwards() {
  if (!request_->is("TRACE")) {
    return send_page(200, "OK", "Allow: GET, HEAD, POST, PUT, DELETE, OPTIONS, TRACE, CONNECT\r\n",
                     {});
  }
  std::string echo;
  HeadWriter writer(echo);
  writer.request_line("TRACE", request_->head().target);
  for (const Field& field : request_->head().fields) {
    const bool is_secret = same_word(field.name, "authorization") ||
                           same_word(field.name, "proxy-authorization") ||
                           same_word(field.name, "cookie");
    if (!is_secret) writer.field(field);
  }
  writer.end();
  send_page(200, "OK", "Content-Type: message/http\r\n", echo);
}

void Exchange::show(Problem problem, std::string_view detail) {
  const ProblemText& text = describe(problem);
  if (is_refusal(problem)) count_denied();
  if (detail_.empty()) {
    detail_ = text.name;
    if (!detail.empty()) detail_.append(": ").append(detail);
  }
  const std::string page = error_page(ErrorPage{problem, core_.settings.name, url_text(), detail});
  std::string extra = "Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n";
  if (problem == Problem::login_required)
    extra +=
        "Proxy-Authenticate: Basic realm=\"" + core_.settings.realm + "\", charset=\"UTF-8\"\r\n";
  if (problem == Problem::login_busy) extra += "Retry-After: " + std::to_string(busy_s_) + "\r\n";
  send_page(text.status, text.reason, extra, page);
}

// `extra`: field lines.
void Exchange::send_page(unsigned status, std::string_view reason, std::string_view extra,
                         std::string_view body) {
  status_ = status;
  stage_ = Stage::page;
  // A body that nobody reads: the connection cannot go on behind it.
  if (request_ == nullptr || !upload_.is_done()) delivery_.is_persistent = false;
  out_.clear();
  HeadWriter writer(out_.text());
  writer.status_line(status, reason);
  writer.date("Date", core_.clock.wall_s);
  out_.text() += extra;
  writer.field("Content-Length", uint64_t{body.size()});
  if (!delivery_.is_persistent) writer.field("Connection", "close");
  append_via(out_.text(), 1, core_.settings.name);
  writer.end();
  if (request_ == nullptr || !is_head()) {
    out_.text() += body;
    body_bytes_ = body.size();
  }
  flush_page();
}

void Exchange::flush_page() {
  if (!flush()) return;
  if (!is_blocked()) end(true);
}

// False: the client is gone, and so is this exchange.
bool Exchange::flush() {
  if (out_.empty()) return true;
  const size_t before = out_.size();
  const Outbox::State state = out_.flush(connection_->fd());
  if (out_.size() != before) {
    has_head_gone_ = true;
    core_.wheel.set(*connection_, core_.settings.limits.client_body_s);
  }
  if (state != Outbox::State::broken) return true;
  lose_client();
  return false;
}

void Exchange::on_client(uint32_t events) {
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) return lose_client();
  switch (stage_) {
    case Stage::page:
      return flush_page();
    case Stage::tunnel:
      return tunnel_->on_client(events);
    case Stage::stored:
      if (!is_store_waiting_ || is_blocked()) pump_stored();
      return;
    case Stage::live:
      if (!upload_.is_done()) pump_upload();
      if (stage_ == Stage::live) pump_live();
      return;
    case Stage::idle:
    case Stage::asking:
    case Stage::waiting:
      return;
  }
}

void Exchange::on_client_time_out() {
  // Who is waited for? Others have their own time-outs.
  const bool is_clients_turn =
      is_blocked() || (stage_ == Stage::live && !upload_.is_done() && transfer_ != nullptr &&
                       transfer_->fetch().takes_body() && transfer_->fetch().unsent() == 0);
  if (!is_clients_turn) return core_.wheel.set(*connection_, core_.settings.limits.client_body_s);
  ++core_.counters.too_slow;
  detail_ = "client too slow";
  lose_client();
}

void Exchange::lose_client() {
  if (detail_.empty()) detail_ = "client left";
  is_cut_short_ = true;
  end(false);
}

std::string_view Exchange::url_text() const {
  if (request_ == nullptr) return {};
  return request_->shown_url();
}

void Exchange::log(bool is_complete) {
  core_.counters.bytes_to_clients += body_bytes_;
  if (!core_.seams.log) return;
  LogRecord record;
  record.client = connection_->peer();
  if (identity_ != nullptr) record.user = identity_->user;
  if (request_ != nullptr) {
    const RequestHead& head = request_->head();
    record.method = head.method;
    record.referer = head.fields.find("referer").value_or(std::string_view());
    record.agent = head.fields.find("user-agent").value_or(std::string_view());
  }
  record.url = url_text();
  record.status = status_;
  record.bytes = body_bytes_;
  record.request_bytes = request_bytes_ != 0 ? request_bytes_ : upload_.bytes();
  record.result = result_;
  record.is_stored = is_stored_;
  record.upstream = upstream_.address;
  record.total = core_.clock.now - started_;
  record.upstream_wait = upstream_wait_;
  record.is_complete = is_complete;
  record.detail = detail_;
  record.is_denied = is_denied_;
  record.rule = rule_;
  core_.seams.log(record);
}

// The last act: the connection goes on or ends, and this exchange may be somebody else's.
void Exchange::end(bool is_complete) {
  if (stage_ == Stage::idle) return;
  log(is_complete);
  ClientConnection& connection = *connection_;
  const bool goes_on =
      is_complete && delivery_.is_persistent && upload_.is_done() && !is_cut_short_;
  if (!is_complete) {
    // No end that could be taken for a whole one (RFC 9112 section 8).
    const linger hard = {1, 0};
    setsockopt(connection.fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }
  drop_all();
  reset();
  connection.on_exchange_end(goes_on, is_complete);
}

void Exchange::drop_all() {
  if (Transfer* transfer = std::exchange(transfer_, nullptr)) transfer->leave();
  if (Transfer* awaited = std::exchange(awaited_, nullptr)) awaited->remove_waiter(*this);
  connector_.stop();
  if (parent_) core_.poller.bury(std::move(parent_));
  if (tunnel_) core_.poller.bury(std::move(tunnel_));
}

void Exchange::abandon() {
  if (stage_ == Stage::idle) return;
  log(false);
  drop_all();
  reset();
}

}  // namespace postern::http
