// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/gateway/ftp_path.h"

#include <sodium.h>

#include <algorithm>

#include "services/http/gateway/text.h"
#include "services/http/message/fields.h"
#include "services/http/message/octets.h"

namespace postern::http {
namespace {

constexpr std::string_view kTypeMark = ";type=";

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char octet) {
    return static_cast<unsigned char>(octet) < 0x20 || octet == 0x7f;
  });
}

// Whether ".." is one of the parts of a name that may have slashes of both kinds in it.
bool leads_up(std::string_view name) {
  for (;;) {
    const size_t end = name.find_first_of("/\\");
    if (name.substr(0, end) == "..") return true;
    if (end == std::string_view::npos) return false;
    name.remove_prefix(end + 1);
  }
}

// Where ";type=x" begins; npos: there is none.
size_t type_at(std::string_view path) {
  if (path.size() < kTypeMark.size() + 1) return std::string_view::npos;
  const size_t at = path.size() - kTypeMark.size() - 1;
  return same_word(path.substr(at, kTypeMark.size()), kTypeMark) ? at : std::string_view::npos;
}

}  // namespace

std::string_view without_type(std::string_view path) {
  return path.substr(0, type_at(path));
}

std::optional<FtpPath> parse_ftp_path(std::string_view path) {
  FtpPath parsed;
  if (const size_t at = type_at(path); at != std::string_view::npos) {
    parsed.type = lower(path.back());
    if (parsed.type != 'a' && parsed.type != 'i' && parsed.type != 'd') return std::nullopt;
    path = path.substr(0, at);
  }
  if (path.starts_with('/')) path.remove_prefix(1);
  // An empty folder in front is how the root is written by those who do not know of %2F.
  if (path.starts_with('/')) parsed.folders.emplace_back("/");
  for (;;) {
    const size_t end = std::min(path.find('/'), path.size());
    std::optional<std::string> part = percent_decoded(path.substr(0, end));
    if (!part || has_control(*part) || leads_up(*part)) return std::nullopt;
    const bool is_last = end == path.size();
    if (is_last && parsed.type != 'd') parsed.name = *part == "." ? std::string() : *part;
    if ((!is_last || parsed.type == 'd') && !part->empty() && *part != ".") {
      if (parsed.folders.size() == FtpPath::kFoldersMax) return std::nullopt;
      parsed.folders.push_back(std::move(*part));
    }
    if (is_last) return parsed;
    path.remove_prefix(end + 1);
  }
}

FtpLogin::~FtpLogin() {
  sodium_memzero(password.data(), password.size());
}

std::optional<FtpLogin> parse_ftp_user(std::string_view url_user) {
  if (url_user.empty()) return FtpLogin();
  const size_t colon = std::min(url_user.find(':'), url_user.size());
  const std::optional<std::string> user = percent_decoded(url_user.substr(0, colon));
  const std::optional<std::string> password =
      percent_decoded(url_user.substr(std::min(colon + 1, url_user.size())));
  if (!user || !password) return std::nullopt;
  return make_ftp_login(*user, *password);
}

std::optional<FtpLogin> make_ftp_login(std::string_view user, std::string_view password) {
  if (user.empty() || has_control(user) || has_control(password)) return std::nullopt;
  FtpLogin login;
  login.user = user;
  login.password = password;
  login.is_anonymous = false;
  return login;
}

std::string ftp_command(std::string_view verb, std::string_view argument) {
  std::string command(verb);
  if (!argument.empty()) command += ' ';
  for (const char octet : argument) {
    command += octet;
    if (octet == '\xff') command += octet;
  }
  command += "\r\n";
  return command;
}

}  // namespace postern::http
