// SPDX-License-Identifier: BSD-3-Clause
// Portal: the engine of the log-in page (F27). Requests, verdicts on passwords and time in;
// answers, log-ins and log-outs out. No socket, no clock, no accounts.
//
//   GET /       not logged in: the form, with a cookie of its own and a token made from it
//               logged in:     who, since when, until when; a button to log out
//   POST /login   token right? -> check(name, password) -> let_in -> new cookie -> see GET /
//   POST /logout  token right? -> let_out -> see GET /
//
// A form counts only with the token of the cookie that came with it, and when no browser says that
// another site sent it: nobody else's page can log somebody in or out. The cookie of the form and
// that of who is logged in are two; that of before a log-in is worth nothing after it. Somebody is
// logged in at an address, and the page with its button belongs to the browser that did it. Works
// without JavaScript.
//
// Bounds: kLoginsMax log-ins, kChecksMax passwords at the accounts, kChecksOfOneMax of one address.
// Thread: control.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "services/portal/logins.h"
#include "services/portal/request.h"

namespace postern::portal {

constexpr size_t kChecksMax = 64;
constexpr size_t kChecksOfOneMax = 2;

struct Counters {
  uint64_t requests = 0;    // that were answered by a page
  uint64_t logged_in = 0;   // ever
  uint64_t logged_out = 0;  // whatever for
  uint64_t refused = 0;     // wrong names and passwords, and those that had to wait
  uint64_t forged = 0;      // forms without the right token, or from another site
  uint64_t overloaded = 0;  // not looked at: too much at once
};

// What the accounts say.
struct Verdict {
  bool is_right = false;
  std::string user;  // as the account is called
  std::vector<std::string> groups;
  uint64_t password_number = 0;  // another one after each change of the password
  unsigned status = 403;         // else: of the answer
  std::string text;              // and what it tells
  unsigned wait_s = 0;           // when to try again; 0: not told
};

class Portal {
 public:
  using Answer = std::function<void(const Response& response)>;
  struct World {
    std::function<Instant()> now;
    std::function<int64_t()> wall_s;
    std::function<Instant(Ipv4Address)> last_seen;  // of a host; zero: not yet
    // Calls `done` once, later.
    using Done = std::function<void(const Verdict& verdict)>;
    std::function<void(const std::string& name, std::string password, Ipv4Address from, Done done)>
        check;
    std::function<bool(const Login& login)> let_in;  // false: no room
    // With Ended::replaced somebody else is let in at the address next.
    std::function<void(const Login& login, Ended why)> let_out;
  };
  explicit Portal(World world);
  ~Portal();
  Portal(const Portal&) = delete;
  Portal& operator=(const Portal&) = delete;

  void set_limits(const Limits& limits) { limits_ = limits; }
  // `answer` is called once, at once or later.
  void handle(const Request& request, Ipv4Address from, const Answer& answer);
  // Logs out whose time is over. Call it once a second at least.
  void tick();

  // False: nobody is logged in there.
  bool log_out(Ipv4Address address, Ended why);
  void log_out_all(Ended why);
  const Logins& logins() const { return logins_; }
  const Limits& limits() const { return limits_; }
  const Counters& counters() const { return counters_; }
  // When it ends at the latest; zero: never for its age.
  Instant ends(const Login& login) const;

 private:
  Response page(const Request& request, Ipv4Address from);
  Response form_page(const Request& request, const std::string& user, const std::string& trouble);
  Response state_page(const Login& login) const;
  void log_in(const Request& request, Ipv4Address from, const Answer& answer);
  Response log_out_by_form(const Request& request, Ipv4Address from);
  Response let_in(Ipv4Address from, const Verdict& verdict);
  Response refused_form();
  bool is_own_form(const Request& request, std::string_view purpose, std::string_view token) const;
  std::string token_of(std::string_view purpose, std::string_view cookie) const;

  World world_;
  Limits limits_;
  Logins logins_;
  Counters counters_;
  std::array<unsigned char, 32> key_;  // of the tokens; drawn at the start
  size_t checks_ = 0;
  std::map<Ipv4Address, size_t> checks_of_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what comes later
};

}  // namespace postern::portal
