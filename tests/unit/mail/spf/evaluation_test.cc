// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/spf/evaluation.h"

#include <catch2/catch.hpp>
#include <memory>

#include "services/mail/spf/libspf2.h"

namespace postern::mail {
namespace {

// What is not in the zone does not exist.
struct Zone {
  std::unique_ptr<SPF_dns_server_t, void (*)(SPF_dns_server_t*)> dns = {
      SPF_dns_zone_new(nullptr, "zone", 0), SPF_dns_free};

  Zone() {
    add("b.example", ns_t_txt, NETDB_SUCCESS, "v=spf1 ip4:198.51.100.0/24 mx -all");
    add("b.example", ns_t_mx, NETDB_SUCCESS, "mail.b.example");
    add("mail.b.example", ns_t_a, NETDB_SUCCESS, "203.0.113.5");
    add("soft.example", ns_t_txt, NETDB_SUCCESS, "v=spf1 ~all");
    add("wrong.example", ns_t_txt, NETDB_SUCCESS, "v=spf1 nonsense:x -all");
    add("loop.example", ns_t_txt, NETDB_SUCCESS, "v=spf1 include:loop.example -all");
    add("away.example", ns_t_any, TRY_AGAIN, nullptr);
    add("helo.example", ns_t_txt, NETDB_SUCCESS, "v=spf1 a -all");
    add("helo.example", ns_t_a, NETDB_SUCCESS, "198.51.100.9");
  }
  void add(const char* name, ns_type type, int outcome, const char* value) {
    SPF_dns_zone_add_str(dns.get(), name, type, outcome, value);
  }
  std::string ask(Ipv4Address client, const std::string& sender,
                  const std::string& helo = "x.y.z") {
    return std::string(
        to_text(evaluate_spf({client, helo, sender, "mx.a.example"}, dns.get()).result));
  }
};

constexpr Ipv4Address kTheirs{198, 51, 100, 9};
constexpr Ipv4Address kOther{192, 0, 2, 66};

}  // namespace

TEST_CASE("mail/spf/evaluation: a domain says which hosts send its mail", "[F53]") {
  Zone zone;
  CHECK(zone.ask(kTheirs, "joe@b.example") == "pass");
  CHECK(zone.ask(Ipv4Address(203, 0, 113, 5), "joe@b.example") == "pass");
  CHECK(zone.ask(kOther, "joe@b.example") == "fail");
  CHECK(zone.ask(kOther, "joe@soft.example") == "softfail");
  CHECK(zone.ask(kOther, "joe@none.example") == "none");
  CHECK(zone.ask(kOther, "joe@wrong.example") == "permerror");
  CHECK(zone.ask(kOther, "joe@loop.example") == "permerror");
  CHECK(zone.ask(kOther, "joe@away.example") == "temperror");
}

TEST_CASE("mail/spf/evaluation: without a sender its host is asked for", "[F53]") {
  Zone zone;
  CHECK(zone.ask(kTheirs, "", "helo.example") == "pass");
  CHECK(zone.ask(kOther, "", "helo.example") == "fail");
  CHECK(zone.ask(kOther, "", "[192.0.2.66]") == "none");
}

}  // namespace postern::mail
