// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/scan/milter_address.h"

#include <sys/un.h>

#include <charconv>
#include <optional>

#include "base/plain_text.h"

namespace postern::mail {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kInet = "inet:";
constexpr size_t kPathMax = sizeof(sockaddr_un::sun_path) - 1;

std::optional<MilterAddress> parse_path(std::string_view path) {
  if (!path.starts_with('/') || path.size() > kPathMax) return {};
  if (path.find('\0') != std::string_view::npos) return {};
  return MilterAddress{std::string(path), {}, 0};
}

std::optional<MilterAddress> parse_host(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {};
  const auto address = parse_ipv4(text.substr(0, colon));
  const std::string_view digits = text.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (!address || error != std::errc() || end != digits.data() + digits.size() || port == 0)
    return {};
  return MilterAddress{{}, *address, port};
}

}  // namespace

Result<MilterAddress> parse_milter_address(std::string_view text) {
  std::optional<MilterAddress> found;
  if (text.starts_with(kUnix)) found = parse_path(text.substr(kUnix.size()));
  if (text.starts_with(kInet)) found = parse_host(text.substr(kInet.size()));
  if (found) return *std::move(found);
  return Error{ErrorCode::invalid, "`" + plain_text(text) +
                                       "` is no address of a milter: unix:/path or "
                                       "inet:192.0.2.1:7357 is wanted"};
}

}  // namespace postern::mail
