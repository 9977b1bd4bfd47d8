// SPDX-License-Identifier: BSD-3-Clause
// The readers of single values in section.h: what YAML would guess is refused, each type has one
// strict grammar of its own.
#include <algorithm>
#include <array>

#include "control/config/account_text.h"
#include "control/config/items.h"
#include "control/config/section.h"
#include "control/config/user_items.h"
#include "services/mail/message/address.h"

namespace postern::config {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

// The words that YAML 1.1 or 1.2 takes for booleans.
bool is_yaml_boolean(std::string_view text) {
  return is_one_of(lower(text), {"true", "false", "yes", "no", "on", "off", "y", "n"});
}

// Whether YAML 1.2 takes `text` for a number: 12, -3, 1.5, 1e3, 0x1F, 0o17, .inf, .nan.
bool is_yaml_number(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (is_one_of(lower(text), {".inf", ".nan"})) return true;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'o')) {
    return std::all_of(text.begin() + 2, text.end(), [](char c) {
      return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    });
  }
  size_t i = 0;
  size_t digits = 0;
  auto take_digits = [&] {
    while (i < text.size() && is_digit(text[i]))
      ++i, ++digits;
  };
  take_digits();
  if (i < text.size() && text[i] == '.') ++i;
  take_digits();
  if (digits > 0 && i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    digits = 0;
    take_digits();
  }
  return digits > 0 && i == text.size();
}

// A scalar; reports lists, maps and missing values.
bool expect_scalar(const Field& field, std::string_view expected) {
  switch (field.node.kind) {
    case NodeKind::scalar:
      return true;
    case NodeKind::null:
      field.error("has no value; expected " + std::string(expected));
      break;
    case NodeKind::list:
      field.error("expected " + std::string(expected) + ", not a list");
      break;
    case NodeKind::refused:
      break;
    case NodeKind::map:
      field.error("expected " + std::string(expected) + ", not a map");
      break;
  }
  return false;
}

// What is wrong with the form of a number, or empty.
std::string number_fault(const Node& node) {
  std::string_view text = node.text;
  if (node.quoted) return "is text: write the number without quotes";
  if (text.size() > 1 && text[0] == '0' && std::all_of(text.begin(), text.end(), is_digit)) {
    return "has a leading zero, which some YAML readers take for octal";
  }
  if (text.size() > 1 && text[0] == '0' &&
      (lower(text)[1] == 'x' || lower(text)[1] == 'o' || lower(text)[1] == 'b')) {
    return "is not decimal";
  }
  if (text.find('_') != std::string_view::npos && is_digit(text[0])) return "has an underscore";
  if (text[0] == '+') return "has a sign";
  std::string_view digits = text.substr(text[0] == '-' ? 1 : 0);
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) {
    return is_yaml_number(text) ? "is not a whole number" : "is not a number";
  }
  return "";
}

std::string bounds_of(const KeySpec& spec) {
  if (spec.min == spec.max) return "the number " + std::to_string(spec.min);
  std::string out = "a number from " + std::to_string(spec.min) + " to " + std::to_string(spec.max);
  if (!spec.unit.empty()) out += " " + std::string(spec.unit);
  return out;
}

struct Unit {
  std::string_view name;
  int64_t ms;
};
constexpr std::array<Unit, 5> kUnits = {
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

std::string duration_text(int64_t ms) {
  for (auto unit = kUnits.rbegin(); unit != kUnits.rend(); ++unit) {
    if (ms % unit->ms == 0) return std::to_string(ms / unit->ms) + std::string(unit->name);
  }
  return "";
}

bool is_device_name(std::string_view text) {  // as dev_valid_name() of the Linux kernel, ASCII only
  return !text.empty() && text.size() < 16 && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c > ' ' && c < 0x7F && c != '/' && c != ':'; });
}

bool is_group_name(std::string_view text) {  // as groupadd(8)
  auto is_first = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return !text.empty() && text.size() <= 32 && is_first(text[0]) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_first(c) || is_digit(c) || c == '-'; });
}

// RFC 1123 section 2.1: letters, digits and inner hyphens.
bool is_system_name(std::string_view text) {
  auto is_inner = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-';
  };
  return !text.empty() && text.size() <= kNameMax && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(), is_inner);
}

// Empty when `text` is an item of the type: a literal or something that may be a name.
std::string item_fault(Type type, std::string_view text) {
  auto fault = [](auto result) { return result ? std::string() : result.error().text; };
  switch (type) {
    case Type::address_item:
      if (is_name(text) && text != "any") return "";
      return fault(parse_address_literal(text));
    case Type::service_item:
      if (is_name(text) && !is_service_keyword(text)) return "";
      return fault(parse_service_literal(text));
    default:
      if (is_name(text) && !is_time_keyword(text)) return "";
      return fault(parse_time_literal(text));
  }
}

