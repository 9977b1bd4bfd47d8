// SPDX-License-Identifier: BSD-3-Clause
#include <catch2/catch.hpp>
#include <vector>

#include "services/dns/answer.h"

namespace postern::dns {
namespace {

using Octets = std::vector<uint8_t>;

// Priority 1, the name "svc", then the parameters.
Octets service(const Octets& parameters) {
  Octets data = {0, 1, 3, 's', 'v', 'c', 0};
  data.insert(data.end(), parameters.begin(), parameters.end());
  return data;
}

}  // namespace

TEST_CASE("dns/answer: hints of services are addresses for the rebind guard",
          "[P25][RFC9460-7.3]") {
  struct Row {
    Octets parameters;
    bool is_inside;
  };
  const Octets v6_outside = {0, 6, 0, 16, 0x20, 1, 13, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  Octets v6_inside = v6_outside;
  v6_inside[4] = 0xfd;
  const Row rows[] = {
      {{}, false},
      {{0, 1, 0, 3, 2, 'h', '2'}, false},                          // alpn
      {{0, 3, 0, 2, 0x20, 0xfb}, false},                           // port
      {{0, 4, 0, 4, 198, 51, 100, 1}, false},                      // ipv4hint
      {{0, 4, 0, 4, 192, 168, 1, 1}, true},                        //
      {{0, 4, 0, 8, 198, 51, 100, 1, 127, 0, 0, 1}, true},         // the second one
      {{0, 1, 0, 3, 2, 'h', '2', 0, 4, 0, 4, 10, 0, 0, 1}, true},  // behind another parameter
      {v6_outside, false},
      {v6_inside, true},
      {{0, 9, 0, 4, 192, 168, 1, 1}, false},  // no hint, whatever it looks like
  };
  for (const Row& row : rows) {
    CAPTURE(row.parameters);
    CHECK(is_inside_address(type::https, service(row.parameters)) == row.is_inside);
    CHECK(is_inside_address(type::svcb, service(row.parameters)) == row.is_inside);
    CHECK_FALSE(is_inside_address(type::txt, service(row.parameters)));
  }
}

TEST_CASE("dns/answer: services that cannot be read count as inside", "[P25][RFC9460-2.2]") {
  const Octets whole = service({0, 4, 0, 4, 198, 51, 100, 1});
  for (size_t size = 0; size < whole.size(); ++size) {
    bool is_complete = size == 7;  // without parameters
    CHECK(is_inside_address(type::https, Bytes(whole).first(size)) == !is_complete);
  }
  CHECK(is_inside_address(type::https, service({0, 4, 0, 0})));                   // no address
  CHECK(is_inside_address(type::https, service({0, 4, 0, 3, 198, 51, 100})));     // not a whole one
  CHECK(is_inside_address(type::https, service({0, 4, 0, 9, 198, 51, 100, 1})));  // beyond the end
  CHECK(is_inside_address(type::https, Octets{0, 1, 0xC0, 0}));                   // compressed
}

}  // namespace postern::dns
