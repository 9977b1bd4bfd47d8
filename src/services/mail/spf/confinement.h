// SPDX-License-Identifier: BSD-3-Clause
// confine(): the process gives away what it does not need to ask the DNS: its user (where it is
// root and may), capabilities, further privileges, memory and time without end, files, other
// programs and processes. What the machine does not let it give away it keeps: the unit of posternd
// forbids to change the user, and has a list of its own of system calls.
//
// Under a sanitizer memory and system calls stay, which it needs.
#pragma once

#include <cstdint>

namespace postern::mail {

constexpr uint64_t kSpfMemoryMax = uint64_t{128} << 20;  // octets of addresses, libraries included
constexpr uint64_t kSpfCpuMaxS = 5;
constexpr uint64_t kSpfDescriptorsMax = 16;
constexpr unsigned kSpfLifeMaxS = 25;  // by the clock; posternd ends it earlier

void confine();

}  // namespace postern::mail
