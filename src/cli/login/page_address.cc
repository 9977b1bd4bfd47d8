// SPDX-License-Identifier: BSD-3-Clause
#include "cli/login/page_address.h"

#include <string_view>

#include "cli/remote_host.h"

namespace postern::cli {
namespace {

constexpr std::string_view kScheme = "https://";

Error not_an_address(const std::string& text) {
  if (text.starts_with("http://")) {
    return {ErrorCode::invalid, "a password goes over https:// only, not `" + text + "`"};
  }
  // What stands before an @ may be a secret.
  const std::string told = text.find('@') == std::string::npos ? ", not `" + text + "`" : "";
  return {ErrorCode::invalid, "the page is https://NAME[:PORT]/" + told};
}

}  // namespace

std::string PageAddress::key() const {
  return host + ":" + std::to_string(port);
}

std::string PageAddress::authority() const {
  return port == kPagePort ? host : key();
}

std::string PageAddress::url() const {
  return std::string(kScheme) + authority() + "/";
}

Result<PageAddress> parse_page_address(const std::string& text) {
  std::string rest = text;
  if (rest.starts_with(kScheme)) rest.erase(0, kScheme.size());
  if (rest.ends_with('/')) rest.pop_back();
  const bool has_port = rest.find(':') != std::string::npos;
  auto host = parse_host(rest);
  if (!host || host->name.starts_with('-') || host->name.starts_with('.')) {
    return not_an_address(text);
  }
  PageAddress page{host->name, has_port ? host->port : kPagePort};
  for (char& c : page.host) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return page;
}

}  // namespace postern::cli
