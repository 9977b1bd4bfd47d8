// SPDX-License-Identifier: BSD-3-Clause
#include "services/portal/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sodium.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <memory>

namespace postern::portal {
namespace {

constexpr long kDaysGood = 825;
constexpr long kDaySeconds = 86'400;

template <auto free>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Memory = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;

Error failed(const std::string& what) {
  ERR_clear_error();
  return {ErrorCode::failed, what};
}

bool add_extension(X509* certificate, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  Extension extension(X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_serial(X509* certificate) {
  std::array<unsigned char, 16> bytes;
  randombytes_buf(bytes.data(), bytes.size());
  bytes[0] &= 0x7F;  // positive (RFC 5280 section 4.1.2.2)
  bytes[0] |= 0x01;
  std::unique_ptr<BIGNUM, Free<BN_free>> number(
      BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  return number != nullptr &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool fill(X509* certificate, EVP_PKEY* key, const std::string& name, const std::string& names) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  const void* text = name.data();
  return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -kDaySeconds) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), kDaysGood * kDaySeconds) != nullptr &&
         X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                    static_cast<const unsigned char*>(text),
                                    static_cast<int>(name.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, subject) == 1 &&
         X509_set_pubkey(certificate, key) == 1 &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
         add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
         add_extension(certificate, NID_subject_alt_name, names) &&
         X509_sign(certificate, key, EVP_sha256()) != 0;
}

std::string text_of(BIO* memory) {
  char* bytes = nullptr;
  const long count = BIO_get_mem_data(memory, &bytes);
  return count > 0 ? std::string(bytes, static_cast<size_t>(count)) : std::string();
}

Memory reader_of(const std::string& text) {
  return Memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// A key with a pass phrase cannot be used: nobody is there to type it.
int no_pass_phrase(char*, int, int, void*) {
  return 0;
}

std::string fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned count = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &count) != 1) return {};
  std::string text;
  for (unsigned i = 0; i < count; ++i) {
    char pair[4];
    std::snprintf(pair, sizeof pair, "%02X", digest[i]);
    text += (i == 0 ? "" : ":") + std::string(pair);
  }
  return text;
}

std::vector<Ipv4Address> addresses_of(const X509* certificate) {
  std::vector<Ipv4Address> addresses;
  Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_IPADD || ASN1_STRING_length(name->d.iPAddress) != 4) continue;
    const unsigned char* bytes = ASN1_STRING_get0_data(name->d.iPAddress);
    addresses.emplace_back(uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 |
                           uint32_t{bytes[2]} << 8 | bytes[3]);
  }
  return addresses;
}

}  // namespace

Result<CertificateText> make_certificate(const std::string& name,
                                         const std::vector<Ipv4Address>& addresses) {
  Key key(EVP_EC_gen("P-256"));
  Certificate certificate(X509_new());
  Memory certificate_text(BIO_new(BIO_s_mem())), key_text(BIO_new(BIO_s_mem()));
  std::string names = "DNS:" + name;
  for (Ipv4Address address : addresses)
    names += ",IP:" + to_text(address);
  if (!key || !certificate || !fill(certificate.get(), key.get(), name, names) ||
      PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                    nullptr) != 1) {
    return failed("a certificate for the log-in page cannot be made");
  }
  return CertificateText{text_of(certificate_text.get()), text_of(key_text.get())};
}

Result<CertificateFacts> look_at(const CertificateText& text) {
  Memory certificate_text = reader_of(text.certificate), key_text = reader_of(text.key);
  Certificate certificate(
      PEM_read_bio_X509(certificate_text.get(), nullptr, no_pass_phrase, nullptr));
  if (!certificate) return failed("there is no certificate in PEM form");
  Key key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, no_pass_phrase, nullptr));
  if (!key) return failed("there is no key in PEM form without a pass phrase");
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return failed("the key is not that of the certificate");
  }
  CertificateFacts facts;
  std::tm end = {};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) == 1) {
    facts.not_after_s = timegm(&end);
  }
  facts.fingerprint = fingerprint_of(certificate.get());
  facts.addresses = addresses_of(certificate.get());
  return facts;
}

}  // namespace postern::portal
