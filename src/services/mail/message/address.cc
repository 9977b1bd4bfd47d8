// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/message/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "services/mail/message/octets.h"

namespace postern::mail {
namespace {

constexpr std::string_view kIpv6Tag = "[IPv6:";

bool is_quotable(char octet) {
  return octet >= 0x20 && octet != 0x7f;
}

// Reads from the front of a text. Octets above 127 are read as letters; whoever calls checks that
// they are UTF-8 and were asked for.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  std::string_view rest() const { return rest_; }
  bool is_at_end() const { return rest_.empty(); }
  bool is_next(char octet) const { return !rest_.empty() && rest_.front() == octet; }

  bool accept(char octet) {
    if (!is_next(octet)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool read_atom(std::string& out) {
    size_t length = 0;
    while (length < rest_.size() && (is_of(rest_[length], kAtomOctet) || is_high(rest_[length])))
      ++length;
    out += rest_.substr(0, length);
    rest_.remove_prefix(length);
    return length != 0;
  }

  bool read_dot_string(std::string& out) {
    if (!read_atom(out)) return false;
    while (accept('.')) {
      out += '.';
      if (!read_atom(out)) return false;
    }
    return true;
  }

  // Behind the opening quote.
  bool read_quoted(std::string& out) {
    while (!rest_.empty() && !is_next('"')) {
      if (accept('\\') && (rest_.empty() || is_high(rest_.front()))) return false;
      if (!is_quotable(rest_.front()) && !is_high(rest_.front())) return false;
      out += rest_.front();
      rest_.remove_prefix(1);
    }
    return accept('"');
  }

  bool read_local(std::string& out) {
    return accept('"') ? read_quoted(out) : read_dot_string(out);
  }

  // Up to what cannot belong to a domain.
  std::string_view take_domain() {
    size_t length = 0;
    if (is_next('[')) {
      length = std::min(rest_.find(']'), rest_.size() - 1) + 1;
    } else {
      while (length < rest_.size() && (is_of(rest_[length], kAlnumOctet) || rest_[length] == '-' ||
                                       rest_[length] == '.' || is_high(rest_[length])))
        ++length;
    }
    const std::string_view domain = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return domain;
  }

 private:
  std::string_view rest_;
};

bool has_high(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_high);
}

// U+0080 to U+009F are controls as those below 0x20 are.
bool has_high_control(std::string_view text) {
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == '\xc2' && static_cast<uint8_t>(text[i + 1]) < 0xa0) return true;
  }
  return false;
}

AddressFault check_octets(std::string_view text, bool is_utf8_allowed) {
  if (!has_high(text)) return AddressFault::none;
  if (!is_utf8(text) || has_high_control(text)) return AddressFault::syntax;
  return is_utf8_allowed ? AddressFault::none : AddressFault::utf8;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), [](char octet) {
           return is_of(octet, kAlnumOctet) || octet == '-' || is_high(octet);
         });
}

AddressFault check_literal(std::string_view text) {
  if (text.back() != ']') return AddressFault::syntax;
  if (literal_ipv4(text)) return AddressFault::none;
  if (text.size() <= kIpv6Tag.size() || !same_word(text.substr(0, kIpv6Tag.size()), kIpv6Tag)) {
    return AddressFault::syntax;
  }
  const std::string number(text.substr(kIpv6Tag.size(), text.size() - kIpv6Tag.size() - 1));
  // A NUL would end the text for the library before it ends for us.
  const bool is_plain = std::all_of(number.begin(), number.end(), [](char octet) {
    return hex_value(octet) < 16 || octet == ':' || octet == '.';
  });
  if (!is_plain) return AddressFault::syntax;
  std::array<uint8_t, 16> octets = {};
  return inet_pton(AF_INET6, number.c_str(), octets.data()) == 1 ? AddressFault::none
                                                                 : AddressFault::syntax;
}

AddressFault check_labels(std::string_view text) {
  size_t at = 0;
  while (at <= text.size()) {
    const size_t dot = std::min(text.find('.', at), text.size());
    if (!is_label(text.substr(at, dot - at))) return AddressFault::syntax;
    if (dot - at > kLabelMax) return AddressFault::too_long;
    at = dot + 1;
  }
  // An address without its brackets is no name: no top-level domain is a number.
  return parse_ipv4(text) ? AddressFault::syntax : AddressFault::none;
}

// "local@domain"; what follows is left to the caller.
AddressFault read_mailbox(Reader& reader, bool is_utf8_allowed, Address& address) {
  const std::string_view start = reader.rest();
  address = Address();
  const bool is_quoted = reader.is_next('"');
  if (!reader.read_local(address.local)) return AddressFault::syntax;
  const std::string_view local = start.substr(0, start.size() - reader.rest().size());
  if (!reader.accept('@')) return AddressFault::syntax;
  const std::string_view domain = reader.take_domain();
  // An empty quoted string is sound by the grammar, but nobody's name.
  if (is_quoted && address.local.empty()) return AddressFault::syntax;
  if (const auto fault = parse_domain(domain, true, address.domain); fault != AddressFault::none) {
    return fault;
  }
  if (local.size() > kLocalMax) return AddressFault::too_long;
  return check_octets(start.substr(0, start.size() - reader.rest().size()), is_utf8_allowed);
}

