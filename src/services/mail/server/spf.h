// SPDX-License-Identifier: BSD-3-Clause
// Spf: whether a host may send mail of a domain, by what the domain publishes (RFC 7208).
//
//   check(question, then) -> a thread: a process of postern-spf, which asks the DNS -> then(answer)
//
// The library that reads the records is in that program alone (services/mail/spf): whatever a
// record does to it, it is temperror for who published it.
//
// Bounds: kAtOnce questions at once, of one network (/24) kOfNetwork; kWaitingMax that wait, for
// kWaitMax, of one network kWaitingOfNetwork; kPatience for a question that is asked, after which
// its process is killed. Who finds no room is not asked about, which counts as none, so that
// strangers cannot make us refuse the mail of others; but who fills the room of his own network
// has temperror. Thread: control.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "services/mail/spf/question.h"

namespace boost::asio {
class io_context;
}

namespace postern::mail {

// Where the program is, once Postern is installed.
std::string installed_spf_program();

class Spf {
 public:
  static constexpr unsigned kAtOnce = 8;
  static constexpr unsigned kOfNetwork = 2;
  static constexpr size_t kWaitingMax = 64;
  static constexpr size_t kWaitingOfNetwork = 16;
  static constexpr Duration kPatience = seconds(20);
  static constexpr Duration kWaitMax = seconds(20);

  struct Parts {
    boost::asio::io_context& context;
    std::string program;              // path of postern-spf
    std::vector<std::string> server;  // address and port of a DNS; empty: the system's
    std::function<void(const std::string& line)> warn;
  };
  explicit Spf(Parts parts);
  ~Spf();  // nobody is called any more; processes are killed, and none is waited for longer
  Spf(const Spf&) = delete;
  Spf& operator=(const Spf&) = delete;

  // `then` once, later.
  using Then = std::function<void(const SpfAnswer& answer)>;
  void check(const SpfQuestion& question, const Then& then);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace postern::mail
