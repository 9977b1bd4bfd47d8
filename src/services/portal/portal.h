// SPDX-License-Identifier: BSD-3-Clause
// Portal: the engine of the log-in page (F27). Requests, verdicts on passwords and time in;
// answers, log-ins and log-outs out. No socket, no clock, no accounts; who is logged in at an
// address, and until when, is kept by who calls: here are the browsers that did it.
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
// Bounds: a browser for each log-in that was let in, kChecksMax passwords at the accounts,
// kChecksOfOneMax of one address.
// Thread: control.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/time.h"
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

// How somebody leaves by the page.
enum class Left : uint8_t {
  by_form,
  silent,  // the browser does not ask for the page any more
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

// Who is logged in at an address.
struct Person {
  std::string user;
  int64_t since_s = 0;           // by the calendar
  std::optional<Duration> left;  // until it ends for its age
  Duration idle;                 // of quiet after which it ends; 0: it does not
};

class Portal {
 public:
  using Answer = std::function<void(const Response& response)>;
  struct World {
    std::function<Instant()> now;
    std::function<std::optional<Person>(Ipv4Address)> find;  // nothing: nobody
    std::function<void(Ipv4Address)> touch;                  // its browser asked for the page
    // Calls `done` once, later.
    using Done = std::function<void(const Verdict& verdict)>;
    std::function<void(const std::string& name, std::string password, Ipv4Address from, Done done)>
        check;
    // Whoever was there is logged out first. False: no room.
    std::function<bool(Ipv4Address from, const Verdict& verdict)> let_in;
    std::function<void(Ipv4Address from, Left how)> let_out;
  };
  explicit Portal(World world);
  ~Portal();
  Portal(const Portal&) = delete;
  Portal& operator=(const Portal&) = delete;

  // The longest time between two looks at the page; 0: no limit.
  void set_heartbeat(Duration heartbeat) { heartbeat_ = heartbeat; }
  // `answer` is called once, at once or later.
  void handle(const Request& request, Ipv4Address from, const Answer& answer);
  // Logs out whose browsers are silent. Call it once a second at least.
  void tick();
  // Nobody is logged in there any more, whatever ended it.
  void forget(Ipv4Address address);

  size_t browsers() const { return browsers_.size(); }
  const Counters& counters() const { return counters_; }

 private:
  Response page(const Request& request, Ipv4Address from);
  Response form_page(const Request& request, const std::string& user, const std::string& trouble);
  Response state_page(Ipv4Address from, const Person& person, std::string_view cookie) const;
  void log_in(const Request& request, Ipv4Address from, const Answer& answer);
  Response log_out_by_form(const Request& request, Ipv4Address from);
  Response let_in(Ipv4Address from, const Verdict& verdict);
  Response refused_form();
  bool is_own_form(const Request& request, std::string_view purpose, std::string_view token) const;
  std::string token_of(std::string_view purpose, std::string_view cookie) const;

  // That a person at an address logged in with.
  struct Browser {
    std::string cookie;  // what it shows; a secret
    Instant last_page;   // when it last asked for the page
  };
  // The one that asks, if it is that of who is logged in there; nullptr: it is not.
  Browser* find_browser(const Request& request, Ipv4Address from);

  World world_;
  Duration heartbeat_;
  std::map<Ipv4Address, Browser> browsers_;
  Counters counters_;
  std::array<unsigned char, 32> key_;  // of the tokens; drawn at the start
  size_t checks_ = 0;
  std::map<Ipv4Address, size_t> checks_of_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what comes later
};

}  // namespace postern::portal
