// SPDX-License-Identifier: BSD-3-Clause
// The part of RelayLink that brings a message to its session: the next piece of the text when the
// last one has gone to the kernel.
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <span>
#include <utility>

#include "base/assert.h"
#include "services/io/job_pool.h"
#include "services/mail/relay/link.h"

namespace postern::mail {

void RelayLink::send(RelayJob job, std::vector<size_t> places) {
  POSTERN_ASSERT(is_idle());
  is_busy_ = true;
  ++messages_;
  job_ = std::move(job);
  places_ = std::move(places);
  later(&RelayLink::begin_message);
}

void RelayLink::begin_message() {
  ClientMessage message;
  message.envelope = job_.envelope;
  message.places = std::move(places_);
  message.octets = job_.front.size() + job_.octets;
  carry_out(session_->send(std::move(message), tools_.seams.now()));
}

void RelayLink::go_on_with_text() {
  if (!session_->is_sending_text() || is_reading_ || stream_->unsent() != 0) return;
  if (!std::exchange(has_front_sent_, true) && !job_.front.empty()) {
    carry_out(session_->text(job_.front, tools_.seams.now()));
    if (is_over_ || !session_->is_sending_text()) return;
  }
  read_piece();
}

void RelayLink::read_piece() {
  const uint64_t left = job_.octets - text_at_;
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(left, kPieceMax));
  std::string piece(wanted, '\0');
  if (wanted == 0 || job_.body->is_in_memory()) {
    piece.resize(job_.body->read(text_at_, piece));
    return send_piece(piece, wanted);
  }
  is_reading_ = true;
  auto shared = std::make_shared<std::string>(std::move(piece));
  tools_.disk.run_surely(
      [body = job_.body, at = text_at_, shared] { shared->resize(body->read(at, *shared)); },
      [weak = weak_from_this(), wanted, shared] {
        const auto self = weak.lock();
        if (!self) return;
        self->is_reading_ = false;
        // A link whose message was ended early is over, so this is still the same one.
        if (!self->is_over_ && self->stream_) self->send_piece(*shared, wanted);
      });
}

void RelayLink::send_piece(const std::string& piece, size_t wanted) {
  if (!session_->is_sending_text()) return;
  const Instant now = tools_.seams.now();
  if (piece.size() != wanted) return carry_out(session_->break_text("its file is too short", now));
  text_at_ += piece.size();
  carry_out(session_->text(piece, now));
  if (is_over_ || !session_->is_sending_text() || text_at_ != job_.octets) return;
  carry_out(session_->end_text(now));
}

}  // namespace postern::mail
