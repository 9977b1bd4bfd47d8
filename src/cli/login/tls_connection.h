// SPDX-License-Identifier: BSD-3-Clause
// TlsConnection: one TCP connection with TLS, as a client, with one deadline for all of it. It
// trusts anybody: who uses it judges certificate() before the first send(). Thread: the only one;
// blocks, until the deadline or the grace after a signal.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/login/page_address.h"
#include "cli/login/stop_signals.h"
#include "cli/login/trust.h"

namespace postern::cli {

constexpr int kGraceMs = 1000;

struct Patience {
  int all_ms = 0;
  int grace_ms = kGraceMs;  // after a signal
  // Told on stderr at a signal that leaves time; another signal ends it at once then. nullptr: no
  // word, and each signal leaves the grace.
  const char* notice = nullptr;
};

class TlsConnection {
 public:
  TlsConnection(const PageAddress& page, const Patience& patience, StopSignals* signals);
  ~TlsConnection();
  TlsConnection(const TlsConnection&) = delete;
  TlsConnection& operator=(const TlsConnection&) = delete;

  // To the first of the addresses (IPv4, network order) that answers, which is returned. Each gets
  // an equal share of the time that is left.
  Result<uint32_t> connect(const std::vector<uint32_t>& addresses);
  Result<void> shake_hands(SSL_CTX* context);
  SeenCertificate certificate() const;
  Result<void> send(std::string_view octets);
  // What has come; empty: the other side has closed, or was cut off.
  Result<std::string> receive();

 private:
  using Clock = std::chrono::steady_clock;
  struct FreeTls {
    void operator()(SSL* tls) const { SSL_free(tls); }
  };
  // Takes a step of TLS until it is done; 0: the connection is over.
  Result<int> go(const std::function<int()>& step);
  Result<void> wait_for(short events) { return wait_until(deadline_, events); }
  Result<void> wait_until(Clock::time_point limit, short events);
  // False: another signal does not want to wait.
  bool hear_signal();
  // 0, or the errno of why not.
  int reach(uint32_t address, Clock::time_point limit);
  Error too_late() const;
  Error closed() const;

  const PageAddress& page_;
  const Patience patience_;
  Clock::time_point deadline_;
  StopSignals* signals_;
  bool is_noticed_ = false;
  bool is_closed_ = false;  // by the other side
  int fd_ = -1;
  std::unique_ptr<SSL, FreeTls> tls_;
};

}  // namespace postern::cli
