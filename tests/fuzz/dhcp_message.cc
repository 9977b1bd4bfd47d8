// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a DHCP message: read() refuses or gives options within the message, and what it read
// can be written again and means the same. The other parsers of what clients send get the values.
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "services/dhcp/echo.h"
#include "services/dhcp/message.h"
#include "services/dhcp/option_names.h"

namespace dhcp = postern::dhcp;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dhcp::sender_of_reply({data, size}, {});
  dhcp::Message message;
  if (message.read({data, size}) != dhcp::MessageFault::none) return 0;
  std::vector<dhcp::OptionView> options;
  size_t total = 0;
  for (unsigned code = 1; code < 255; ++code) {
    auto option = static_cast<uint8_t>(code);
    if (!message.has(option) || option == dhcp::option::overload) continue;
    options.push_back({option, message.find(option)});
    total += options.back().value.size();
    POSTERN_ASSERT(message.text(option).size() <= message.find(option).size());
  }
  POSTERN_ASSERT(total <= size);
  dhcp::decode_routes(message.find(dhcp::option::classless_routes));

  std::array<uint8_t, dhcp::kMessageBytesMax> out;
  unsigned left_out = 0;
  dhcp::Outgoing outgoing{message.header, message.file(), message.server_name(), options};
  outgoing.bytes_max = size;
  size_t length = dhcp::write_message(outgoing, out, left_out);
  POSTERN_ASSERT(length <= out.size());
  dhcp::Message again;
  POSTERN_ASSERT(again.read({out.data(), length}) == dhcp::MessageFault::none);
  POSTERN_ASSERT(again.header.xid == message.header.xid);
  unsigned missing = 0;
  for (const dhcp::OptionView& option : options) {
    auto value = again.find(option.code);
    bool is_same = std::equal(value.begin(), value.end(), option.value.begin(), option.value.end());
    if (!again.has(option.code) || !is_same) ++missing;
  }
  POSTERN_ASSERT(missing == left_out);
  return 0;
}
