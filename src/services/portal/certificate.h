// SPDX-License-Identifier: BSD-3-Clause
// Certificates of the log-in page: one that the gateway makes for itself, and what is to be known
// of any. Pure but for the time and random numbers of OpenSSL; thread: control.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace postern::portal {

struct CertificateText {
  std::string certificate;  // PEM, with its chain
  std::string key;          // PEM; a secret
};

// Signed by itself: ECDSA on P-256, for the name and the addresses, good for 825 days.
Result<CertificateText> make_certificate(const std::string& name,
                                         const std::vector<Ipv4Address>& addresses);

struct CertificateFacts {
  int64_t not_after_s = 0;             // calendar
  std::string fingerprint;             // SHA-256, "AB:CD:..."
  std::vector<Ipv4Address> addresses;  // that it is for
};
// Of the first certificate. An error when it is none, or the key is not its.
Result<CertificateFacts> look_at(const CertificateText& text);

}  // namespace postern::portal
