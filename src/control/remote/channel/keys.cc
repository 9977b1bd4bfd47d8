// SPDX-License-Identifier: BSD-3-Clause
#include "control/remote/channel/keys.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/assert.h"

namespace postern::remote {
namespace {

constexpr std::string_view kFileHead = "postern-key-1 ";
constexpr std::string_view kPublicHead = "ed25519:";
constexpr size_t kFileMax = 128;
constexpr int kBase64 = sodium_base64_VARIANT_ORIGINAL;
constexpr size_t kKeyText = sodium_base64_ENCODED_LEN(32, kBase64);  // with the zero at its end

static_assert(crypto_sign_PUBLICKEYBYTES == 32 && crypto_sign_BYTES == 64);
static_assert(crypto_sign_SECRETKEYBYTES == 64 && crypto_sign_SEEDBYTES == 32);

Error system_error(const std::string& path) {
  const ErrorCode code = errno == ENOENT ? ErrorCode::not_found
                         : errno == EACCES || errno == EPERM || errno == EEXIST ? ErrorCode::denied
                                                                                : ErrorCode::failed;
  return {code, path + ": " + std::strerror(errno)};
}

class File {
 public:
  File(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// 32 octets out of base64, exactly.
bool decode(std::string_view text, uint8_t* out) {
  size_t size = 0;
  const char* end = nullptr;
  return text.size() == kKeyText - 1 &&
         sodium_base642bin(out, 32, text.data(), text.size(), nullptr, &size, &end, kBase64) == 0 &&
         size == 32 && end == text.data() + text.size();
}

std::string encode(const uint8_t* bytes) {
  std::string text(kKeyText, '\0');
  sodium_bin2base64(text.data(), text.size(), bytes, 32, kBase64);
  text.pop_back();
  return text;
}

Result<void> sync_directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  File directory(parent, O_RDONLY | O_DIRECTORY);
  if (directory.fd() < 0 || fsync(directory.fd()) != 0) return system_error(parent);
  return {};
}

}  // namespace

template <size_t kSize>
void Secret<kSize>::wipe() {
  sodium_memzero(bytes_.data(), bytes_.size());
}
template class Secret<32>;
template class Secret<64>;

void wipe(std::string& text) {
  text.resize(text.capacity());
  sodium_memzero(text.data(), text.size());
  text.clear();
}

SigningKey SigningKey::generate() {
  POSTERN_ASSERT(sodium_init() >= 0);
  Seed seed;
  randombytes_buf(seed.data(), seed.size());
  return SigningKey(seed);
}

SigningKey::SigningKey(const Seed& seed) {
  POSTERN_ASSERT(sodium_init() >= 0);
  crypto_sign_seed_keypair(public_key_.data(), secret_.data(), seed.data());
}

Signature SigningKey::sign(Bytes message) const {
  Signature signature = {};
  crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), secret_.data());
  return signature;
}

std::string SigningKey::secret_text() const {
  return encode(secret_.data());  // the seed is its first half
}

bool verify(const PublicKey& key, Bytes message, const Signature& signature) {
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     key.data()) == 0;
}

std::string to_text(const PublicKey& key) {
  return std::string(kPublicHead) + encode(key.data());
}

std::optional<PublicKey> parse_public_key(std::string_view text) {
  PublicKey key = {};
  if (!text.starts_with(kPublicHead)) return std::nullopt;
  if (!decode(text.substr(kPublicHead.size()), key.data())) return std::nullopt;
  // Turned into a Curve25519 point it must be on the curve and of the main subgroup.
  PublicKey point = {};
  if (crypto_sign_ed25519_pk_to_curve25519(point.data(), key.data()) != 0) return std::nullopt;
  return key;
}

Result<void> write_key_file(const std::string& path, const SigningKey& key) {
  File file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (file.fd() < 0) return system_error(path);
  std::string secret = key.secret_text();
  std::string text = std::string(kFileHead) + secret + "\n";
  const bool is_written =
      write(file.fd(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      fsync(file.fd()) == 0;
  Error error = is_written ? Error() : system_error(path);
  wipe(secret);
  wipe(text);
  if (is_written) return sync_directory_of(path);
  unlink(path.c_str());
  return error;
}

Result<SigningKey> read_key_file(const std::string& path) {
  File file(path, O_RDONLY);
  struct stat facts = {};
  if (file.fd() < 0 || fstat(file.fd(), &facts) != 0) return system_error(path);
  if (!S_ISREG(facts.st_mode)) return Error{ErrorCode::invalid, path + ": is no file"};
  if ((facts.st_mode & 077) != 0) {
    return Error{ErrorCode::denied,
                 path + ": others may read this secret key; `chmod 600` it, or make a new one"};
  }
  std::string text(kFileMax, '\0');
  const ssize_t size = read(file.fd(), text.data(), text.size());
  if (size < 0) return system_error(path);
  std::string_view line(text.data(), static_cast<size_t>(size));
  if (line.ends_with('\n')) line.remove_suffix(1);
  SigningKey::Seed seed;
  const bool is_key =
      line.starts_with(kFileHead) && decode(line.substr(kFileHead.size()), seed.data());
  wipe(text);
  if (!is_key) {
    return Error{ErrorCode::invalid, path +
                                         ": is no key of postern (those of ssh do not fit); "
                                         "`postern key generate` makes one"};
  }
  return SigningKey(seed);
}

}  // namespace postern::remote
