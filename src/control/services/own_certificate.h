// SPDX-License-Identifier: BSD-3-Clause
// The certificate of a service of ours that nobody has given one: made by the gateway itself, and
// kept. Thread: control; waits for the disk.
#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "services/io/listen_address.h"
#include "services/portal/certificate.h"

namespace postern {

// The one in the folder, as long as it is good and for these addresses; else a new one.
Result<portal::CertificateText> own_certificate(const std::string& folder, const std::string& name,
                                                const std::vector<io::ListenAddress>& listeners);

// Of files; both empty: own_certificate().
struct CertificateFiles {
  std::string certificate;
  std::string key;
};
Result<portal::CertificateText> read_certificate(const CertificateFiles& files);

}  // namespace postern
