// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/tls/tls_transport.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace postern::dns {

Result<TlsServer> tls_server_of(const ServerAddress& server, const std::string& ca_file) {
  TlsServer made;
  made.address = server.address;
  made.port = server.port;
  made.ca_file = ca_file;
  std::string_view left = server.tls_name;
  while (!left.empty()) {
    const size_t comma = std::min(left.find(','), left.size());
    const std::string_view part = left.substr(0, comma);
    left.remove_prefix(std::min(comma + 1, left.size()));
    if (!part.starts_with("sha256/")) {
      made.name = part;
      continue;
    }
    const auto pin = parse_spki_pin(part);
    if (!pin) return Error{ErrorCode::invalid, std::string(part) + " is no pin"};
    made.pins.push_back(*pin);
  }
  return made;
}

Result<void> TlsTransport::configure(const std::vector<ServerAddress>& servers,
                                     const std::string& ca_file) {
  std::map<std::string, std::unique_ptr<TlsUpstream>> before;
  before.swap(upstreams_);
  Result<void> outcome;
  const auto note = [&](Error error) {
    if (outcome) outcome = std::move(error);
  };
  for (const ServerAddress& server : servers) {
    if (server.tls_name.empty()) continue;
    auto wanted = tls_server_of(server, ca_file);
    if (!wanted) {
      note(std::move(wanted).error());
      continue;
    }
    const std::string key = to_text(server);
    const auto same = before.find(key);
    if (same != before.end() && same->second->server() == *wanted) {
      same->second->try_again();
      upstreams_[key] = std::move(same->second);
      before.erase(same);
      continue;
    }
    if (upstreams_.contains(key)) continue;
    auto made = TlsUpstream::make(context_, *wanted);
    if (made) {
      upstreams_[key] = std::move(made).value();
    } else {
      note(std::move(made).error());
    }
  }
  return outcome;
}

void TlsTransport::ask(const ServerAddress& server, Bytes message, Duration timeout, Done done) {
  const auto found = upstreams_.find(to_text(server));
  if (found != upstreams_.end()) return found->second->ask(message, timeout, std::move(done));
  boost::asio::post(context_, [alive = std::weak_ptr<bool>(alive_), done = std::move(done),
                               text = to_text(server)] {
    if (!alive.expired()) done(Error{ErrorCode::not_found, text + ": not set up"});
  });
}

}  // namespace postern::dns
