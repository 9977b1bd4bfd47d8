// SPDX-License-Identifier: BSD-3-Clause
#include "control/accounts/password.h"

#include <crypt.h>
#include <openssl/sha.h>
#include <sodium.h>

#include <array>
#include <charconv>
#include <memory>
#include <vector>

#include "control/config/account_text.h"

namespace postern::accounts {
namespace {

constexpr std::string_view kArgon2 = "$argon2";
constexpr size_t kForeignMax = 255;  // bytes of a hash; the longest of crypt(3) has 128
constexpr uint32_t kRoundsMax = 1'000'000;
constexpr uint32_t kBcryptCostMax = 14;
constexpr std::string_view kCryptBytes =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// LDAP writes the scheme in any case (RFC 2307).
bool takes_scheme(std::string_view& hash, std::string_view scheme) {
  if (hash.size() < scheme.size()) return false;
  for (size_t i = 0; i < scheme.size(); ++i) {
    char c = hash[i];
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c != scheme[i]) return false;
  }
  hash.remove_prefix(scheme.size());
  return true;
}

// {SHA}: the digest; {SSHA}: the digest and the salt behind it. Empty: neither.
std::vector<uint8_t> sha1_bytes(std::string_view hash) {
  const bool is_salted = takes_scheme(hash, "{SSHA}");
  if (!is_salted && !takes_scheme(hash, "{SHA}")) return {};
  std::vector<uint8_t> bytes(kForeignMax);
  size_t size = 0;
  if (sodium_base642bin(bytes.data(), bytes.size(), hash.data(), hash.size(), nullptr, &size,
                        nullptr, sodium_base64_VARIANT_ORIGINAL) != 0) {
    return {};
  }
  bytes.resize(size);
  const bool fits = is_salted ? size > SHA_DIGEST_LENGTH : size == SHA_DIGEST_LENGTH;
  return fits ? bytes : std::vector<uint8_t>();
}

bool is_sha1_of(const std::vector<uint8_t>& bytes, const std::string& password) {
  std::vector<uint8_t> text(password.begin(), password.end());
  text.insert(text.end(), bytes.begin() + SHA_DIGEST_LENGTH, bytes.end());
  std::array<uint8_t, SHA_DIGEST_LENGTH> digest = {};
  SHA1(text.data(), text.size(), digest.data());
  sodium_memzero(text.data(), text.size());
  return sodium_memcmp(digest.data(), bytes.data(), digest.size()) == 0;
}

bool is_in_crypt_bytes(std::string_view text) {
  return !text.empty() && text.find_first_not_of(kCryptBytes) == std::string_view::npos;
}

// "$5$SALT$HASH", "$6$rounds=N$SALT$HASH", without the head.
bool is_sha2_crypt(std::string_view rest, size_t digest) {
  constexpr std::string_view kRounds = "rounds=";
  if (rest.starts_with(kRounds)) {
    uint32_t rounds = 0;
    std::string_view digits = rest.substr(kRounds.size());
    auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), rounds);
    if (wrong != std::errc() || rounds > kRoundsMax) return false;
    rest = digits.substr(static_cast<size_t>(end - digits.data()));
    if (!rest.starts_with('$')) return false;
    rest.remove_prefix(1);
  }
  size_t dollar = rest.find('$');
  return dollar <= 16 && rest.find_first_of(":*! \\", 0) == std::string_view::npos &&
         rest.size() - dollar - 1 == digest && is_in_crypt_bytes(rest.substr(dollar + 1));
}

// "$2b$10$" and 53 characters.
bool is_bcrypt(std::string_view hash) {
  if (hash.size() != 60 || hash[6] != '$' || !is_in_crypt_bytes(hash.substr(7))) return false;
  uint32_t cost = 0;
  auto [end, wrong] = std::from_chars(hash.data() + 4, hash.data() + 6, cost);
  return wrong == std::errc() && end == hash.data() + 6 && cost >= 4 && cost <= kBcryptCostMax;
}