// A local part alone is what a whole address could begin with.
std::string mail_target_fault(std::string_view text) {
  mail::Address address;
  const bool is_whole = text.find('@') != std::string_view::npos;
  const std::string whole = std::string(text) + (is_whole ? "" : "@own.example");
  if (mail::parse_mailbox(whole, true, address) == mail::AddressFault::none) return "";
  return quote(text) + " is neither a name (anna, sales) nor an address (anna@office.example)";
}

std::string string_fault(Type type, std::string_view text) {
  switch (type) {
    case Type::name:
      if (is_name(text)) return "";
      return quote(text) + " is not a name: a letter, then letters, digits, - and _, at most 63";
    case Type::system_name:
      if (is_system_name(text)) return "";
      return quote(text) + " is not a host name: letters, digits and inner hyphens, at most 63";
    case Type::group_name:
      if (is_group_name(text)) return "";
      return quote(text) + " is not the name of a Unix group";
    case Type::domain_name:
      if (is_domain_name(text) && !parse_ipv4(text)) return "";
      return quote(text) + " is not a domain name of the form office.example";
    case Type::host:
      if (is_domain_name(text)) return "";
      return quote(text) + " is neither a name (proxy.example) nor an address (192.0.2.1)" +
             (text.find(':') == std::string_view::npos ? "" : "; the port is a key of its own");
    case Type::dns_zone: {
      if (is_domain_name(text) && !parse_ipv4(text)) return "";
      auto network = parse_prefix(text);
      if (network && !network->has_host_bits() && network->length >= 8) return "";
      return quote(text) + " is neither a domain name nor a network of the form 10.20.0.0/16";
    }
    case Type::dns_server:
      if (parse_dns_server(text)) return "";
      if (is_domain_name(text) && text.find_first_not_of("0123456789.") != text.npos) {
        return quote(text) +
               " is a name; write the server's address, for TLS with the name: "
               "192.0.2.53#" +
               std::string(text);
      }
      return quote(text) +
             " is not a server of the form 192.0.2.53, 192.0.2.53:5353 or, for TLS, "
             "192.0.2.53#dns.example or 192.0.2.53#sha256/ and the base64 of a key";
    case Type::file_path:
      if (text[0] == '/') return "";
      return quote(text) + " is not a path from the root (/etc/postern/hosts)";
    case Type::account_name:
      return account_name_fault(text);
    case Type::password_hash: {
      std::string fault = password_hash_fault(text);  // without the text: it may be a password
      return fault.empty() ? fault : "the value " + fault;
    }
    case Type::public_key: {
      auto key = parse_public_key(text);
      return key ? std::string() : "the value " + key.error().text;
    }
    case Type::device_name:
      if (is_device_name(text)) return "";
      return quote(text) + " is not a device name: at most 15 characters without / : and spaces";
    case Type::interface_ref:
    case Type::interface_item:
      if (is_interface_name(text)) return "";
      return quote(text) + " is not the name of an interface";
    case Type::user_item:
      return user_item_fault(text);
    case Type::mail_target:
      return mail_target_fault(text);
    case Type::address_item:
    case Type::service_item:
    case Type::time_item:
      return item_fault(type, text);
    default:
      return "";
  }
}

}  // namespace

std::optional<bool> read_boolean(const Field& field) {
  if (!expect_scalar(field, "true or false")) return std::nullopt;
  std::string_view text = field.node.text;
  if (!field.node.quoted && text == "true") return true;
  if (!field.node.quoted && text == "false") return false;
  if (field.node.quoted && (text == "true" || text == "false")) {
    field.error("is text: write " + field.node.text + " without quotes");
  } else {
    field.error(quote(text) + (is_yaml_boolean(text) ? " is ambiguous in YAML" : "") +
                ": write true or false");
  }
  return std::nullopt;
}

std::optional<int64_t> read_number(const Field& field) {
  if (!expect_scalar(field, bounds_of(field.spec))) return std::nullopt;
  const std::string& text = field.node.text;
  if (text.empty()) {
    field.error("is empty; expected " + bounds_of(field.spec));
    return std::nullopt;
  }
  if (std::string fault = number_fault(field.node); !fault.empty()) {
    field.error(quote(text) + " " + fault + "; expected " + bounds_of(field.spec));
    return std::nullopt;
  }
  bool negative = text[0] == '-';
  bool huge = text.size() > 15;
  int64_t number = 0;
  for (size_t i = negative ? 1 : 0; !huge && i < text.size(); ++i) {
    number = number * 10 + (text[i] - '0');
  }
  if (negative || (!huge && number < field.spec.min)) {
    field.error(text.substr(0, 24) + " is below " + std::to_string(field.spec.min));
    return std::nullopt;
  }
  if (huge || number > field.spec.max) {
    field.error(text.substr(0, 24) + " exceeds " + std::to_string(field.spec.max));
    return std::nullopt;
  }
  return number;
}

