// SPDX-License-Identifier: BSD-3-Clause
// NextHops: what takes messages to other servers, as who has them to deliver sees it (delivery/);
// Relay is one. Thread: control.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "services/mail/message/envelope.h"
#include "services/mail/message/reply.h"
#include "services/mail/queue/body.h"

namespace postern::mail {

struct RelayJob {
  uint64_t number = 0;  // of the queue
  std::string id;       // the same, as text
  std::shared_ptr<const Envelope> envelope;
  std::vector<size_t> places;  // of the recipients that go this way
  std::string front;           // lines with CRLF that go before the text
  std::shared_ptr<const Body> body;
  uint64_t octets = 0;  // of the text, without `front`
};

struct RelayResult {
  // Each place once: 2xx it is taken, 4xx perhaps later, 5xx never. None: it was not tried, as the
  // hop is another one now; it is to be asked again where to.
  std::vector<std::pair<size_t, Reply>> replies;
  std::string remote;     // "mail.isp.example[192.0.2.25]:587"; empty: none was reached
  bool was_tried = true;  // false: not even a connection
  bool has_dsn = false;   // the next hop knows DSN: what becomes of it, it tells
};

class NextHops {
 public:
  virtual ~NextHops() = default;

  // Recipients of one message with the same key go together; empty: there is no way.
  virtual std::string hop_of(const Address& sender, const Address& recipient) const = 0;
  // Whether another message could go now.
  virtual bool has_room(const std::string& hop) const = 0;
  // `then` once, perhaps at once.
  using Then = std::function<void(const RelayResult& result)>;
  virtual void send(const std::string& hop, RelayJob job, const Then& then) = 0;
  // The schedule (F52).
  virtual bool may_go_now() const = 0;
};

}  // namespace postern::mail
