// SPDX-License-Identifier: BSD-3-Clause
// Any octets as the beginning of a tunnel: what is decided of them stays decided when more come,
// and a name has the octets of a name.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "services/http/proxy/client_hello.h"

using postern::http::ClientHello;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ClientHello decided;
  const size_t stride = std::max<size_t>(size / 16, 1);
  for (size_t count = 0; count <= size; count += stride) {
    const ClientHello hello = postern::http::parse_client_hello({data, count});
    if (decided.state == ClientHello::State::more) {
      decided = hello;
    } else {
      POSTERN_ASSERT(hello.state == decided.state && hello.name == decided.name);
    }
    POSTERN_ASSERT(hello.name.empty() == (hello.state != ClientHello::State::named));
    POSTERN_ASSERT(std::all_of(hello.name.begin(), hello.name.end(), [](char letter) {
      return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
             letter == '.' || letter == '-' || letter == '_';
    }));
  }
  return 0;
}
