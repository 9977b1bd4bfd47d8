// SPDX-License-Identifier: BSD-3-Clause
// Answers from the store: whole, in parts, or that nothing has changed.
#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <utility>

#include "services/http/message/chunked.h"
#include "services/http/proxy/exchange.h"
#include "services/http/rules/range.h"

namespace postern::http {
namespace {

// Up to here octets are copied out and go with the head in one call; above, the system sends them
// out of the file.
constexpr uint64_t kCopiedMax = uint64_t{16} << 10;

// Whether the request has conditions or ranges, that is fields with an I or R in front.
bool has_selection(const Request& request) {
  if (!request.facts.range.empty()) return true;
  const Fields& fields = request.head().fields;
  return std::any_of(fields.begin(), fields.end(), [](const Field& field) {
    return field.name.size() > 3 && (field.name[0] | 0x20) == 'i' &&
           (field.name[1] | 0x20) == 'f' && field.name[2] == '-';
  });
}

std::string random_boundary() {
  return fmt::format("{:08x}{:08x}{:08x}", randombytes_random(), randombytes_random(),
                     randombytes_random());
}

}  // namespace

void Exchange::serve_stored() {
  if (const Problem problem = judge_origin(entry_.origin); problem != Problem::none)
    return refuse_stored(problem);
  stage_ = Stage::stored;
  parts_.clear();
  part_ = 0;
  const std::optional<uint64_t> length = object_->length();
  StoredHead head;
  head.status = entry_.facts.status;
  head.age_s = age_of(entry_.facts, core_.clock.wall_s);
  if (length && has_selection(*request_)) {
    if (!plan_parts(*length, head)) return;
  } else if (!is_head()) {
    delivery_.has_length = length.has_value();
    delivery_.length = length.value_or(0);
    is_unbounded_ = !length;
    parts_.push_back(Part{{}, 0, length.value_or(UINT64_MAX)});
  } else if (length) {
    delivery_.has_length = true;
    delivery_.length = *length;
  }
  if (is_unbounded_) {
    delivery_.is_chunked = request_->head().minor == 1;
    if (!delivery_.is_chunked) delivery_.is_persistent = false;
  }
  if (!parts_.empty() && !seek(parts_.front().begin)) return stored_failed();
  notes_.has_status = true;
  notes_.now_s = core_.clock.wall_s;
  notes_.status.forwarded = result_ == CacheResult::revalidated ? Forwarded::stale : Forwarded::no;
  if (result_ == CacheResult::revalidated) notes_.status.forwarded_status = 304;
  notes_.status.ttl_s = freshness_left(entry_.facts, core_.clock.wall_s);
  notes_.status.is_collapsed = result_ == CacheResult::collapsed;
  status_ = head.status;
  if (!upload_.is_done()) delivery_.is_persistent = false;
  head.entry = &entry_;
  write_stored(out_.text(), core_.settings, head, delivery_, notes_);
  pump_stored();
}

// Which octets, by the client's conditions and ranges. False: the answer is given.
bool Exchange::plan_parts(uint64_t length, StoredHead& head) {
  const std::optional<Fields> stored = parse_entry_fields(entry_);
  if (!stored) {
    stored_failed();
    return false;
  }
  const auto size = static_cast<int64_t>(length);
  const StoredAnswer answer =
      plan_answer(request_->head().method, request_->head().fields, entry_.facts, *stored, size);
  head.status = answer.status;
  if (answer.status == 416 || answer.status == 412) {
    const std::string range = "Content-Range: " + encode_unsatisfied_range(size) + "\r\n";
    stage_ = Stage::page;
    send_page(answer.status, answer.status == 416 ? "Range Not Satisfiable" : "Precondition Failed",
              answer.status == 416 ? range : std::string(), {});
    return false;
  }
  if (answer.status == 304) return true;
  delivery_.has_length = true;
  delivery_.length = length;
  if (answer.status == 206 && answer.ranges.size() == 1) {
    const Octets only = answer.ranges.front();
    range_text_ = encode_content_range(only, size);
    head.content_range = range_text_;
    delivery_.length = static_cast<uint64_t>(only.size());
    parts_.push_back(
        Part{{}, static_cast<uint64_t>(only.first), static_cast<uint64_t>(only.last) + 1});
  } else if (answer.status == 206) {
    const Multipart multipart(random_boundary(), stored->find("content-type").value_or(""), size);
    type_text_ = multipart.content_type();
    head.content_type = type_text_;
    delivery_.length = static_cast<uint64_t>(multipart.length(answer.ranges));
    parts_.reserve(answer.ranges.size());
    for (const Octets& range : answer.ranges) {
      parts_.push_back(Part{multipart.head(range, parts_.empty()),
                            static_cast<uint64_t>(range.first),
                            static_cast<uint64_t>(range.last) + 1});
    }
    tail_ = multipart.tail();
  } else {
    parts_.push_back(Part{{}, 0, length});
  }
  if (is_head()) {
    parts_.clear();
    tail_.clear();
  }
  return true;
}

void Exchange::pump_stored() {
  for (int round = 0; round < kRoundsMax; ++round) {
    if (!is_store_waiting_ && part_ < parts_.size() && !is_blocked_behind_head()) {
      if (!pump_part()) return;
      continue;
    }
    if (!flush()) return;
    if (is_blocked() || is_store_waiting_) return;
    if (part_ == parts_.size() && !tail_.empty()) {
      out_.text() += std::exchange(tail_, {});
    } else if (part_ == parts_.size()) {
      if (result_ == CacheResult::hit) ++core_.counters.hits;
      if (result_ == CacheResult::collapsed) ++core_.counters.collapsed;
      core_.counters.bytes_from_store += body_bytes_;
      return end(true);
    }
  }
  core_.poller.rearm(connection_->fd(), *connection_);
}

// The head may wait for octets that go with it; octets that wait go first.
bool Exchange::is_blocked_behind_head() const {
  return out_.has_octets() || out_.size() > kHeadWaitsMax;
}

// Gets the next octets of the part ready. False: nothing more can be done now.
bool Exchange::pump_part() {
  Part& part = parts_[part_];
  if (!part.before.empty()) {
    out_.text() += std::exchange(part.before, {});
    if (!seek(part.begin)) {
      stored_failed();
      return false;
    }
  }
  if (part.begin == part.end) {
    ++part_;
    return true;
  }
  const bool is_copied = part.end - part.begin <= kCopiedMax || delivery_.is_chunked ||
                         object_->is_filling() || has_parts_;
  return is_copied ? send_octets(part) : send_extent(part);
}

bool Exchange::send_octets(Part& part) {
  const Read read = source().next();
  if (read.state == Read::State::wait) return wait_for_store();
  if (read.state == Read::State::end && is_unbounded_) {
    part.end = part.begin;
    if (delivery_.is_chunked) tail_ = kLastChunk;
    return true;
  }
  if (read.state != Read::State::octets) {
    if (is_in_gap_) gap_end_ = part.begin;
    const bool is_elsewhere =
        has_parts_ && read.state != Read::State::failed && switch_source(part.begin);
    if (!is_elsewhere) stored_failed();
    return is_elsewhere;
  }
  const auto size =
      static_cast<size_t>(std::min<uint64_t>(read.octets.size(), part.end - part.begin));
  const std::string_view octets(reinterpret_cast<const char*>(read.octets.data()), size);
  if (delivery_.is_chunked) out_.text() += ChunkHeader(size).text();
  out_.put(octets, delivery_.is_chunked ? kChunkEnd : std::string_view());
  part.begin += size;
  body_bytes_ += size;
  if (part.begin == part.end) ++part_;
  return true;
}

// False: nobody has the octet there.
bool Exchange::seek(uint64_t offset) {
  if (has_parts_) return switch_source(offset);
  object_->seek(offset);
  return true;
}

// Of the object in parts, the one that has, or will have, the octet. False: none.
bool Exchange::switch_source(uint64_t offset) {
  if (++switches_ > kSwitchesMax) return false;
  is_in_gap_ = false;
  for (const OctetRange& piece : object_->present()) {
    if (piece.begin <= offset && offset < piece.end) {
      object_->seek(offset);
      return true;
    }
  }
  // A fill that is held goes on when it is long in the store, where a look-up would not find it.
  const bool was_tried = gap_ && (offset < gap_begin_ || gap_end_ == offset);
  if (!gap_ || was_tried) {
    gap_ = core_.store->find_fill(StoreKey{request_->key.text, variant_}, offset);
    gap_begin_ = offset;
    gap_end_ = UINT64_MAX;
  }
  const bool belongs = gap_ && gap_->validator() == object_->validator() &&
                       object_->validator() != 0 && gap_->length() == object_->length() &&
                       is_open_to(*gap_);
  if (!belongs) {
    gap_.reset();
    return false;
  }
  gap_->seek(offset);
  is_in_gap_ = true;
  return true;
}

bool Exchange::send_extent(Part& part) {
  const ReadExtent extent = object_->next_extent();
  if (extent.state == Read::State::absent) return send_octets(part);  // it is not in the file yet
  if (extent.state == Read::State::wait) return wait_for_store();
  if (extent.state != Read::State::octets) {
    stored_failed();
    return false;
  }
  out_.set_more(true);
  if (!flush()) return false;
  out_.set_more(false);
  if (is_blocked()) {
    object_->seek(part.begin);
    return false;
  }
  const auto length = static_cast<size_t>(std::min(extent.length, part.end - part.begin));
  size_t sent = 0;
  const Outbox::State state =
      Outbox::send_file(connection_->fd(), extent.fd, extent.offset, length, sent);
  part.begin += sent;
  body_bytes_ += sent;
  if (sent != 0) core_.wheel.set(*connection_, core_.settings.limits.client_body_s);
  if (sent < length) object_->seek(part.begin);
  if (state == Outbox::State::broken) lose_client();
  return state == Outbox::State::empty;
}

bool Exchange::wait_for_store() {
  is_store_waiting_ = true;
  keep();
  source().when_ready([this, life = life_, alive = std::weak_ptr<bool>(core_.alive)] {
    if (alive.expired() || life != life_) return;
    is_store_waiting_ = false;
    core_.clock.read();
    pump_stored();
  });
  return true;  // the head can go, while there is nothing else
}

// What is stored is not there any more: from the origin then, unless the answer has begun.
void Exchange::stored_failed() {
  detail_ = "the store failed";
  if (body_bytes_ == 0 && !has_head_gone_) {
    out_.clear();
    object_.reset();
    gap_.reset();
    is_in_gap_ = false;
    has_parts_ = false;
    parts_.clear();
    part_ = 0;
    tail_.clear();
    delivery_ = Delivery();
    delivery_.is_persistent = request_->framing.is_persistent && !connection_->is_stopping();
    is_unbounded_ = false;
    may_use_store_ = false;
    return fetch();
  }
  is_cut_short_ = true;
  end(false);
}

}  // namespace postern::http
