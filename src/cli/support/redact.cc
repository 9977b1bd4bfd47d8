// SPDX-License-Identifier: BSD-3-Clause
#include "cli/support/redact.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace postern::cli {
namespace {

constexpr size_t kOpaqueMin = 16, kHexMin = 32;
constexpr std::array kTellingParts = {"password",   "passwd",        "passphrase",
                                      "secret",     "token",         "hash",
                                      "credential", "authorization", "community"};
constexpr std::array kTellingWords = {"key",    "keys", "psk", "pin",    "salt",
                                      "cookie", "pass", "pw",  "private"};

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}
bool is_opaque(char c) {
  return is_word(c) || c == '+' || c == '=';
}
// Salts begin with any of these.
bool is_of_hash(char c) {
  return is_opaque(c) || c == '/' || c == '.';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

size_t indent_of(std::string_view line) {
  return std::min(line.find_first_not_of(" \t"), line.size());
}

// A word that no person would write: a hash, a key, a token.
bool is_noise(std::string_view word) {
  bool has_upper = false, has_lower = false, has_digit = false, is_hex = true;
  for (char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    has_upper = has_upper || std::isupper(byte) != 0;
    has_lower = has_lower || std::islower(byte) != 0;
    has_digit = has_digit || std::isdigit(byte) != 0;
    is_hex = is_hex && std::isxdigit(byte) != 0;
  }
  if (is_hex && word.size() >= kHexMin) return true;
  return word.size() >= kOpaqueMin && has_upper && has_lower && has_digit;
}

// Words of noise, $id$ hashes and credentials of URLs, wherever they stand.
std::string without_noise(std::string_view line) {
  std::string out;
  for (size_t i = 0; i < line.size();) {
    if (line[i] == '$' && i + 1 < line.size() && is_of_hash(line[i + 1])) {
      size_t end = line.find_first_of(" \t\"',", i);
      end = std::min(end, line.size());
      const bool is_hash = std::count(line.begin() + static_cast<ptrdiff_t>(i),
                                      line.begin() + static_cast<ptrdiff_t>(end), '$') >= 2;
      out += is_hash ? std::string(kRedacted) : std::string(line.substr(i, end - i));
      i = end;
    } else if (line.substr(i).starts_with("://")) {
      const size_t end = std::min(line.find_first_of(" \t\"'/,", i + 3), line.size());
      const size_t at = line.substr(0, end).rfind('@');
      out += "://";
      i += 3;
      if (at == std::string_view::npos || at < i) continue;
      out += std::string(kRedacted) + "@";
      i = at + 1;
    } else if (is_opaque(line[i])) {
      size_t end = i;
      while (end < line.size() && is_opaque(line[end]))
        ++end;
      const std::string_view word = line.substr(i, end - i);
      out += is_noise(word) ? std::string_view(kRedacted) : word;
      i = end;
    } else {
      out += line[i++];
    }
  }
  return out;
}

std::string_view without_comment(std::string_view line) {
  char quote = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == '\\' && quote == '"') ++i;
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      const bool begins = i == 0 || !is_word(line[i - 1]);
      if (begins) quote = c;
    } else if (c == '#' && (i == 0 || is_blank(line[i - 1]))) {
      return line.substr(0, i);
    }
  }
  return line;
}

// Where the value of the first telling key of a line begins; npos: there is none.
size_t find_secret(std::string_view line) {
  for (size_t i = 0; i < line.size();) {
    if (!is_word(line[i])) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < line.size() && is_word(line[end]))
      ++end;
    size_t after = end;
    if (after < line.size() && (line[after] == '"' || line[after] == '\'')) ++after;
    while (after < line.size() && is_blank(line[after]))
      ++after;
    const bool is_key = after < line.size() && (line[after] == ':' || line[after] == '=');
    if (is_key && is_secret_key(line.substr(i, end - i))) return after + 1;
    i = end;
  }
  return std::string_view::npos;
}

// Goes through a text line by line and remembers what of it is still a secret.
class Redactor {
 public:
  explicit Redactor(bool is_configuration) : is_configuration_(is_configuration) {}

  void add(std::string_view line) {
    if (line.find("-----BEGIN") != std::string_view::npos) {
      out_ += std::string(kRedacted) + "\n";
      in_pem_ = true;
    }
    if (in_pem_) {
      in_pem_ = line.find("-----END") == std::string_view::npos;
      return;
    }
    if (is_covered(line)) return;
    const std::string_view rest = is_configuration_ ? without_comment(line) : line;
    if (is_configuration_ && rest.size() != line.size() && indent_of(rest) == rest.size()) return;
    const size_t value = find_secret(rest);
    if (value == std::string_view::npos) {
      out_ += without_noise(rest) + "\n";
      return;
    }
    // All behind it on this line, and in a configuration whatever belongs to it on the next ones.
    out_ += without_noise(rest.substr(0, value)) + " " + kRedacted + "\n";
    if (is_configuration_) cover(line, rest.substr(value));
  }
  std::string text() && { return std::move(out_); }

 private:
  // Lines of the same value: deeper ones, items of its list, and all up to the end of what was
  // opened.
  void cover(std::string_view line, std::string_view value) {
    under_ = indent_of(line);
    for (size_t i = under_; i + 1 < line.size() && line[i] == '-' && is_blank(line[i + 1]);) {
      i = std::min(line.find_first_not_of(" \t", i + 1), line.size());
      under_ = i;
    }
    has_cover_ = true;
    open_ = 0;
    count_open(line.substr(0, line.size() - value.size()));
    count_open(value);
  }
  void count_open(std::string_view part) {
    for (char c : part) {
      if (c == '{' || c == '[') ++open_;
      if ((c == '}' || c == ']') && open_ > 0) --open_;
    }
  }
  bool is_covered(std::string_view line) {
    if (!has_cover_) return false;
    const size_t indent = indent_of(line);
    const bool is_empty = indent == line.size();
    if (open_ > 0 && !is_empty) {
      count_open(line);
      return true;
    }
    const bool is_item = indent == under_ && indent < line.size() && line[indent] == '-';
    has_cover_ = is_empty || indent > under_ || is_item;
    return has_cover_;
  }

  bool is_configuration_;
  std::string out_;
  bool in_pem_ = false;
  bool has_cover_ = false;
  size_t under_ = 0;   // the indentation of the key
  unsigned open_ = 0;  // brackets that are not closed yet
};

std::string redact(std::string_view text, bool is_configuration) {
  Redactor redactor(is_configuration);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    redactor.add(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::move(redactor).text();
}

}  // namespace

bool is_secret_key(std::string_view key) {
  std::string name(key);
  for (char& c : name)
    c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto is_in = [&name](const char* part) { return name.find(part) != std::string::npos; };
  if (std::any_of(kTellingParts.begin(), kTellingParts.end(), is_in)) return true;
  return std::any_of(kTellingWords.begin(), kTellingWords.end(), [&name](const char* word) {
    return ("_" + name + "_").find("_" + std::string(word) + "_") != std::string::npos;
  });
}

std::string redact_configuration(std::string_view text) {
  return redact(text, true);
}

std::string redact_lines(std::string_view text) {
  return redact(text, false);
}

void redact_json(Json& json) {
  if (json.is_string()) {
    json = without_noise(json.get<std::string>());
  } else if (json.is_array()) {
    for (Json& item : json)
      redact_json(item);
  } else if (json.is_object()) {
    for (auto& [key, value] : json.items()) {
      if (is_secret_key(key)) {
        value = kRedacted;
      } else {
        redact_json(value);
      }
    }
  }
}

}  // namespace postern::cli
