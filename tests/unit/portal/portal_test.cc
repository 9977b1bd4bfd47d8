// SPDX-License-Identifier: BSD-3-Clause
// A browser as far as it matters: it keeps its cookie, finds the token in the form, and sends it.
#include "services/portal/portal.h"

#include <catch2/catch.hpp>
#include <map>

#include "services/portal/form.h"

namespace postern::portal {
namespace {

const Ipv4Address kHost = Ipv4Address(0xC0A8010A);
const Ipv4Address kOther = Ipv4Address(0xC0A8010B);

// Accounts that know anna and bert, and a gateway that writes down who comes and goes.
struct Bed {
  Instant now = Instant{} + seconds(1000);
  bool answers_at_once = true;
  bool has_room = true;
  std::string events;
  std::vector<std::function<void()>> waiting;
  std::map<Ipv4Address, Person> logged_in;
  size_t touched = 0;
  Portal portal{world()};

  Portal::World world() {
    Portal::World world;
    world.now = [this] { return now; };
    world.find = [this](Ipv4Address address) {
      const auto known = logged_in.find(address);
      return known == logged_in.end() ? std::nullopt : std::optional(known->second);
    };
    world.touch = [this](Ipv4Address) { ++touched; };
    world.check = [this](const std::string& name, const std::string& password, Ipv4Address,
                         const Portal::World::Done& done) {
      Verdict verdict;
      verdict.is_right = (name == "anna" || name == "bert") && password == "right";
      verdict.user = name;
      verdict.groups = {"hr"};
      verdict.text = "wrong name or password";
      if (password == "too soon") verdict.status = 429, verdict.wait_s = 7;
      if (answers_at_once) return done(verdict);
      waiting.push_back([done, verdict] { done(verdict); });
    };
    world.let_in = [this](Ipv4Address from, const Verdict& verdict) {
      end(from, "replaced");
      if (!has_room) return false;
      events += "+" + verdict.user + "@" + to_text(from) + " ";
      logged_in[from] = {verdict.user, 1'700'000'000, seconds(3900), {}};
      return true;
    };
    world.let_out = [this](Ipv4Address from, Left how) {
      end(from, how == Left::silent ? "silent" : "logged-out");
    };
    return world;
  }
  void end(Ipv4Address address, const std::string& why) {
    const auto ended = logged_in.extract(address);
    if (ended.empty()) return;
    events += "-" + ended.mapped().user + "@" + to_text(address) + ":" + why + " ";
    portal.forget(address);
  }
};

struct Browser {
  Bed& bed;
  Ipv4Address address = kHost;
  std::string cookie{}, token{}, form_cookie{};
  Response last{};

