// SPDX-License-Identifier: BSD-3-Clause
// LoginPage: what a person does at the log-in page of a gateway (F27), step by step: the form, the
// password, the page of who is logged in, the button that logs out. The cookie is what whoever is
// logged in has to show; it is a secret. Thread: the only one; blocks as HttpsClient does.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/login/https_client.h"
#include "cli/login/page.h"

namespace postern::cli {

constexpr int kPatienceMs = 10'000;
// The gateway takes a minute for a password at most, and may let somebody in who does not wait.
constexpr Patience kVerdictPatience = {
    70'000, 15'000, "waits for the verdict of the gateway, to log out; Ctrl-C again does not wait"};

class LoginPage {
 public:
  explicit LoginPage(HttpsClient& client) : client_(client) {}

  // The cookie. `denied`: a wrong password, or one that has to wait, in the gateway's words.
  Result<std::string> log_in(std::string_view user, std::string_view password) const;
  // Who is logged in by the cookie; nothing: nobody is any more.
  Result<std::optional<Page>> look(const std::string& cookie, int patience_ms = kPatienceMs) const;
  // `token` is that of the page.
  Result<void> log_out(const std::string& cookie, const std::string& token, int patience_ms) const;

 private:
  Error not_as_expected(const Answer& answer) const;

  HttpsClient& client_;
};

}  // namespace postern::cli
