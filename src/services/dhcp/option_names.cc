// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/option_names.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/address.h"
#include "services/dhcp/message.h"

namespace postern::dhcp {
namespace {

using Bytes = std::vector<uint8_t>;

enum class Form : uint8_t {
  address,
  addresses,
  address_pairs,  // "10.1.0.0 10.0.0.1": two at once
  boolean,
  number8,
  number16,
  number16s,
  number32,
  signed32,
  text,
  names,   // RFC 3397
  routes,  // RFC 3442
  hex,
};

struct Known {
  uint8_t code;
  std::string_view name;
  Form form;
};

constexpr Known kKnown[] = {
    {2, "time-offset", Form::signed32},
    {3, "routers", Form::addresses},
    {4, "time-servers", Form::addresses},
    {5, "name-servers", Form::addresses},
    {6, "domain-name-servers", Form::addresses},
    {7, "log-servers", Form::addresses},
    {8, "cookie-servers", Form::addresses},
    {9, "lpr-servers", Form::addresses},
    {10, "impress-servers", Form::addresses},
    {11, "resource-location-servers", Form::addresses},
    {12, "host-name", Form::text},
    {13, "boot-size", Form::number16},
    {14, "merit-dump", Form::text},
    {15, "domain-name", Form::text},
    {16, "swap-server", Form::address},
    {17, "root-path", Form::text},
    {18, "extensions-path", Form::text},
    {19, "ip-forwarding", Form::boolean},
    {20, "non-local-source-routing", Form::boolean},
    {21, "policy-filter", Form::address_pairs},
    {22, "max-dgram-reassembly", Form::number16},
    {23, "default-ip-ttl", Form::number8},
    {24, "path-mtu-aging-timeout", Form::number32},
    {25, "path-mtu-plateau-table", Form::number16s},
    {26, "interface-mtu", Form::number16},
    {27, "all-subnets-local", Form::boolean},
    {28, "broadcast-address", Form::address},
    {29, "perform-mask-discovery", Form::boolean},
    {30, "mask-supplier", Form::boolean},
    {31, "router-discovery", Form::boolean},
    {32, "router-solicitation-address", Form::address},
    {33, "static-routes", Form::address_pairs},
    {34, "trailer-encapsulation", Form::boolean},
    {35, "arp-cache-timeout", Form::number32},
    {36, "ieee802-3-encapsulation", Form::boolean},
    {37, "default-tcp-ttl", Form::number8},
    {38, "tcp-keepalive-interval", Form::number32},
    {39, "tcp-keepalive-garbage", Form::boolean},
    {40, "nis-domain", Form::text},
    {41, "nis-servers", Form::addresses},
    {42, "ntp-servers", Form::addresses},
    {43, "vendor-encapsulated-options", Form::hex},
    {44, "netbios-name-servers", Form::addresses},
    {45, "netbios-dd-server", Form::addresses},
    {46, "netbios-node-type", Form::number8},
    {47, "netbios-scope", Form::text},
    {48, "font-servers", Form::addresses},
    {49, "x-display-manager", Form::addresses},
    {60, "vendor-class-identifier", Form::text},
    {62, "nwip-domain-name", Form::text},
    {64, "nisplus-domain-name", Form::text},
    {65, "nisplus-servers", Form::addresses},
    {66, "tftp-server-name", Form::text},
    {67, "boot-file-name", Form::text},
    {68, "mobile-ip-home-agent", Form::addresses},
    {69, "smtp-server", Form::addresses},
    {70, "pop-server", Form::addresses},
    {71, "nntp-server", Form::addresses},
    {72, "www-server", Form::addresses},
    {73, "finger-server", Form::addresses},
    {74, "irc-server", Form::addresses},
    {75, "streettalk-server", Form::addresses},
    {76, "streettalk-directory-assistance-server", Form::addresses},
    {100, "pcode", Form::text},
    {101, "tcode", Form::text},
    {108, "v6-only-preferred", Form::number32},
    {114, "captive-portal", Form::text},
    {116, "auto-config", Form::boolean},
    {119, "domain-search", Form::names},
    {121, "classless-static-routes", Form::routes},
    {138, "capwap-ac", Form::addresses},
    {150, "tftp-server-address", Form::addresses},
    {208, "pxelinux-magic", Form::hex},
    {209, "pxelinux-config-file", Form::text},
    {210, "pxelinux-path-prefix", Form::text},
    {211, "pxelinux-reboot-time", Form::number32},
    {249, "microsoft-classless-static-routes", Form::routes},
    {252, "wpad-url", Form::text},
};

// What the server says by itself, from the lease and the configuration's own keys.
constexpr uint8_t kServersOwn[] = {
    option::pad,       option::subnet_mask,  option::requested_address, option::lease_time,
    option::overload,  option::message_type, option::server_id,         option::parameter_list,
    option::text,      option::message_size, option::renewal_time,      option::rebinding_time,
    option::client_id, option::client_fqdn,  option::relay_agent,       option::end,
};

constexpr auto kNames = [] {
  std::array<std::string_view, std::size(kKnown)> names;
  for (size_t i = 0; i < names.size(); ++i)
    names[i] = kKnown[i].name;
  return names;
}();

const Known* find_known(uint8_t code) {
  const auto* found =
      std::find_if(std::begin(kKnown), std::end(kKnown), [&](auto& k) { return k.code == code; });
  return found == std::end(kKnown) ? nullptr : found;
}

Error wrong(const std::string& value, const std::string& expected) {
  return {ErrorCode::invalid, "'" + value + "' is not " + expected};
}

template <typename T>
bool read_number(std::string_view text, T& number) {
  const char* end = text.data() + text.size();
  auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stopped == end;
}

template <typename T>
void append(Bytes& out, T number) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<uint8_t>(number >> shift));
}

