// SPDX-License-Identifier: BSD-3-Clause
#include "services/dhcp/import.h"

#include <charconv>
#include <ctime>
#include <map>
#include <optional>
#include <string>

#include "services/dhcp/engine.h"
#include "services/dhcp/message.h"

namespace postern::dhcp {
namespace {

using Leases = std::map<Ipv4Address, Lease>;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

// The first word, taken off `text`.
std::string_view take_word(std::string_view& text) {
  text = trimmed(text);
  size_t end = std::min(text.find_first_of(" \t"), text.size());
  std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

template <typename T>
bool read_number(std::string_view text, T& number, int base = 10) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size();
}

std::string hardware_key(const MacAddress& mac) {
  std::string key(1, static_cast<char>(kEthernet));
  key.append(mac.bytes.begin(), mac.bytes.end());
  return key;
}

// "01:02:00:..."; empty when it is none.
std::string bytes_of(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    uint8_t byte = 0;
    if (text.size() < 2 || !read_number(text.substr(0, 2), byte, 16)) return "";
    bytes += static_cast<char>(byte);
    text.remove_prefix(2);
    if (text.empty()) break;
    if (text.front() != ':') return "";
    text.remove_prefix(1);
  }
  return bytes;
}

bool read_dnsmasq_line(std::string_view line, int64_t now_s, Leases& leases) {
  Lease lease;
  std::string_view expiry = take_word(line);
  auto mac = parse_mac(take_word(line));
  auto address = parse_ipv4(take_word(line));
  std::string_view name = take_word(line);
  std::string_view client = take_word(line);
  int64_t ends_s = 0;
  if (!read_number(expiry, ends_s) || ends_s < 0 || !mac || !address || name.empty()) return false;
  lease.address = *address;
  lease.state = LeaseState::bound;
  lease.mac = *mac;
  lease.client = bytes_of(client);
  if (lease.client.size() < 2) lease.client = hardware_key(*mac);
  lease.host_name = clean_host_name(name);
  lease.started_s = now_s;
  lease.ends_s = ends_s == 0 ? kNever : ends_s;
  leases[lease.address] = lease;
  return true;
}

// Dnsmasq's own identifier and the leases of IPv6 are not for us.
bool is_foreign_line(std::string_view line) {
  if (line.empty() || line.front() == '#' || line.starts_with("duid ")) return true;
  take_word(line);
  take_word(line);
  return take_word(line).find(':') != std::string_view::npos;
}

// "\001\002pc" -> bytes: octal escapes as ISC dhcpd writes them, or bytes with colons.
std::string unquoted(std::string_view text) {
  if (text.empty() || text.front() != '"') return bytes_of(text);
  text.remove_prefix(1);
  std::string out;
  while (!text.empty() && text.front() != '"') {
    uint8_t byte = 0;
    if (text.front() == '\\' && text.size() >= 4 && read_number(text.substr(1, 3), byte, 8)) {
      out += static_cast<char>(byte);
      text.remove_prefix(4);
      continue;
    }
    if (text.front() == '\\' && text.size() >= 2) text.remove_prefix(1);
    out += text.front();
    text.remove_prefix(1);
  }
  return out;
}

// "3 2026/03/18 11:22:33" (UTC), "epoch 1234; # ..." or "never".
std::optional<int64_t> isc_time(std::string_view text) {
  std::string_view first = take_word(text);
  if (first == "never") return kNever;
  int64_t epoch = 0;
  if (first == "epoch")
    return read_number(take_word(text), epoch) ? std::optional(epoch) : std::nullopt;
  std::string moment(take_word(text));
  moment += " " + std::string(take_word(text));
  std::tm parts = {};
  const char* end = strptime(moment.c_str(), "%Y/%m/%d %H:%M:%S", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return timegm(&parts);
}

struct IscLease {
  Lease lease;
  bool is_active = true;
};

// One statement inside a lease. False: it is wrong; unknown ones are passed over.
bool read_isc_statement(std::string_view line, IscLease& into) {
  if (size_t comment = line.find("; #"); comment != std::string_view::npos) {
    line = line.substr(0, comment + 1);
  }
  if (!line.ends_with(';')) return true;
  line.remove_suffix(1);
  std::string_view word = take_word(line);
  line = trimmed(line);
  if (word == "ends" || word == "starts") {
    auto at = isc_time(line);
    if (!at) return false;
    (word == "ends" ? into.lease.ends_s : into.lease.started_s) = *at;
  } else if (word == "hardware") {
    if (take_word(line) != "ethernet") return true;
    auto mac = parse_mac(trimmed(line));
    if (!mac) return false;
    into.lease.mac = *mac;
  } else if (word == "uid") {
    into.lease.client = unquoted(line);
  } else if (word == "client-hostname") {
    into.lease.host_name = clean_host_name(unquoted(line));
  } else if (word == "binding") {
    take_word(line);
    into.is_active = trimmed(line) == "active";
  }
  return true;
}

void conclude(IscLease& item, Leases& leases) {
  Lease& lease = item.lease;
  if (lease.client.size() < 2 && !lease.mac.is_zero()) lease.client = hardware_key(lease.mac);
  if (item.is_active && !lease.client.empty()) {
    leases[lease.address] = lease;
  } else {
    leases.erase(lease.address);
  }
}

}  // namespace

Result<std::vector<Lease>> read_lease_file(std::string_view text, int64_t now_s) {
  Leases leases;
  std::optional<IscLease> open;
  for (size_t number = 1; !text.empty(); ++number) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    bool is_sound = true;
    if (open) {
      if (line == "}") {
        conclude(*open, leases);
        open.reset();
      } else {
        is_sound = read_isc_statement(line, *open);
      }
    } else if (line.starts_with("lease ")) {
      std::string_view rest = line.substr(6);
      auto address = parse_ipv4(take_word(rest));
      is_sound = address && trimmed(rest) == "{";
      if (is_sound) {
        open.emplace();
        open->lease.address = *address;
        open->lease.state = LeaseState::bound;
      }
    } else if (!is_foreign_line(line) && !line.ends_with(';')) {
      is_sound = read_dnsmasq_line(line, now_s, leases);
    }
    if (!is_sound) {
      return Error{ErrorCode::failed,
                   "line " + std::to_string(number) + " is no lease of dnsmasq or ISC dhcpd"};
    }
  }
  if (open) return Error{ErrorCode::failed, "the last lease has no end; is the file cut off?"};
  std::vector<Lease> all;
  for (auto& [address, lease] : leases) {
    if (lease.ends_s > now_s) all.push_back(std::move(lease));
  }
  return all;
}

}  // namespace postern::dhcp
