// SPDX-License-Identifier: BSD-3-Clause
// Lists of addresses in header fields (RFC 5322 sections 3.4 and 4.4): first into tokens, without
// comments and blanks, then item by item.
//
//   "Joe B." <joe@a.example>, staff: a@b.example, c@d.example;
#include <algorithm>

#include "services/mail/message/address.h"
#include "services/mail/message/header.h"
#include "services/mail/message/octets.h"

namespace postern::mail {
namespace {

constexpr size_t kTokensMax = 512;  // of one item; one with more is no address

struct Token {
  enum class Kind : uint8_t { atom, quoted, literal, special, end };

  Kind kind = Kind::end;
  char special = '\0';
  std::string text;

  bool is(char octet) const { return kind == Kind::special && special == octet; }
  bool is_word() const { return kind == Kind::atom || kind == Kind::quoted; }
};

class Tokens {
 public:
  explicit Tokens(std::string_view text) : rest_(text) {}

  Token next() {
    skip_space();
    Token token;
    if (rest_.empty()) return token;
    const char first = rest_.front();
    if (is_atom(first)) {
      token.kind = Token::Kind::atom;
      while (!rest_.empty() && is_atom(rest_.front()))
        token.text += take();
    } else if (first == '"') {
      token.kind = Token::Kind::quoted;
      take();
      take_until('"', token.text);
    } else if (first == '[') {
      token.kind = Token::Kind::literal;
      token.text = take();
      take_until(']', token.text);
      token.text += ']';
    } else {
      token.kind = Token::Kind::special;
      token.special = take();
    }
    return token;
  }

 private:
  static bool is_atom(char octet) { return is_of(octet, kAtomOctet) || is_high(octet); }

  char take() {
    const char octet = rest_.front();
    rest_.remove_prefix(1);
    return octet;
  }

  // An end that is missing is at the end of the text.
  void take_until(char end, std::string& out) {
    while (!rest_.empty()) {
      char octet = take();
      if (octet == end) return;
      if (octet == '\\' && !rest_.empty()) octet = take();
      out += octet;
    }
  }

  void skip_space() {
    size_t depth = 0;
    while (!rest_.empty()) {
      const char first = rest_.front();
      if (first == '(') {
        ++depth;
      } else if (depth != 0 && first == ')') {
        --depth;
      } else if (depth != 0 && first == '\\' && rest_.size() > 1) {
        take();
      } else if (depth == 0 && !is_blank(first) && first != '\r' && first != '\n') {
        return;
      }
      take();
    }
  }

  std::string_view rest_;
};

using Iterator = std::vector<Token>::const_iterator;

// Words with dots between them; more dots than the standard allows are common on some continents.
bool join_local(Iterator at, Iterator end, std::string& out) {
  bool was_word = false;
  bool has_word = false;
  for (; at != end; ++at) {
    if (!at->is_word() && !at->is('.')) return false;
    if (at->is_word() && was_word) return false;
    was_word = at->is_word();
    has_word = has_word || was_word;
    out += was_word ? at->text : ".";
  }
  return has_word && !out.empty() && out.size() <= kLocalMax &&
         std::none_of(out.begin(), out.end(), is_control) && is_utf8(out);
}

bool join_domain(Iterator at, Iterator end, std::string& out) {
  std::string text;
  for (; at != end; ++at) {
    if (at->kind == Token::Kind::quoted || (at->kind == Token::Kind::special && !at->is('.'))) {
      return false;
    }
    text += at->is('.') ? "." : at->text;
    if (text.size() > kDomainMax) return false;
  }
  return parse_domain(text, true, out) == AddressFault::none;
}

// What stands in the angle brackets where there are some, without a route.
bool find_spec(Iterator& begin, Iterator& end) {
  const auto open = std::find_if(begin, end, [](const Token& token) { return token.is('<'); });
  if (open == end) return true;
  const auto close = std::find_if(open, end, [](const Token& token) { return token.is('>'); });
  if (close == end) return false;
  begin = open + 1;
  end = close;
  if (begin == end || !begin->is('@')) return true;
  begin = std::find_if(begin, end, [](const Token& token) { return token.is(':'); });
  if (begin == end) return false;
  ++begin;
  return true;
}

bool take_item(const std::vector<Token>& item, std::vector<Address>& out) {
  auto begin = item.begin();
  auto end = item.end();
  if (!find_spec(begin, end)) return false;
  if (begin == end) return true;  // nothing between two commas, or <>
  auto at = end;
  while (at != begin && !(at - 1)->is('@'))
    --at;
  Address address;
  if (at == begin || !join_local(begin, at - 1, address.local) ||
      !join_domain(at, end, address.domain)) {
    return false;
  }
  if (out.size() < kHeaderAddressesMax) out.push_back(std::move(address));
  return true;
}

}  // namespace

bool parse_address_list(std::string_view text, std::vector<Address>& out) {
  Tokens tokens(text);
  std::vector<Token> item;
  bool is_sound = true;
  bool is_angle = false;
  for (bool is_end = false; !is_end && out.size() < kHeaderAddressesMax;) {
    Token token = tokens.next();
    is_end = token.kind == Token::Kind::end;
    if (token.is('<')) is_angle = true;
    if (token.is('>')) is_angle = false;
    // The name of a group goes; inside of brackets commas and colons belong to a route.
    if (!is_angle && token.is(':')) {
      item.clear();
    } else if (is_end || token.is(';') || (!is_angle && token.is(','))) {
      is_sound = item.size() < kTokensMax && take_item(item, out) && is_sound;
      item.clear();
      is_angle = false;
    } else if (item.size() < kTokensMax) {
      item.push_back(std::move(token));
    }
  }
  return is_sound;
}

}  // namespace postern::mail
