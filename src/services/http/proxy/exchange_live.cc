// SPDX-License-Identifier: BSD-3-Clause
// Answers from the origin, as they come, and the body of the request on its way there.
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "services/http/message/chunked.h"
#include "services/http/message/writer.h"
#include "services/http/proxy/exchange.h"

namespace postern::http {
namespace {

bool wants_trailer(const Fields& request) {
  ListWalk walk(request, "te");
  while (const auto member = walk.next()) {
    if (same_word(member->substr(0, member->find(';')), "trailers")) return true;
  }
  return false;
}

// RFC 9110 section 6.5.1: what frames, routes, changes, authenticates or tells how to read a
// message has no place behind it; a client may put it into the head all the same.
bool belongs_into_head(std::string_view name) {
  constexpr std::array<std::string_view, 18> kOfHead = {"content-length",
                                                        "content-encoding",
                                                        "content-type",
                                                        "content-range",
                                                        "content-location",
                                                        "host",
                                                        "set-cookie",
                                                        "location",
                                                        "cache-control",
                                                        "expires",
                                                        "age",
                                                        "date",
                                                        "vary",
                                                        "retry-after",
                                                        "authorization",
                                                        "cookie",
                                                        "www-authenticate",
                                                        "clear-site-data"};
  return std::any_of(kOfHead.begin(), kOfHead.end(),
                     [name](std::string_view other) { return same_word(name, other); });
}

}  // namespace

// The response is for this client alone, as it came.
void Exchange::fetch() {
  if (core_.settings.serve.is_offline) return show(Problem::not_stored);
  begin_transfer(order({}));
}

void Exchange::begin_transfer(TransferOrder order) {
  stage_ = Stage::live;
  order.may_store = order.may_store && may_use_store_;
  transfer_ = &core_.transfers->add(std::move(order), this);
  transfer_->start();
}

// The end of our part in it.
void Exchange::drop_transfer() {
  Transfer* transfer = std::exchange(transfer_, nullptr);
  if (transfer == nullptr) return;
  upstream_ = transfer->fetch().remote();
  upstream_wait_ = transfer->wait();
  is_stored_ = transfer->is_storing();
}

void Exchange::on_upload_room() {
  if (!upload_.is_done()) pump_upload();
}

// From the client to the origin, as long as that takes it.
void Exchange::pump_upload() {
  std::string& input = connection_->input();
  while (transfer_ != nullptr && !upload_.is_done() && transfer_->fetch().takes_body() &&
         transfer_->fetch().unsent() < Fetch::kUnsentMax) {
    if (input.empty()) {
      const ssize_t got = recv(connection_->fd(), core_.scratch.data(), core_.scratch.size(), 0);
      if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
      if (got <= 0) return lose_client();
      input.assign(core_.scratch.data(), static_cast<size_t>(got));
      core_.wheel.set(*connection_, core_.settings.limits.client_body_s);
    }
    size_t taken = 0;
    std::string coded;
    const Upload::State state = upload_.take(input, taken, coded);
    input.erase(0, taken);
    if (state == Upload::State::refused) return refuse_upload();
    if (upload_.is_done()) transfer_->fetch().end_body();
    transfer_->fetch().send_body(coded);
  }
}

// The rest of the request is nonsense, or too much: the origin gets no end of it.
void Exchange::refuse_upload() {
  delivery_.is_persistent = false;
  if (status_ != 0) return lose_client();
  if (Transfer* transfer = std::exchange(transfer_, nullptr)) transfer->leave();
  show(upload_.is_too_large() ? Problem::content_too_large : Problem::bad_request, "body");
}

void Exchange::on_interim(const ResponseHead& head) {
  // RFC 9110 section 15.2: not to HTTP/1.0 clients.
  if (request_->head().minor == 0) return;
  write_interim(out_.text(), core_.settings, head);
  flush();
}

bool Exchange::prefers_stored(unsigned status) {
  if (!object_ || judge_origin(entry_.origin) != Problem::none) return false;
  StoredFacts facts;
  OctetSet held;
  const Found found = describe_found(facts, held);
  if (!may_serve_after_failure(request_->facts, found, status, core_.clock.wall_s, serve_)) {
    return false;
  }
  drop_transfer();
  result_ = CacheResult::stale;
  detail_ = "the origin failed";
  serve_stored();
  return true;
}

void Exchange::on_failure(Problem problem, const std::string& detail) {
  if (!is_refusal(problem) && prefers_stored(0)) return;
  drop_transfer();
  show(problem, detail);
}

void Exchange::on_validated(const std::string& entry) {
  drop_transfer();
  ++core_.counters.revalidated;
  result_ = CacheResult::revalidated;
  entry_octets_ = entry;
  if (!read_entry()) return stored_failed();
  serve_stored();
}

void Exchange::on_response(const ResponseHead& head, const Framing& framing) {
  object_.reset();
  status_ = head.status;
  if (result_ == CacheResult::miss) ++core_.counters.misses;
  is_stored_ = transfer_->is_storing();
  if (framing.body == Body::length) {
    delivery_.has_length = true;
    delivery_.length = framing.length;
  } else if (framing.body != Body::none) {
    delivery_.is_chunked = request_->head().minor == 1;
    if (!delivery_.is_chunked) delivery_.is_persistent = false;
  }
  if (delivery_.is_chunked) has_trailer_ = wants_trailer(request_->head().fields);
  notes_.has_status = core_.store != nullptr;
  notes_.now_s = core_.clock.wall_s;
  notes_.status.forwarded = decision_.why == Forwarded::no ? Forwarded::uri_miss : decision_.why;
  notes_.status.is_stored = is_stored_;
  write_response(out_.text(), core_.settings, head, delivery_, notes_);
}

bool Exchange::on_body(std::string_view data) {
  if (delivery_.is_chunked) out_.text() += ChunkHeader(data.size()).text();
  out_.put(data, delivery_.is_chunked ? kChunkEnd : std::string_view());
  body_bytes_ += data.size();
  if (!flush()) return false;
  out_.settle();
  return out_.size() < kHeldMax;
}

void Exchange::on_body_pause() {
  flush();
}

// The others go ahead; we read what they have made be stored.
bool Exchange::on_detach() {
  if (is_head() || !upload_.is_done() || !transfer_->is_storing()) return false;
  object_ = transfer_->read_along();
  const uint64_t first = transfer_->first_octet();
  drop_transfer();
  object_->seek(first + body_bytes_);
  is_unbounded_ = !delivery_.has_length;
  const uint64_t end = is_unbounded_ ? UINT64_MAX : first + delivery_.length;
  parts_.assign(1, Part{{}, first + body_bytes_, end});
  part_ = 0;
  stage_ = Stage::stored;
  return true;
}

void Exchange::on_body_end(bool is_complete, const Fields& trailer) {
  drop_transfer();
  is_over_upstream_ = true;
  is_cut_short_ = !is_complete;
  if (!is_complete && detail_.empty()) detail_ = "cut short by the origin";
  if (is_complete && delivery_.is_chunked) {
    out_.text() += "0\r\n";
    if (has_trailer_) write_trailer(trailer);
    out_.text() += "\r\n";
  }
  pump_live();
}

void Exchange::write_trailer(const Fields& trailer) {
  HeadWriter writer(out_.text());
  for (const Field& field : trailer) {
    if (!is_hop_by_hop(field.name) && !belongs_into_head(field.name)) writer.field(field);
  }
}

void Exchange::pump_live() {
  if (!flush() || is_blocked()) return;
  if (is_over_upstream_) return end(!is_cut_short_);
  if (transfer_ != nullptr) transfer_->resume();
}

}  // namespace postern::http
