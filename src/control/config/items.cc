// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/items.h"

#include <algorithm>
#include <array>
#include <span>

#include "control/config/report.h"

namespace postern::config {
namespace {

bool is_small(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_letter(char c) {
  return is_small(c) || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

struct Named {
  std::string_view name;
  uint8_t number;
};

// IANA protocol numbers. ESP is 50 and AH is 51.
constexpr Named kProtocols[] = {{"tcp", 6}, {"udp", 17}, {"icmp", 1},  {"gre", 47},  {"esp", 50},
                                {"ah", 51}, {"igmp", 2}, {"ospf", 89}, {"sctp", 132}};
constexpr uint8_t kTcp = 6;
constexpr uint8_t kUdp = 17;
constexpr uint8_t kIcmp = 1;
constexpr uint8_t kGre = 47;

// RFC 792, RFC 950, RFC 1256.
constexpr Named kIcmpTypes[] = {{"echo-reply", 0},           {"destination-unreachable", 3},
                                {"source-quench", 4},        {"redirect", 5},
                                {"echo-request", 8},         {"router-advertisement", 9},
                                {"router-solicitation", 10}, {"time-exceeded", 11},
                                {"parameter-problem", 12},   {"timestamp-request", 13},
                                {"timestamp-reply", 14},     {"address-mask-request", 17},
                                {"address-mask-reply", 18}};

constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr uint32_t kDayMinutes = 24 * 60;
constexpr uint32_t kWeekMinutes = 7 * kDayMinutes;

const Named* find_named(std::span<const Named> table, std::string_view name) {
  for (const Named& entry : table) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

std::string near_names(std::span<const Named> table, std::string_view text) {
  std::vector<std::string_view> names;
  for (const Named& entry : table)
    names.push_back(entry.name);
  return hint(text, names);
}

Error invalid(std::string text) {
  return {ErrorCode::invalid, std::move(text)};
}

// "from" is separated by exactly one space on each side.
constexpr std::string_view kFrom = " from ";

Result<std::vector<ServiceMatch>> parse_icmp(std::string_view text, std::string_view rest) {
  ServiceMatch match;
  match.protocol = kIcmp;
  size_t slash = rest.find('/');
  std::string_view type = rest.substr(0, slash);
  if (const Named* named = find_named(kIcmpTypes, type)) {
    match.icmp_type = named->number;
  } else if (auto number = parse_number(type, 255)) {
    match.icmp_type = static_cast<int>(*number);
  } else {
    return invalid(quote(text) + " has no ICMP type: a number from 0 to 255 or its name" +
                   near_names(kIcmpTypes, type));
  }
  if (slash != std::string_view::npos) {
    auto code = parse_number(rest.substr(slash + 1), 255);
    if (!code) return invalid(quote(text) + " has no ICMP code from 0 to 255");
    match.icmp_code = static_cast<int>(*code);
  }
  return std::vector{match};
}

// "tcp", "tcp/80", "tcp+udp/53", "tcp/80 from 1024-65535".
Result<std::vector<ServiceMatch>> parse_transport(std::string_view text, bool tcp, bool udp,
                                                  std::string_view rest) {
  ServiceMatch match;
  size_t from = rest.find(kFrom);
  std::string_view ports = rest.substr(0, from);
  if (!ports.empty()) {
    auto range = ports[0] == '/' ? parse_ports(ports.substr(1)) : std::nullopt;
    if (!range) {
      return invalid(quote(text) +
                     " has no valid ports; expected tcp/80, tcp/80-90, tcp/>1023 or "
                     "tcp/<1024");
    }
    match.destination = *range;
  }
  if (from != std::string_view::npos) {
    auto range = parse_ports(rest.substr(from + kFrom.size()));
    if (!range) return invalid(quote(text) + " has no valid source ports after 'from'");
    match.source = *range;
  }
  std::vector<ServiceMatch> matches;
  for (auto [wanted, protocol] : {std::pair(tcp, kTcp), std::pair(udp, kUdp)}) {
    if (!wanted) continue;
    match.protocol = protocol;
    matches.push_back(match);
  }
  return matches;
}

// Days of one word: "mon", "mon-fri", "fri-mon" (over the end of the week), "daily".
bool add_days(std::string_view word, std::array<bool, 7>& days) {
  auto day_of = [](std::string_view name) {
    return static_cast<size_t>(std::find(kDays.begin(), kDays.end(), name) - kDays.begin());
  };
  if (word == "daily") word = "mon-sun";
  if (word == "weekdays") word = "mon-fri";
  if (word == "weekends") word = "sat-sun";
  size_t dash = word.find('-');
  size_t first = day_of(word.substr(0, dash));
  size_t last = dash == std::string_view::npos ? first : day_of(word.substr(dash + 1));
  if (first == kDays.size() || last == kDays.size()) return false;
  for (size_t day = first;; day = (day + 1) % kDays.size()) {
    days[day] = true;
    if (day == last) return true;
  }
}

// "08:00" -> 480; 24:00 is the end of the day.
std::optional<uint32_t> parse_clock(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (size_t i : {0u, 1u, 3u, 4u}) {
    if (!is_digit(text[i])) return std::nullopt;
  }
  auto hours = static_cast<uint32_t>((text[0] - '0') * 10 + text[1] - '0');
  auto minutes = static_cast<uint32_t>((text[3] - '0') * 10 + text[4] - '0');
  uint32_t clock = hours * 60 + minutes;
  if (minutes > 59 || clock > kDayMinutes) return std::nullopt;
  return clock;
}

}  // namespace

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kNameMax && is_letter(text[0]) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; });
}

bool is_interface_name(std::string_view text) {
  return !text.empty() && text.size() <= kInterfaceNameMax && is_small(text[0]) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_small(c) || is_digit(c) || c == '-' || c == '_'; });
}

