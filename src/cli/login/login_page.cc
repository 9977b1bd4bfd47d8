// SPDX-License-Identifier: BSD-3-Clause
#include "cli/login/login_page.h"

#include <fmt/format.h>

#include "control/remote/channel/keys.h"

namespace postern::cli {
namespace {

constexpr unsigned kOk = 200, kSeeOther = 303, kForbidden = 403, kTooMany = 429, kNoRoom = 503;

std::string cookie_header(std::string_view name, std::string_view value) {
  return fmt::format("{}={}", name, value);
}

bool is_redirect(const Answer& answer) {
  return answer.status >= 300 && answer.status < 400;
}

// The page again: what it answers to a form that it took.
bool sends_back(const Answer& answer) {
  return answer.status == kSeeOther && answer.location == "/";
}

}  // namespace

// Nothing is followed: whoever writes there has not been asked whether it is the gateway.
Error LoginPage::not_as_expected(const Answer& answer) const {
  const std::string host = client_.page().key();
  if (is_redirect(answer)) {
    return {ErrorCode::failed,
            host + " sends elsewhere, which is not followed: there is no log-in page of Postern"};
  }
  if (answer.status == kNoRoom)
    return {ErrorCode::exhausted, host + " is too busy; try again soon"};
  return {ErrorCode::failed,
          fmt::format("there is no log-in page of Postern at {}: status {}", host, answer.status)};
}

Result<std::string> LoginPage::log_in(std::string_view user, std::string_view password) const {
  auto form_answer = client_.ask({"GET", "/", "", ""}, {kPatienceMs});
  if (!form_answer) return std::move(form_answer).error();
  const Page form = read_page(form_answer->body);
  const std::string form_cookie = cookie_in(form_answer->cookies, kFormCookie);
  if (form_answer->status != kOk || form.kind != Page::Kind::form || form_cookie.empty()) {
    return not_as_expected(*form_answer);
  }
  if (client_.is_told_to_end()) {
    return Error{ErrorCode::failed, "it was ended before the password was sent"};
  }
  std::string body = encode_form({{"token", form.token}, {"user", user}, {"password", password}});
  const std::string cookies = cookie_header(kFormCookie, form_cookie);
  const std::string doubt = fmt::format("{} may be logged in", user);
  auto answer = client_.ask({"POST", "/login", cookies, body, doubt}, kVerdictPatience);
  remote::wipe(body);
  if (!answer) return std::move(answer).error();
  const std::string cookie = cookie_in(answer->cookies, kLoginCookie);
  if (sends_back(*answer) && !cookie.empty()) return cookie;
  const std::string trouble = read_page(answer->body).trouble;
  if (answer->status == kForbidden || answer->status == kTooMany) {
    return Error{ErrorCode::denied,
                 client_.page().key() + ": " + (trouble.empty() ? "not accepted" : trouble)};
  }
  if (answer->status == kNoRoom && !trouble.empty()) {
    return Error{ErrorCode::exhausted, client_.page().key() + ": " + trouble};
  }
  return not_as_expected(*answer);
}

Result<std::optional<Page>> LoginPage::look(const std::string& cookie, int patience_ms) const {
  auto answer = client_.ask({"GET", "/", cookie_header(kLoginCookie, cookie), ""}, {patience_ms});
  if (!answer) return std::move(answer).error();
  if (answer->status != kOk) return not_as_expected(*answer);
  Page page = read_page(answer->body);
  if (page.kind == Page::Kind::state) return std::optional<Page>(std::move(page));
  if (page.kind == Page::Kind::form) return std::optional<Page>();
  return not_as_expected(*answer);
}

Result<void> LoginPage::log_out(const std::string& cookie, const std::string& token,
                                int patience_ms) const {
  const std::string body = encode_form({{"token", token}});
  auto answer =
      client_.ask({"POST", "/logout", cookie_header(kLoginCookie, cookie), body}, {patience_ms});
  if (!answer) return std::move(answer).error();
  if (sends_back(*answer)) return {};
  return not_as_expected(*answer);
}

}  // namespace postern::cli
