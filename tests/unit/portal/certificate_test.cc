// SPDX-License-Identifier: BSD-3-Clause
#include "services/portal/certificate.h"

#include <catch2/catch.hpp>
#include <ctime>

namespace postern::portal {

TEST_CASE("portal/certificate: what is made is for its addresses, and for two years", "[F27]") {
  const std::vector<Ipv4Address> addresses = {Ipv4Address(0xC0A80101), Ipv4Address(0x0A090001)};
  auto made = make_certificate("gw1", addresses);
  REQUIRE(made);
  auto facts = look_at(*made);
  REQUIRE(facts);
  CHECK(facts->addresses == addresses);
  CHECK(facts->fingerprint.size() == 95);
  const int64_t days = (facts->not_after_s - std::time(nullptr)) / 86'400;
  CHECK(days >= 823);
  CHECK(days <= 826);
  auto other = make_certificate("gw1", addresses);
  REQUIRE(other);
  CHECK(look_at(*other)->fingerprint != facts->fingerprint);
}

TEST_CASE("portal/certificate: what does not fit together is refused", "[F27]") {
  auto one = make_certificate("a", {}), two = make_certificate("b", {});
  REQUIRE(one);
  REQUIRE(two);
  CHECK_FALSE(look_at({one->certificate, two->key}));
  CHECK_FALSE(look_at({one->key, one->certificate}));
  CHECK_FALSE(look_at({"", one->key}));
  CHECK_FALSE(look_at({one->certificate, "text"}));
  CHECK_FALSE(look_at({one->certificate.substr(0, 100), one->key}));
}

}  // namespace postern::portal
