// SPDX-License-Identifier: BSD-3-Clause
// What DNSSEC validation makes of an answer (RFC 4035 section 4.3).
#pragma once

#include <cstdint>

namespace postern::dns {

enum class Verdict : uint8_t {
  secure,    // signed, by a chain from a trust anchor
  insecure,  // proven or configured to be unsigned
  bogus,     // it should be signed and is not, or not rightly
  failed,    // it could not be found out: keys could not be fetched, or too much is under way
};

}  // namespace postern::dns
