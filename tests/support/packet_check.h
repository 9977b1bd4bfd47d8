// SPDX-License-Identifier: BSD-3-Clause
// What must hold of every packet that parse accepted and of every answer made from it, as checks
// that name what is broken; for bounds tests and for the fuzzer.
#pragma once

#include <string>

#include "dataplane/packet/packet.h"
#include "support/packet_builder.h"

namespace postern::test {

// What parse claims of the packet and is not so; "" when all holds.
std::string broken_claim(const Packet& packet);

// Makes every answer that the packet allows out of copies of `frame` (which parses), and cuts it
// into pieces for several MTUs; "" when every result parses again, fits, and has right checksums.
std::string broken_answer(const Frame& frame);

}  // namespace postern::test