bool is_domain_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > 253) return false;
  while (true) {
    size_t dot = std::min(text.find('.'), text.size());
    std::string_view label = text.substr(0, dot);
    bool is_label = !label.empty() && label.size() <= kNameMax &&
                    std::all_of(label.begin(), label.end(), [](char c) {
                      return is_letter(c) || is_digit(c) || c == '-' || c == '_';
                    });
    if (!is_label) return false;
    if (dot == text.size()) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_key_pin(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256/";
  if (!text.starts_with(kPrefix)) return false;
  text.remove_prefix(kPrefix.size());
  return text.size() == 44 && text.back() == '=' &&
         std::all_of(text.begin(), text.end() - 1,
                     [](char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '/'; });
}

// A name, pins, or a name and pins.
bool is_tls_identity(std::string_view text) {
  for (bool is_first = true;; is_first = false) {
    size_t comma = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, comma);
    if (!is_key_pin(part) && !(is_first && is_domain_name(part))) return false;
    if (comma == text.size()) return true;
    text.remove_prefix(comma + 1);
  }
}

std::optional<DnsServer> parse_dns_server(std::string_view text) {
  DnsServer server;
  if (size_t hash = text.find('#'); hash != text.npos) {
    server.port = 853;
    server.tls = text.substr(hash + 1);
    text = text.substr(0, hash);
    if (!is_tls_identity(server.tls)) return std::nullopt;
  }
  size_t colon = std::min(text.find(':'), text.size());
  auto address = parse_ipv4(text.substr(0, colon));
  if (!address) return std::nullopt;
  server.address = *address;
  if (colon == text.size()) return server;
  auto port = parse_number(text.substr(colon + 1), 65535);
  if (!port || *port == 0) return std::nullopt;
  server.port = static_cast<uint16_t>(*port);
  return server;
}

bool is_address_keyword(std::string_view text) {
  return text == "any" || text == "gateway";
}

bool is_service_keyword(std::string_view text) {
  return text == "any" || text == "ip" || text == "pptp" || find_named(kProtocols, text);
}

bool is_time_keyword(std::string_view text) {
  std::array<bool, 7> days = {};
  return text == "any" || text == "always" || add_days(text, days);
}

