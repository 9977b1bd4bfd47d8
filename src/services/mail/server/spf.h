// SPDX-License-Identifier: BSD-3-Clause
// Spf: whether a host may send mail of a domain, by what the domain publishes (RFC 7208).
//
//   check(question, then) -> a thread: libspf2, which asks the DNS -> then(answer)
//
// Bounds: kThreads questions at once and kWaitingMax that wait, further ones are answered with
// temperror, and so are those that take longer than kPatience; ten terms that ask the DNS for each
// (RFC 7208 section 4.6.4, by the library). Thread: control; evaluate_spf() any.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/time.h"
#include "services/io/job_pool.h"
#include "services/mail/message/envelope.h"

struct SPF_dns_server_struct;

namespace postern::mail {

enum class SpfResult : uint8_t { none, neutral, pass, fail, softfail, temperror, permerror };

// "pass", as in a Received-SPF field.
std::string_view to_text(SpfResult result);

struct SpfQuestion {
  Ipv4Address client;
  std::string helo;
  Address sender;    // null: postmaster of `helo` (RFC 7208 section 2.4)
  std::string host;  // ours
};

struct SpfAnswer {
  SpfResult result = SpfResult::none;
  std::string why;  // in words
};

// With CRLF at the end (RFC 7208 section 9.1).
std::string received_spf_field(const SpfQuestion& question, const SpfAnswer& answer);

// Waits for the DNS. `dns`: where the library asks.
SpfAnswer evaluate_spf(const SpfQuestion& question, SPF_dns_server_struct* dns);

class Spf {
 public:
  static constexpr unsigned kThreads = 4;
  static constexpr size_t kWaitingMax = 64;
  static constexpr Duration kPatience = seconds(20);

  explicit Spf(boost::asio::io_context& context);
  ~Spf();  // nobody is called any more; waits for the lookups that are out
  Spf(const Spf&) = delete;
  Spf& operator=(const Spf&) = delete;

  // `then` once, later.
  using Then = std::function<void(const SpfAnswer& answer)>;
  void check(const SpfQuestion& question, Then then);

 private:
  struct Check;
  boost::asio::io_context& context_;
  std::shared_ptr<std::atomic<bool>> is_ending_;
  io::JobPool pool_;  // last: its threads end first
};

}  // namespace postern::mail
