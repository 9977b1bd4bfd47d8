// SPDX-License-Identifier: BSD-3-Clause
// Syslog over TLS (RFC 5425): the collector must prove by its certificate to be the one that is
// configured; TLS 1.2 at least.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/address.h"
#include "control/log/collector_link.h"

namespace postern {
namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

std::string openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "TLS failed" : std::string("TLS: ") + reason;
}

class Tls : public CollectorStream {
 public:
  Tls(const CollectorLink::Way& way, int fd) : CollectorStream(fd) { prepare(way); }
  ~Tls() override {
    if (ssl_ && is_open()) SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }

 private:
  static constexpr size_t kWriteMax = 16384;  // one record

  void prepare(const CollectorLink::Way& way) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    if (!context_) return fail(openssl_error());
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
    SSL_CTX_set_options(context_.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context_.get(), SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    const int has_ca = way.ca.empty() ? SSL_CTX_set_default_verify_paths(context_.get())
                                      : SSL_CTX_load_verify_file(context_.get(), way.ca.c_str());
    if (has_ca != 1) {
      ERR_clear_error();
      return fail("the certificates in " + way.ca + " cannot be read");
    }
    ssl_.reset(SSL_new(context_.get()));
    if (!ssl_ || SSL_set_fd(ssl_.get(), fd()) != 1) return fail(openssl_error());
    name(way);
  }

  // RFC 5425 section 5.2: which name, or address, the certificate must be for.
  void name(const CollectorLink::Way& way) {
    bool is_set = false;
    if (way.server_name.empty()) {
      is_set = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()),
                                             to_text(way.address).c_str()) == 1;
    } else {
      SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      is_set = SSL_set1_host(ssl_.get(), way.server_name.c_str()) == 1 &&
               SSL_set_tlsext_host_name(ssl_.get(), way.server_name.c_str()) == 1;
    }
    if (!is_set) fail(openssl_error());
  }

  bool shake_hands() override {
    const int done = SSL_connect(ssl_.get());
    if (done == 1) return true;
    if (!is_waiting(done)) {
      const long why = SSL_get_verify_result(ssl_.get());
      fail(why == X509_V_OK
               ? openssl_error()
               : std::string("its certificate: ") + X509_verify_cert_error_string(why));
    }
    ERR_clear_error();
    return false;
  }

  size_t write_some(std::string_view octets) override {
    // What was refused is offered again as it was.
    const size_t size = pending_ != 0 ? pending_ : std::min(octets.size(), kWriteMax);
    const int taken = SSL_write(ssl_.get(), octets.data(), static_cast<int>(size));
    pending_ = taken > 0 ? 0 : size;
    if (taken > 0) return static_cast<size_t>(taken);
    if (!is_waiting(taken)) fail(openssl_error());
    return 0;
  }

  bool is_at_end() override {
    std::array<char, 512> unused;
    const int size = SSL_read(ssl_.get(), unused.data(), unused.size());
    const bool goes_on = size > 0 || is_waiting(size);
    ERR_clear_error();
    return !goes_on;
  }

  uint64_t on_wire() const override { return BIO_number_written(SSL_get_wbio(ssl_.get())); }

  bool is_waiting(int outcome) const {
    const int why = SSL_get_error(ssl_.get(), outcome);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
  }

  std::unique_ptr<SSL_CTX, FreeContext> context_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  size_t pending_ = 0;
};

}  // namespace

std::unique_ptr<CollectorLink> open_tls_link(const CollectorLink::Way& way, int fd) {
  return std::make_unique<Tls>(way, fd);
}

}  // namespace postern