  Request request(const std::string& method, const std::string& target) const {
    Request request;
    request.method = method;
    request.target = target;
    request.host = "192.168.1.1";
    request.cookie = "x=y";
    if (!cookie.empty()) request.cookie += "; __Host-postern=" + cookie;
    if (!form_cookie.empty()) request.cookie += "; __Host-postern-form=" + form_cookie;
    return request;
  }
  void take(const Response& response) {
    last = response;
    for (const auto& [name, value] : response.headers) {
      if (name != "Set-Cookie") continue;
      const size_t begin = value.find('=') + 1;
      const bool is_form = value.starts_with("__Host-postern-form=");
      (is_form ? form_cookie : cookie) = value.substr(begin, value.find(';') - begin);
    }
    constexpr std::string_view kToken = "name=\"token\" value=\"";
    const size_t at = response.body.find(kToken);
    if (at != std::string::npos) {
      const size_t begin = at + kToken.size();
      token = response.body.substr(begin, response.body.find('"', begin) - begin);
    }
  }
  void send(const Request& request) {
    last = Response{};
    last.status = 0;
    bed.portal.handle(request, address, [this](const Response& response) { take(response); });
  }
  unsigned get(const std::string& target = "/") {
    send(request("GET", target));
    return last.status;
  }
  Request form(const std::string& target, const std::string& fields) const {
    Request form = request("POST", target);
    form.content_type = "application/x-www-form-urlencoded";
    form.origin = "https://192.168.1.1";
    form.fetch_site = "same-origin";
    form.body = "token=" + token + fields;
    return form;
  }
  unsigned log_in(const std::string& user = "anna", const std::string& password = "right") {
    send(form("/login", "&user=" + user + "&password=" + password));
    return last.status;
  }
  unsigned log_out() {
    send(form("/logout", ""));
    return last.status;
  }
  bool sees(const std::string& text) const { return last.body.find(text) != std::string::npos; }
};

}  // namespace

TEST_CASE("portal: log in, look, log out", "[F27]") {
  Bed bed;
  Browser browser{bed};
  CHECK(browser.get() == 200);
  CHECK(browser.sees("<form method=\"post\" action=\"/login\">"));
  const std::string before = browser.form_cookie;
  CHECK(browser.log_in() == 303);
  CHECK(bed.events == "+anna@192.168.1.10 ");
  CHECK(browser.cookie != before);
  CHECK(browser.get() == 200);
  CHECK(browser.sees("anna"));
  CHECK(browser.sees("action=\"/logout\""));
  // Another browser of the host gets the form, and cannot log anna out.
  Browser second{bed};
  CHECK(second.get() == 200);
  CHECK(second.sees("action=\"/login\""));
  CHECK(second.log_out() == 303);
  CHECK(bed.portal.browsers() == 1);
  CHECK(browser.log_out() == 303);
  CHECK(bed.events == "+anna@192.168.1.10 -anna@192.168.1.10:logged-out ");
  CHECK(browser.cookie.empty());
  CHECK(browser.get() == 200);
  CHECK(browser.sees("action=\"/login\""));
}

TEST_CASE("portal: cookies go over TLS to this host alone, and to no script", "[F27]") {
  Bed bed;
  Browser browser{bed};
  browser.get();
  bool is_set = false;
  for (const auto& [name, value] : browser.last.headers) {
    if (name != "Set-Cookie") continue;
    is_set = true;
    CHECK(value.starts_with("__Host-postern-form="));
    CHECK(value.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"));
  }
  CHECK(is_set);
}

TEST_CASE("portal: forms of other sites and of nobody are refused", "[F27]") {
  Bed bed;
  Browser browser{bed};
  browser.get();
  const Request good = browser.form("/login", "&user=anna&password=right");
  std::vector<Request> bad(7, good);
  bad[0].origin = "https://evil.example";
  bad[1].origin = "null";
  bad[2].fetch_site = "cross-site";
  bad[3].fetch_site = "same-site";
  bad[4].cookie.clear();
  bad[5].body = "user=anna&password=right";
  bad[6].cookie = "__Host-postern-form=" + std::string(64, 'a');
  for (const Request& request : bad) {
    browser.send(request);
    CHECK(browser.last.status == 403);
  }
  CHECK(bed.events.empty());
  CHECK(bed.portal.counters().forged == bad.size());
  Request other = good;
  other.content_type = "text/plain";
  browser.send(other);
  CHECK(browser.last.status == 415);
  // The token of the log-in form is none for logging out, and the cookie of before is worth
  // nothing.
  const std::string before = browser.form_cookie, token = browser.token;
  REQUIRE(browser.log_in() == 303);
  Browser thief{bed, kHost, before, token};
  CHECK(thief.log_out() == 303);
  CHECK(bed.portal.browsers() == 1);
  thief.cookie = browser.cookie;
  CHECK(thief.log_out() == 403);
  // From another host not even the right ones.
  browser.get();
  browser.address = kOther;
  CHECK(browser.log_out() == 303);
  CHECK(bed.portal.browsers() == 1);
}

TEST_CASE("portal: a link of another site, without cookies, logs nobody out", "[F27]") {
  Bed bed;
  Browser browser{bed};
  browser.get();
  REQUIRE(browser.log_in() == 303);
  Request link = browser.request("GET", "/");
  link.cookie.clear();
  link.fetch_site = "cross-site";
  browser.send(link);
  CHECK(browser.sees("action=\"/login\""));
  browser.get();
  CHECK(browser.sees("action=\"/logout\""));
  CHECK(browser.log_out() == 303);
  CHECK(bed.portal.browsers() == 0);
}

TEST_CASE("portal: wrong passwords are told, with the name and nothing else", "[F27]") {
  Bed bed;
  Browser browser{bed};
  browser.get();
  CHECK(browser.log_in("anna", "wrong") == 403);
  CHECK(browser.sees("wrong name or password"));
  CHECK(browser.sees("value=\"anna\""));
  CHECK_FALSE(browser.sees("\"wrong\""));
  CHECK(browser.log_in("%3Cscript%3E", "wrong") == 403);
  CHECK_FALSE(browser.sees("<script"));
  CHECK(browser.sees("&lt;script&gt;"));
  CHECK(browser.log_in("anna", "too+soon") == 429);
  CHECK(browser.last.headers.back() == std::pair<std::string, std::string>("Retry-After", "7"));
  for (const char* fields :
       {"", "&user=anna", "&password=right", "&user=&password=right",
        "&user=anna&password=", "&user=anna&user=bert&password=right", "&user=anna&password=%"}) {
    browser.send(browser.form("/login", fields));
    CHECK(browser.last.status == 403);
  }
  browser.send(browser.form("/login", "&user=" + std::string(64, 'a') + "&password=right"));
  CHECK(browser.last.status == 403);
  CHECK(bed.events.empty());
}

TEST_CASE("portal: who logs in takes the place of who was there", "[F27]") {
  Bed bed;
  Browser first{bed}, second{bed};
  first.get();
  second.get();
  REQUIRE(first.log_in("anna") == 303);
  REQUIRE(second.log_in("bert") == 303);
  CHECK(bed.events == "+anna@192.168.1.10 -anna@192.168.1.10:replaced +bert@192.168.1.10 ");
  first.get();
  CHECK(first.sees("action=\"/login\""));
  second.get();
  CHECK(second.sees("bert"));
}

TEST_CASE("portal: checks under way have bounds, and outlive nobody", "[F27]") {
  auto bed = std::make_unique<Bed>();
  bed->answers_at_once = false;
  Browser browser{*bed};
  browser.get();
  CHECK(browser.log_in() == 0);
  CHECK(browser.log_in() == 0);
  CHECK(browser.log_in() == 503);
  for (uint32_t i = 1; i < kChecksMax - 1; ++i) {
    browser.address = Ipv4Address(kHost.number + i);
    CHECK(browser.log_in() == 0);
  }
  browser.address = Ipv4Address(kHost.number + kChecksMax);
  CHECK(browser.log_in() == 503);
  bed->waiting[0]();
  CHECK(browser.last.status == 303);
  CHECK(bed->events == "+anna@192.168.1.10 ");
  auto late = bed->waiting[1];
  bed.reset();
  late();
}

TEST_CASE("portal: without room nobody is let in", "[F27]") {
  Bed bed;
  bed.has_room = false;
  Browser browser{bed};
  browser.get();
  CHECK(browser.log_in() == 503);
  CHECK(bed.portal.browsers() == 0);
}

TEST_CASE("portal: silent browsers are logged out, and the page tells of time", "[F27]") {
  Bed bed;
  Browser browser{bed};
  browser.get();
  bed.portal.set_heartbeat(seconds(90));
  REQUIRE(browser.log_in() == 303);
  browser.get();
  CHECK(browser.sees("1 h 5 min"));
  CHECK(browser.sees("http-equiv=\"refresh\" content=\"30\""));
  bed.now = bed.now + seconds(80);
  browser.get();
  CHECK(bed.touched == 2);
  bed.now = bed.now + seconds(80);
  bed.portal.tick();
  CHECK(bed.portal.browsers() == 1);
  bed.now = bed.now + seconds(10);
  bed.portal.tick();
  CHECK(bed.events.ends_with("-anna@192.168.1.10:silent "));
  CHECK(bed.portal.browsers() == 0);
}

TEST_CASE("portal: the page is the browser's as long as somebody is logged in", "[F27]") {
  Bed bed;
  Browser browser{bed};
  browser.get();
  REQUIRE(browser.log_in() == 303);
  const std::string cookie = browser.cookie;
  for (const std::string& other : {cookie.substr(1), cookie.substr(1) + "x", std::string()}) {
    browser.cookie = other;
    browser.get();
    CHECK(browser.sees("action=\"/login\""));
  }
  browser.cookie = cookie;
  browser.get();
  CHECK(browser.sees("action=\"/logout\""));
  // An administrator, an account, another door: whatever ends it.
  bed.end(kHost, "administrator");
  browser.get();
  CHECK(browser.sees("action=\"/login\""));
  bed.portal.forget(kHost);
  CHECK(bed.portal.counters().logged_out == 1);
}

TEST_CASE("portal: what is not there is said to be not there", "[F27]") {
  Bed bed;
  Browser browser{bed};
  CHECK(browser.get("/favicon.ico") == 404);
  CHECK(browser.get("/style.css") == 200);
  CHECK(browser.get("/login") == 303);
  browser.send(browser.request("PUT", "/"));
  CHECK(browser.last.status == 405);
  browser.send(browser.form("/", ""));
  CHECK(browser.last.status == 404);
}

}  // namespace postern::portal
