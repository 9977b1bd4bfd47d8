// SPDX-License-Identifier: BSD-3-Clause
// Asked: what the URL rules are asked about (F57). A server reads a target in more than one way, so
// the rules get its normal form: scheme and host in lower case without the dot behind, no default
// port, "/" for an empty path, no dot segments, nothing encoded that need not be (RFC 3986 section
// 6.2.2). Of a tunnel it is host:port.
//
// Servers go further than the RFC: they take "%2f" and '\' for '/', several of those for one, leave
// out what stands behind ';', and decode around a '%' that means nothing. Where a path has any of
// that, loose() is it as such a server reads it, and the rules must permit both.
//
// Views into the request where that will do. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "services/http/proxy/request.h"

namespace postern::http {

class Asked {
 public:
  // The request lives longer.
  explicit Asked(const Request& request);
  // The same at an address, as text, instead of the host that it names; both live longer.
  Asked(const Request& request, std::string_view address, uint16_t port);
  // The name that a client says in a tunnel to that port.
  Asked(std::string_view name, uint16_t port);

  std::string_view url() const { return text_.empty() ? view_ : std::string_view(text_); }
  std::string_view host() const { return host_; }
  // With the query; empty: of a tunnel.
  std::string_view path() const { return has_path_ ? url().substr(path_start_) : ""; }
  // Nothing: it is the same.
  std::optional<Asked> loose() const;

 private:
  std::string_view view_;
  std::string text_;  // in its place; empty: none
  std::string_view host_;
  size_t path_start_ = 0;
  bool has_path_ = false;
  bool is_well_encoded_ = true;
};

}  // namespace postern::http
