// SPDX-License-Identifier: BSD-3-Clause
// TcpTransport: questions to servers by TCP, for answers that are too long for UDP (RFC 7766); one
// connection a question. Bounds: kAsksMax at once, further ones fail; answers of 64 KiB.
// Thread: control.
#pragma once

#include <map>

#include "services/dns/transport.h"
#include "services/io/watch.h"

namespace postern::dns {

class TcpTransport : public Transport {
 public:
  static constexpr size_t kAsksMax = 128;
  TcpTransport(boost::asio::io_context& context, std::function<Instant()> now);
  ~TcpTransport() override;

  void ask(const ServerAddress& server, Bytes message, Duration timeout, Done done) override;

 private:
  struct Ask;
  void on_writable(uint64_t id);
  void on_readable(uint64_t id);
  void finish(uint64_t id, Result<std::vector<uint8_t>> outcome);
  void fail_later(Done done, Error error);
  void tick();

  boost::asio::io_context& context_;
  std::function<Instant()> now_;
  std::map<uint64_t, std::unique_ptr<Ask>> asks_;
  std::vector<std::pair<Done, Error>> failed_;  // to be told at the next tick
  io::Timer timer_;
  uint64_t last_id_ = 0;
};

}  // namespace postern::dns
