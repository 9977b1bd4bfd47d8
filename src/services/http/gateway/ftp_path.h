// SPDX-License-Identifier: BSD-3-Clause
// What the path and the user of an ftp URL mean in commands (RFC 1738 section 3.2):
//
//   ftp://host/pub/docs/a%20b.txt;type=i    CWD pub, CWD docs, TYPE I, RETR a b.txt
//   ftp://host/pub/docs/                    CWD pub, CWD docs, and a listing
//   ftp://host/%2Fetc/motd                  CWD /etc, RETR motd
//
// Refused are control octets (a line end would be a command of its own) and "..", which the rules
// for URLs do not see through when it is encoded. Bounds: kFoldersMax folders; the URL is bounded
// by the head. Thread: any.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::http {

struct FtpPath {
  static constexpr size_t kFoldersMax = 32;
  std::vector<std::string> folders;  // decoded, not empty
  std::string name;                  // of the file; empty: the last folder itself is meant
  char type = 'i';                   // 'a', 'i', or 'd': the folder of that name

  bool is_listing() const { return name.empty(); }
};

// `path`: of the URL, percent-encoded; empty or with '/' in front. Nothing: it cannot be asked for.
std::optional<FtpPath> parse_ftp_path(std::string_view path);

// `path` without ";type=...".
std::string_view without_type(std::string_view path);

struct FtpLogin {
  std::string user = "anonymous";
  std::string password = "guest@";
  bool is_anonymous = true;

  FtpLogin() = default;
  ~FtpLogin();  // overwrites the password
  FtpLogin(FtpLogin&&) = default;
  FtpLogin(const FtpLogin&) = default;
  FtpLogin& operator=(FtpLogin&&) = default;
  FtpLogin& operator=(const FtpLogin&) = default;
};

// `url_user`: user[:password], percent-encoded, or empty. Nothing: it cannot be sent.
std::optional<FtpLogin> parse_ftp_user(std::string_view url_user);

// Of credentials from elsewhere. Nothing: they cannot be sent.
std::optional<FtpLogin> make_ftp_login(std::string_view user, std::string_view password);

// A command with its argument as it is sent, CRLF included: 0xFF stands twice, as the control
// connection is one of Telnet (RFC 959 section 5.3, RFC 854).
std::string ftp_command(std::string_view verb, std::string_view argument = {});

}  // namespace postern::http