template <typename T>
Result<void> append_number(const std::string& value, Bytes& out) {
  T number = 0;
  if (!read_number(value, number)) {
    return wrong(value, "a number of " + std::to_string(sizeof(T) * 8) + " bits");
  }
  append(out, number);
  return {};
}

Result<void> append_address(const std::string& value, Bytes& out) {
  auto address = parse_ipv4(value);
  if (!address) return wrong(value, "an address");
  append(out, address->number);
  return {};
}

Result<void> append_pair(const std::string& value, Bytes& out) {
  size_t blank = value.find(' ');
  if (blank == std::string::npos) return wrong(value, "a pair of addresses with a blank between");
  if (auto first = append_address(value.substr(0, blank), out); !first) return first;
  return append_address(value.substr(blank + 1), out);
}

Result<void> append_boolean(const std::string& value, Bytes& out) {
  if (value != "true" && value != "false") return wrong(value, "true or false");
  out.push_back(value == "true" ? 1 : 0);
  return {};
}

// RFC 1035 3.1, uncompressed, as RFC 3397 permits.
Result<void> append_name(const std::string& value, Bytes& out) {
  std::string_view left = value;
  if (left.ends_with('.')) left.remove_suffix(1);
  if (left.empty() || left.size() > 253) return wrong(value, "a domain name");
  while (true) {
    size_t dot = std::min(left.find('.'), left.size());
    if (dot == 0 || dot > 63) return wrong(value, "a domain name");
    out.push_back(static_cast<uint8_t>(dot));
    out.insert(out.end(), left.begin(), left.begin() + static_cast<ptrdiff_t>(dot));
    if (dot == left.size()) break;
    left.remove_prefix(dot + 1);
  }
  out.push_back(0);
  return {};
}

Result<void> append_route(const std::string& value, Bytes& out) {
  size_t via = value.find(" via ");
  auto to = parse_prefix(std::string_view(value).substr(0, via));
  auto hop =
      via == std::string::npos ? std::nullopt : parse_ipv4(std::string_view(value).substr(via + 5));
  if (!to || to->has_host_bits() || !hop) {
    return wrong(value, "a route such as '10.0.0.0/8 via 192.168.1.9'");
  }
  out.push_back(to->length);
  for (unsigned i = 0; i < (to->length + 7u) / 8; ++i)
    out.push_back(static_cast<uint8_t>(to->address.number >> (24 - 8 * i)));
  append(out, hop->number);
  return {};
}