// "$y$j9T$SALT$HASH": the character behind j is the logarithm of the cost; D are 256 MiB.
bool is_yescrypt(std::string_view rest) {
  constexpr std::string_view kCosts = "56789ABCD";
  if (rest.size() < 4 || rest[0] != 'j' || rest[2] != 'T' || rest[3] != '$') return false;
  if (kCosts.find(rest[1]) == std::string_view::npos) return false;
  rest.remove_prefix(4);
  size_t dollar = rest.find('$');
  return dollar != std::string_view::npos && is_in_crypt_bytes(rest.substr(0, dollar)) &&
         rest.size() - dollar - 1 == 43 && is_in_crypt_bytes(rest.substr(dollar + 1));
}

// One that crypt(3) is asked about.
bool is_crypt(std::string_view hash) {
  if (hash.starts_with("$1$")) return is_sha2_crypt(hash.substr(3), 22);
  if (hash.starts_with("$5$")) return is_sha2_crypt(hash.substr(3), 43);
  if (hash.starts_with("$6$")) return is_sha2_crypt(hash.substr(3), 86);
  if (hash.starts_with("$y$")) return is_yescrypt(hash.substr(3));
  bool is_b = hash.starts_with("$2a$") || hash.starts_with("$2b$") || hash.starts_with("$2y$");
  return is_b && is_bcrypt(hash);
}

bool is_crypt_of(const std::string& hash, const std::string& password) {
  auto work = std::make_unique<crypt_data>();
  const char* made = crypt_r(password.c_str(), hash.c_str(), work.get());
  bool is_right = made != nullptr && hash.size() == std::string_view(made).size() &&
                  sodium_memcmp(made, hash.data(), hash.size()) == 0;
  sodium_memzero(work.get(), sizeof *work);
  return is_right;
}

}  // namespace

Result<std::string> hash_of(const std::string& password, const config::PasswordPolicy& policy) {
  if (sodium_init() < 0) return Error{ErrorCode::failed, "the system gives no random numbers"};
  std::array<char, crypto_pwhash_STRBYTES> out = {};
  size_t bytes = size_t{policy.hash_mib} << 20;
  if (crypto_pwhash_str_alg(out.data(), password.data(), password.size(), policy.hash_passes, bytes,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return Error{ErrorCode::exhausted, "no memory is left to hash a password"};
  }
  return std::string(out.data());
}

bool is_password(const std::string& hash, const std::string& password) {
  if (hash.starts_with(kArgon2)) {
    return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
  }
  if (auto bytes = sha1_bytes(hash); !bytes.empty()) return is_sha1_of(bytes, password);
  std::string_view rest = hash;
  takes_scheme(rest, "{CRYPT}");
  return is_crypt(rest) && is_crypt_of(std::string(rest), password);
}

std::string hash_fault(std::string_view hash) {
  if (hash.starts_with(kArgon2)) return config::password_hash_fault(hash);
  if (hash.size() > kForeignMax) return "is longer than a hash";
  if (!sha1_bytes(hash).empty()) return {};
  std::string_view rest = hash;
  takes_scheme(rest, "{CRYPT}");
  if (is_crypt(rest)) return {};
  if (rest.starts_with("$apr1$")) return "is a hash of Apache's MD5, which cannot be checked here";
  return "is not a hash that can be checked here (Argon2id, $1$, $5$, $6$, $2b$, $y$, {SSHA}), or "
         "one of too high a cost";
}

bool is_up_to_date(const std::string& hash, const config::PasswordPolicy& policy) {
  return hash.starts_with(kArgon2) &&
         crypto_pwhash_str_needs_rehash(hash.c_str(), policy.hash_passes,
                                        size_t{policy.hash_mib} << 20) == 0;
}

std::string hash_of_nobody(const config::PasswordPolicy& policy) {
  auto random_text = [](size_t bytes) {
    std::vector<uint8_t> noise(bytes);
    randombytes_buf(noise.data(), noise.size());
    std::string text(sodium_base64_encoded_len(bytes, sodium_base64_VARIANT_ORIGINAL_NO_PADDING),
                     '\0');
    sodium_bin2base64(text.data(), text.size(), noise.data(), noise.size(),
                      sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    text.pop_back();  // the NUL
    return text;
  };
  return "$argon2id$v=19$m=" + std::to_string(policy.hash_mib * 1024) +
         ",t=" + std::to_string(policy.hash_passes) + ",p=1$" + random_text(16) + "$" +
         random_text(32);
}

}  // namespace postern::accounts
