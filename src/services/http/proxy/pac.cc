// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/pac.h"

#include <fmt/format.h>

namespace postern::http {

bool is_pac_path(std::string_view path) {
  path = path.substr(0, path.find('?'));
  return path == "/proxy.pac" || path == "/wpad.dat";
}

std::string pac_script(const Peer& own, std::string_view domain) {
  const std::string address = to_text(own.address);
  std::string local;
  if (!domain.empty()) {
    local =
        fmt::format("  if (host == \"{0}\" || host.substr(-{1}) == \".{0}\") return \"DIRECT\";\n",
                    domain, domain.size() + 1);
  }
  // Names are not looked up here: that would hold up every page.
  return fmt::format(
      "function FindProxyForURL(url, host) {{\n"
      "  host = host.toLowerCase();\n"
      "  if (host.indexOf(\".\") < 0 || host.indexOf(\":\") >= 0) return \"DIRECT\";\n"
      "{0}"
      "  if (/^\\d+\\.\\d+\\.\\d+\\.\\d+$/.test(host) && (host == \"{1}\" ||\n"
      "      isInNet(host, \"10.0.0.0\", \"255.0.0.0\") ||\n"
      "      isInNet(host, \"127.0.0.0\", \"255.0.0.0\") ||\n"
      "      isInNet(host, \"169.254.0.0\", \"255.255.0.0\") ||\n"
      "      isInNet(host, \"172.16.0.0\", \"255.240.0.0\") ||\n"
      "      isInNet(host, \"192.168.0.0\", \"255.255.0.0\"))) return \"DIRECT\";\n"
      "  return \"PROXY {1}:{2}\";\n"
      "}}\n",
      local, address, own.port);
}

}  // namespace postern::http
