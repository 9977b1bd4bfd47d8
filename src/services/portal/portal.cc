// SPDX-License-Identifier: BSD-3-Clause
#include "services/portal/portal.h"

#include <sodium.h>

#include <algorithm>
#include <utility>

#include "services/portal/form.h"
#include "services/portal/pages.h"

namespace postern::portal {
namespace {

// The prefix makes browsers refuse them unless they are as we set them: over TLS, for this host
// alone. A link of another site comes without cookies and gets a form with a new one: that must not
// take the place of the one that is logged in.
constexpr std::string_view kCookie = "__Host-postern", kFormCookie = "__Host-postern-form";
constexpr size_t kCookieBytes = 32;
constexpr size_t kUserMax = 63;
constexpr size_t kPasswordMax = 1024;
constexpr int64_t kRefreshMinS = 2, kRefreshMaxS = 60;
constexpr std::string_view kLogin = "login", kLogout = "logout";

std::string hex(const unsigned char* bytes, size_t count) {
  std::string text(count * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes, count);
  text.pop_back();
  return text;
}

std::string new_cookie() {
  std::array<unsigned char, kCookieBytes> bytes;
  randombytes_buf(bytes.data(), bytes.size());
  return hex(bytes.data(), bytes.size());
}

bool is_cookie(std::string_view text) {
  return text.size() == kCookieBytes * 2 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string_view cookie_of(const Request& request, std::string_view name = kCookie) {
  const std::string_view cookie = find_cookie(request.cookie, name);
  return is_cookie(cookie) ? cookie : std::string_view();
}

void set_cookie(Response& response, std::string_view value, std::string_view name = kCookie) {
  std::string header(name);
  header += "=";
  header += value;
  header += "; Path=/; Secure; HttpOnly; SameSite=Strict";
  if (value.empty()) header += "; Max-Age=0";
  response.headers.emplace_back("Set-Cookie", std::move(header));
}

Response page_of(unsigned status, std::string body) {
  Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "text/html; charset=utf-8");
  response.body = std::move(body);
  return response;
}

Response see_page() {
  Response response;
  response.status = 303;
  response.headers.emplace_back("Location", "/");
  return response;
}

bool is_form(const Request& request) {
  const std::string_view type = request.content_type;
  constexpr std::string_view kForm = "application/x-www-form-urlencoded";
  return type.starts_with(kForm) && (type.size() == kForm.size() || type[kForm.size()] == ';');
}

std::string field_of(const Request& request, std::string_view name) {
  auto fields = parse_form(request.body);
  if (!fields) return {};
  std::string value = find_field(*fields, name).value_or("");
  for (Field& field : *fields)
    wipe(field.value);
  return value;
}

}  // namespace

Portal::Portal(World world) : world_(std::move(world)) {
  randombytes_buf(key_.data(), key_.size());
}

Portal::~Portal() = default;

std::string Portal::token_of(std::string_view purpose, std::string_view cookie) const {
  const std::string text = std::string(purpose) + ":" + std::string(cookie);
  const void* bytes = text.data();
  std::array<unsigned char, 16> digest;
  crypto_generichash(digest.data(), digest.size(), static_cast<const unsigned char*>(bytes),
                     text.size(), key_.data(), key_.size());
  return hex(digest.data(), digest.size());
}

bool Portal::is_own_form(const Request& request, std::string_view purpose,
                         std::string_view token) const {
  if (!request.origin.empty() && request.origin != "https://" + request.host) return false;
  const std::string& site = request.fetch_site;
  if (!site.empty() && site != "same-origin" && site != "none") return false;
  const std::string_view cookie = cookie_of(request, purpose == kLogin ? kFormCookie : kCookie);
  if (cookie.empty()) return false;
  const std::string wanted = token_of(purpose, cookie);
  return token.size() == wanted.size() &&
         sodium_memcmp(token.data(), wanted.data(), wanted.size()) == 0;
}

void Portal::handle(const Request& request, Ipv4Address from, const Answer& answer) {
  ++counters_.requests;
  const bool is_get = request.method == "GET" || request.method == "HEAD";
  const bool is_post = request.method == "POST";
  if (!is_get && !is_post) {
    Response response = page_of(405, html("Not known", "This page has forms and nothing else."));
    response.headers.emplace_back("Allow", "GET, HEAD, POST");
    return answer(response);
  }
  if (is_get && request.target == "/") return answer(page(request, from));
  if (is_get && request.target == "/style.css") {
    Response response;
    response.headers.emplace_back("Content-Type", "text/css; charset=utf-8");
    response.body = style_sheet();
    return answer(response);
  }
  const bool is_action = request.target == "/login" || request.target == "/logout";
  if (is_get && is_action) return answer(see_page());
  if (!is_action) return answer(page_of(404, html("Not found", "There is no such page.")));
  if (!is_form(request)) return answer(page_of(415, html("Not known", "This is no form.")));
  if (request.target == "/logout") return answer(log_out_by_form(request, from));
  log_in(request, from, answer);
}

// In a time that tells nothing of the cookie.
Portal::Browser* Portal::find_browser(const Request& request, Ipv4Address from) {
  const auto known = browsers_.find(from);
  if (known == browsers_.end()) return nullptr;
  const std::string& wanted = known->second.cookie;
  const std::string_view shown = cookie_of(request);
  const bool is_same = shown.size() == wanted.size() &&
                       sodium_memcmp(shown.data(), wanted.data(), wanted.size()) == 0;
  return is_same ? &known->second : nullptr;
}

Response Portal::page(const Request& request, Ipv4Address from) {
  Browser* browser = find_browser(request, from);
  const auto person = browser != nullptr ? world_.find(from) : std::nullopt;
  if (!person) return form_page(request, "", "");
  browser->last_page = world_.now();
  world_.touch(from);
  return state_page(from, *person, browser->cookie);
}

// The cookie of before stays, so that the form of another tab is still good.
Response Portal::form_page(const Request& request, const std::string& user,
                           const std::string& trouble) {
  std::string cookie(cookie_of(request, kFormCookie));
  const bool is_new = cookie.empty();
  if (is_new) cookie = new_cookie();
  const std::string token = token_of(kLogin, cookie);
  Response response = page_of(200, html(FormPage{token, user, trouble}));
  if (is_new) set_cookie(response, cookie, kFormCookie);
  return response;
}

Response Portal::state_page(Ipv4Address from, const Person& person, std::string_view cookie) const {
  constexpr int64_t kSecond = seconds(1).ns;
  const std::string token = token_of(kLogout, cookie);
  const std::string address = to_text(from);
  StatePage page;
  page.token = token;
  page.user = person.user;
  page.address = address;
  page.since_s = person.since_s;
  if (person.left) page.left_s = std::max<int64_t>(0, person.left->ns / kSecond);
  page.idle_s = person.idle.ns / kSecond;
  // Three times before it is missed.
  if (heartbeat_.ns != 0) {
    page.refresh_s = std::clamp(heartbeat_.ns / kSecond / 3, kRefreshMinS, kRefreshMaxS);
  }
  return page_of(200, html(page));
}

Response Portal::refused_form() {
  ++counters_.forged;
  return page_of(403, html("Not accepted",
                           "The form was too old, or cookies are switched off. "
                           "Please try again."));
}

Response Portal::log_out_by_form(const Request& request, Ipv4Address from) {
  if (find_browser(request, from) == nullptr) return see_page();
  if (!is_own_form(request, kLogout, field_of(request, "token"))) return refused_form();
  world_.let_out(from, Left::by_form);
  Response response = see_page();
  set_cookie(response, "");
  return response;
}

void Portal::log_in(const Request& request, Ipv4Address from, const Answer& answer) {
  if (!is_own_form(request, kLogin, field_of(request, "token"))) return answer(refused_form());
  std::string user = field_of(request, "user");
  std::string password = field_of(request, "password");
  if (user.empty() || user.size() > kUserMax || password.empty() ||
      password.size() > kPasswordMax) {
    Response response = form_page(request, "", "Please give a name and a password.");
    response.status = 403;
    return answer(response);
  }
  if (checks_ >= kChecksMax || checks_of_[from] >= kChecksOfOneMax) {
    ++counters_.overloaded;
    Response response = form_page(request, user, "Too many log-ins at once; try again soon.");
    response.status = 503;
    return answer(response);
  }
  ++checks_;
  ++checks_of_[from];
  Request kept = request;
  wipe(kept.body);  // the password
  auto done = [this, alive = std::weak_ptr<bool>(alive_), kept = std::move(kept), user, from,
               answer](const Verdict& verdict) {
    if (alive.expired()) return;
    --checks_;
    if (--checks_of_[from] == 0) checks_of_.erase(from);
    if (verdict.is_right) return answer(let_in(from, verdict));
    ++counters_.refused;
    Response response = form_page(kept, user, verdict.text);
    response.status = verdict.status;
    if (verdict.wait_s != 0) {
      response.headers.emplace_back("Retry-After", std::to_string(verdict.wait_s));
    }
    answer(response);
  };
  world_.check(user, std::move(password), from, std::move(done));
  wipe(password);  // a short one is copied when it moves
}

Response Portal::let_in(Ipv4Address from, const Verdict& verdict) {
  if (!world_.let_in(from, verdict)) {
    ++counters_.overloaded;
    return page_of(503, html("No room", "Too many people are logged in."));
  }
  ++counters_.logged_in;
  const Browser& browser = browsers_[from] = {new_cookie(), world_.now()};
  Response response = see_page();
  set_cookie(response, browser.cookie);
  return response;
}

void Portal::forget(Ipv4Address address) {
  if (browsers_.erase(address) != 0) ++counters_.logged_out;
}

void Portal::tick() {
  if (heartbeat_.ns == 0) return;
  const Instant now = world_.now();
  std::vector<Ipv4Address> silent;
  for (const auto& [address, browser] : browsers_) {
    if (now - browser.last_page >= heartbeat_) silent.push_back(address);
  }
  for (const Ipv4Address address : silent)
    world_.let_out(address, Left::silent);
}

}  // namespace postern::portal
