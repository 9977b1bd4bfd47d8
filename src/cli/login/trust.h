// SPDX-License-Identifier: BSD-3-Clause
// Whether a certificate is that of the gateway: by a fingerprint that is given, by the authorities
// of a file, by the user's file of pages that were confirmed once, of lines
// "gateway.office:443 sha256:AB:CD:...", or by the system's authorities. A page that was confirmed
// is refused with any other certificate, also with one that an authority vouches for. Thread: any;
// reads the file.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/remote_host.h"

namespace postern::cli {

struct SeenCertificate {
  std::string fingerprint;   // SHA-256, "AB:CD:..."
  bool is_verified = false;  // by an authority, for the name that was asked for, and in its time
  std::string reason;        // why not
};

struct Trust {
  std::string fingerprint;  // the one that is right, whatever else holds; may be empty
  std::string ca_file;      // only these authorities, and no file of known pages; may be empty
  std::string known_file;
};

// "AB:CD:...", "abcd...", each also behind "sha256:"; an error where it is no SHA-256.
Result<std::string> parse_fingerprint(std::string_view text);

// Of the page of `host`, "gateway.office:443".
Result<KeyOpinion> judge_certificate(const Trust& trust, const std::string& host,
                                     const SeenCertificate& seen);
// From now on it is known.
Result<void> add_known_page(const Trust& trust, const std::string& host,
                            const SeenCertificate& seen);

}  // namespace postern::cli