std::optional<size_t> read_word(const Field& field) {
  std::vector<std::string_view> words = split_words(field.spec.words);
  std::string expected = words.size() == 1 ? "'" + std::string(words[0]) + "'" : "a word";
  if (!expect_scalar(field, expected)) return std::nullopt;
  auto found = std::find(words.begin(), words.end(), std::string_view(field.node.text));
  if (found != words.end()) return static_cast<size_t>(found - words.begin());
  field.error("unknown word " + quote(field.node.text) + hint(field.node.text, words));
  return std::nullopt;
}

std::optional<Duration> read_duration(const Field& field) {
  constexpr std::string_view kForm = "a duration such as 300s, 5m, 2h (units ms, s, m, h, d)";
  if (!expect_scalar(field, kForm)) return std::nullopt;
  std::string_view text = field.node.text;
  size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits]))
    ++digits;
  std::string_view name = text.substr(digits);
  auto unit = std::find_if(kUnits.begin(), kUnits.end(), [&](Unit u) { return u.name == name; });
  auto number = parse_number(text.substr(0, digits), 4'000'000'000);
  if (number && name.empty()) {
    field.error(std::string(text) + " has no unit; did you mean " + std::string(text) + "s?");
    return std::nullopt;
  }
  if (!number || unit == kUnits.end()) {
    field.error(quote(text) + " is not " + std::string(kForm));
    return std::nullopt;
  }
  int64_t ms = int64_t{*number} * unit->ms;
  if (ms < field.spec.min || ms > field.spec.max) {
    bool low = ms < field.spec.min;
    field.error(std::string(text) + (low ? " is below " : " exceeds ") +
                duration_text(low ? field.spec.min : field.spec.max));
    return std::nullopt;
  }
  return milliseconds(ms);
}

std::optional<std::string> read_text(const Field& field, size_t bytes_max) {
  if (!expect_scalar(field, "text")) return std::nullopt;
  const std::string& text = field.node.text;
  if (!field.node.quoted && (is_yaml_boolean(text) || is_yaml_number(text))) {
    field.error(quote(text) + " is a " + (is_yaml_number(text) ? "number" : "boolean") +
                " in YAML; put it in quotes if text is meant");
    return std::nullopt;
  }
  if (text.empty()) {
    field.error("is empty; remove the key or give a value");
    return std::nullopt;
  }
  if (text.size() > bytes_max) {
    field.error(quote(text) + " is longer than " + std::to_string(bytes_max) + " bytes");
    return std::nullopt;
  }
  for (size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<uint8_t>(text[i]);
    bool c1 = byte == 0xC2 && i + 1 < text.size() && static_cast<uint8_t>(text[i + 1]) < 0xA0;
    if (byte < 0x20 || byte == 0x7F || c1) {
      field.error(quote(text) + " has a control character; one line of text is expected");
      return std::nullopt;
    }
  }
  return text;
}

std::optional<std::string> read_string(const Field& field) {
  constexpr size_t kStringMax = 1024;  // the longest: a vdev with its arguments
  auto max = field.spec.type == Type::text ? static_cast<size_t>(field.spec.max) : kStringMax;
  auto text = read_text(field, max);
  if (!text) return std::nullopt;
  std::string fault = string_fault(field.spec.type, *text);
  if (fault.empty()) return text;
  field.error(std::move(fault));
  return std::nullopt;
}

std::optional<Ipv4Address> read_address(const Field& field) {
  auto text = read_text(field, kNameMax);
  if (!text) return std::nullopt;
  if (auto address = parse_ipv4(*text)) return address;
  bool v6 = std::count(text->begin(), text->end(), ':') > 1;
  field.error(quote(*text) + (v6 ? " is not an IPv4 address; IPv6 is not part of this version"
                                 : " is not an address of the form 192.0.2.1"));
  return std::nullopt;
}

std::optional<MacAddress> read_mac(const Field& field) {
  auto text = read_text(field, kNameMax);
  if (!text) return std::nullopt;
  auto mac = parse_mac(*text);
  if (!mac) {
    field.error(quote(*text) + " is not a MAC address of the form 02:00:00:00:00:01");
    return std::nullopt;
  }
  if (mac->is_multicast() || mac->is_zero()) {
    field.error(quote(*text) + " is not the address of one station");
    return std::nullopt;
  }
  return mac;
}

}  // namespace postern::config