std::optional<uint32_t> parse_number(std::string_view text, uint32_t max) {
  if (text.empty() || text.size() > 10 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  uint64_t number = 0;
  for (char c : text) {
    if (!is_digit(c)) return std::nullopt;
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  if (number > max) return std::nullopt;
  return static_cast<uint32_t>(number);
}

std::optional<PortRange> parse_ports(std::string_view text) {
  auto port = [](std::string_view digits) { return parse_number(digits, 65535); };
  if (text.empty()) return std::nullopt;
  if (text[0] == '>' || text[0] == '<') {
    auto bound = port(text.substr(1));
    bool above = text[0] == '>';
    if (!bound || *bound == (above ? 65535u : 0u)) return std::nullopt;
    if (above) return PortRange{static_cast<uint16_t>(*bound + 1), 65535};
    return PortRange{0, static_cast<uint16_t>(*bound - 1)};
  }
  size_t dash = text.find('-');
  auto first = port(text.substr(0, dash));
  auto last = dash == std::string_view::npos ? first : port(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return PortRange{static_cast<uint16_t>(*first), static_cast<uint16_t>(*last)};
}

Result<AddressRange> parse_address_literal(std::string_view text) {
  if (text == "any") return AddressRange{Ipv4Address(0), Ipv4Address(0xFFFFFFFF)};
  if (auto range = parse_address_range(text)) return *range;
  if (auto prefix = parse_prefix(text)) {
    Prefix network{prefix->network(), prefix->length};
    return invalid(quote(text) + " has host bits; did you mean '" + to_text(network) + "'?");
  }
  if (size_t dash = text.find('-'); dash != std::string_view::npos &&
                                    parse_ipv4(text.substr(0, dash)) &&
                                    parse_ipv4(text.substr(dash + 1))) {
    return invalid(quote(text) + " ends before it begins");
  }
  if (text.find(':') != std::string_view::npos) {
    return invalid(quote(text) + " is not an IPv4 address; IPv6 is not part of this version");
  }
  return invalid(quote(text) +
                 " is not an address, range or network (192.0.2.1, "
                 "192.0.2.1-192.0.2.9, 192.0.2.0/24) nor a name");
}

Result<std::vector<ServiceMatch>> parse_service_literal(std::string_view text) {
  if (text == "any") return std::vector{ServiceMatch{.any_protocol = true}};
  if (text == "pptp") {
    return std::vector{ServiceMatch{.protocol = kTcp, .destination = {1723, 1723}},
                       ServiceMatch{.protocol = kGre}};
  }
  size_t end = text.find_first_of("/ ");
  std::string_view head = text.substr(0, end);
  std::string_view rest = end == std::string_view::npos ? "" : text.substr(end);
  if (head == "tcp+udp" || head == "udp+tcp") return parse_transport(text, true, true, rest);
  if (head == "tcp") return parse_transport(text, true, false, rest);
  if (head == "udp") return parse_transport(text, false, true, rest);
  if (head == "icmp" && !rest.empty() && rest[0] == '/') return parse_icmp(text, rest.substr(1));
  if (head == "ip") {
    auto number =
        rest.size() > 1 && rest[0] == '/' ? parse_number(rest.substr(1), 255) : std::nullopt;
    if (!number) return invalid(quote(text) + " has no protocol number; expected ip/0 to ip/255");
    return std::vector{ServiceMatch{.protocol = static_cast<uint8_t>(*number)}};
  }
  const Named* named = find_named(kProtocols, head);
  if (!named) {
    return invalid(quote(text) +
                   " is not a service (tcp/80, udp/5000-5010, icmp/echo-request, "
                   "ip/47, gre) nor a name" +
                   near_names(kProtocols, head));
  }
  if (!rest.empty()) return invalid(quote(text) + ": " + std::string(head) + " has no ports");
  return std::vector{ServiceMatch{.protocol = named->number}};
}

Result<std::vector<WeekInterval>> parse_time_literal(std::string_view text) {
  if (text == "any" || text == "always") return std::vector{WeekInterval{0, kWeekMinutes}};
  size_t space = text.find(' ');
  std::array<bool, 7> days = {};
  for (std::string_view list = text.substr(0, space);;) {
    size_t comma = list.find(',');
    if (!add_days(list.substr(0, comma), days)) {
      return invalid(quote(text) +
                     " is not a time; expected days and hours such as "
                     "'mon-fri 08:00-18:00', 'sat,sun' or 'daily 22:00-06:00'");
    }
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  uint32_t first = 0;
  uint32_t last = kDayMinutes;
  if (space != std::string_view::npos) {
    std::string_view hours = text.substr(space + 1);
    auto begin = parse_clock(hours.substr(0, 5));
    auto end = hours.size() == 11 && hours[5] == '-' ? parse_clock(hours.substr(6)) : std::nullopt;
    if (!begin || !end) return invalid(quote(text) + " has no hours of the form 08:00-18:00");
    if (*begin == *end) return invalid(quote(text) + " begins and ends at the same minute");
    first = *begin;
    last = *end < *begin ? *end + kDayMinutes : *end;  // over midnight
  }
  std::vector<WeekInterval> intervals;
  for (uint32_t day = 0; day < kDays.size(); ++day) {
    if (!days[day]) continue;
    WeekInterval interval{day * kDayMinutes + first, day * kDayMinutes + last};
    if (interval.last > kWeekMinutes) {  // Sunday night is Monday morning
      intervals.push_back({0, interval.last - kWeekMinutes});
      interval.last = kWeekMinutes;
    }
    if (interval.first < interval.last) intervals.push_back(interval);
  }
  return intervals;
}

}  // namespace postern::config