Result<void> append_hex(std::string_view value, Bytes& out) {
  std::string digits;
  std::copy_if(value.begin(), value.end(), std::back_inserter(digits),
               [](char c) { return c != ':' && c != ' '; });
  if (digits.size() % 2 != 0) return wrong(std::string(value), "an even number of hex digits");
  for (size_t i = 0; i < digits.size(); i += 2) {
    const char* first = digits.data() + i;
    uint8_t byte = 0;
    auto [stopped, error] = std::from_chars(first, first + 2, byte, 16);
    if (error != std::errc() || stopped != first + 2) {
      return wrong(std::string(value), "bytes in hexadecimal (0a:1b:2c)");
    }
    out.push_back(byte);
  }
  return {};
}

Result<void> append_value(Form form, const std::string& value, Bytes& out) {
  if (value.starts_with("hex:")) return append_hex(std::string_view(value).substr(4), out);
  switch (form) {
    case Form::address:
    case Form::addresses:
      return append_address(value, out);
    case Form::address_pairs:
      return append_pair(value, out);
    case Form::boolean:
      return append_boolean(value, out);
    case Form::number8:
      return append_number<uint8_t>(value, out);
    case Form::number16:
    case Form::number16s:
      return append_number<uint16_t>(value, out);
    case Form::number32:
      return append_number<uint32_t>(value, out);
    case Form::signed32:
      return append_number<int32_t>(value, out);
    case Form::text:
      if (value.empty()) return wrong(value, "a text of at least one byte");
      out.insert(out.end(), value.begin(), value.end());
      return {};
    case Form::names:
      return append_name(value, out);
    case Form::routes:
      return append_route(value, out);
    case Form::hex:
      return append_hex(value, out);
  }
  return {};
}

bool takes_several(Form form) {
  return form == Form::addresses || form == Form::address_pairs || form == Form::number16s ||
         form == Form::names || form == Form::routes;
}

}  // namespace

std::optional<uint8_t> option_number(std::string_view name_or_number) {
  for (const Known& known : kKnown) {
    if (known.name == name_or_number) return known.code;
  }
  uint8_t number = 0;
  bool is_plain = !name_or_number.empty() && (name_or_number[0] != '0' || name_or_number == "0");
  if (!is_plain || !read_number(name_or_number, number)) return std::nullopt;
  return number;
}

std::span<const std::string_view> option_names() {
  return kNames;
}

Result<Bytes> encode_option(uint8_t code, std::span<const std::string> values) {
  if (std::find(std::begin(kServersOwn), std::end(kServersOwn), code) != std::end(kServersOwn)) {
    return Error{ErrorCode::invalid, "option " + std::to_string(code) +
                                         " is the server's own; it follows from the lease and the "
                                         "keys of the scope"};
  }
  const Known* known = find_known(code);
  Form form = known == nullptr ? Form::hex : known->form;
  if (values.empty()) return Error{ErrorCode::invalid, "a value is needed"};
  if (values.size() > 1 && !takes_several(form)) {
    return Error{ErrorCode::invalid, "takes one value"};
  }
  Bytes out;
  for (const std::string& value : values) {
    if (auto appended = append_value(form, value, out); !appended) return appended.error();
  }
  if (out.size() > kOptionValueMax) {
    return Error{ErrorCode::invalid, "more than " + std::to_string(kOptionValueMax) + " bytes"};
  }
  return out;
}

std::vector<ClasslessRoute> decode_routes(std::span<const uint8_t> bytes) {
  std::vector<ClasslessRoute> routes;
  while (!bytes.empty()) {
    ClasslessRoute route;
    route.length = bytes[0];
    const size_t significant = (route.length + 7u) / 8;
    if (route.length > 32 || bytes.size() < 1 + significant + 4) return {};
    for (size_t i = 0; i < significant; ++i)
      route.network |= uint32_t{bytes[1 + i]} << (24 - 8 * i);
    route.network &= mask_of(route.length);
    for (size_t i = 0; i < 4; ++i)
      route.via = route.via << 8 | bytes[1 + significant + i];
    routes.push_back(route);
    bytes = bytes.subspan(1 + significant + 4);
  }
  return routes;
}

}  // namespace postern::dhcp