// "@a.example,@b.example:" (RFC 5321 appendix C).
AddressFault read_route(Reader& reader) {
  std::string host;
  do {
    if (!reader.accept('@')) return AddressFault::syntax;
    const AddressFault fault = parse_domain(reader.take_domain(), true, host);
    if (fault != AddressFault::none) return fault;
  } while (reader.accept(','));
  return reader.accept(':') ? AddressFault::none : AddressFault::syntax;
}

AddressFault read_path(Reader& reader, const PathRules& rules, Path& path) {
  if (!reader.accept('<')) return AddressFault::syntax;
  if (reader.accept('>')) return rules.may_be_null ? AddressFault::none : AddressFault::syntax;
  constexpr std::string_view kPostmaster = "postmaster>";
  if (rules.may_be_bare && same_word(reader.rest().substr(0, kPostmaster.size()), kPostmaster)) {
    reader.read_atom(path.address.local);
    reader.accept('>');
    return AddressFault::none;
  }
  if (reader.is_next('@')) {
    path.has_route = true;
    if (const auto fault = read_route(reader); fault != AddressFault::none) return fault;
  }
  const AddressFault fault = read_mailbox(reader, rules.is_utf8, path.address);
  if (fault != AddressFault::none) return fault;
  path.is_literal = path.address.domain.front() == '[';
  return reader.accept('>') ? AddressFault::none : AddressFault::syntax;
}

bool is_dot_string(std::string_view text) {
  std::string out;
  Reader reader(text);
  return reader.read_dot_string(out) && reader.is_at_end();
}

}  // namespace

AddressFault parse_path(std::string_view& text, const PathRules& rules, Path& path) {
  path = Path();
  Reader reader(text);
  const AddressFault fault = read_path(reader, rules, path);
  const size_t length = text.size() - reader.rest().size();
  text = reader.rest();
  if (fault == AddressFault::none && length > kPathMax) return AddressFault::too_long;
  return fault;
}

AddressFault parse_mailbox(std::string_view text, bool is_utf8_allowed, Address& address) {
  Reader reader(text);
  const AddressFault fault = read_mailbox(reader, is_utf8_allowed, address);
  if (fault != AddressFault::none) return fault;
  if (!reader.is_at_end()) return AddressFault::syntax;
  return text.size() + 2 > kPathMax ? AddressFault::too_long : AddressFault::none;
}

AddressFault parse_domain(std::string_view text, bool is_utf8_allowed, std::string& out) {
  if (text.empty()) return AddressFault::syntax;
  if (text.size() > kDomainMax) return AddressFault::too_long;
  const AddressFault fault = text.front() == '[' ? check_literal(text) : check_labels(text);
  if (fault != AddressFault::none) return fault;
  out = to_lower(text);
  return check_octets(text, is_utf8_allowed);
}

bool is_host(std::string_view text) {
  // Names with an underscore are wrong and common, and mean no harm here.
  std::string name(text);
  if (!name.empty() && name.front() != '[') std::replace(name.begin(), name.end(), '_', 'x');
  std::string out;
  return parse_domain(name, true, out) == AddressFault::none || parse_ipv4(text).has_value();
}

std::optional<Ipv4Address> literal_ipv4(std::string_view domain) {
  if (domain.size() < 2 || domain.front() != '[' || domain.back() != ']') return std::nullopt;
  return parse_ipv4(domain.substr(1, domain.size() - 2));
}

std::string to_text(const Address& address) {
  std::string out;
  if (is_dot_string(address.local) || address.is_null()) {
    out = address.local;
  } else {
    out = '"';
    for (const char octet : address.local) {
      if (octet == '"' || octet == '\\') out += '\\';
      out += octet;
    }
    out += '"';
  }
  if (!address.domain.empty()) out += '@' + address.domain;
  return out;
}

std::string to_path(const Address& address) {
  return '<' + to_text(address) + '>';
}

bool needs_utf8(const Address& address) {
  return has_high(address.local) || has_high(address.domain);
}

bool is_utf8(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const auto first = static_cast<uint8_t>(text[at]);
    if (first < 0x80) {
      ++at;
      continue;
    }
    const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() - at < length) return false;
    // RFC3629-3: the second octet rules out longer forms, surrogates and what is above 0x10ffff.
    const auto second = static_cast<uint8_t>(text[at + 1]);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) {
      return false;
    }
    for (size_t i = 1; i < length; ++i) {
      if ((static_cast<uint8_t>(text[at + i]) & 0xc0) != 0x80) return false;
    }
    at += length;
  }
  return true;
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace postern::mail
