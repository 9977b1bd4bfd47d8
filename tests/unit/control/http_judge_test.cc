// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/http_judge.h"

#include "control/compile/subjects.h"
#include "support/office.h"
#include "unit/compile/compiled.h"

namespace postern {
namespace {

const Ipv4Address kDesk(192, 168, 1, 20), kOther(192, 168, 1, 21), kWeb(198, 51, 100, 80);

bool reaches(const Policy& policy, Ipv4Address client, Ipv4Address to, uint16_t port = 80,
             const Identities* identities = nullptr) {
  return may_reach(policy, identities, {client, 50'000, to, port});
}

// The office, with rules above its own.
std::string office(const std::string& rules, const std::string& more = "") {
  std::string filter = test::kOfficeFilter;
  filter.insert(filter.find("    - {"), rules);
  return test::kOfficeInterfaces + test::kOfficeNat + more + filter;
}

}  // namespace

TEST_CASE("control/http_judge: what the filter lets a client reach, the proxy may, and no more",
          "[F58]") {
  const auto policy =
      compiled(office("    - { name: closed, in: lan, from: 192.168.1.20, to: 198.51.100.80, "
                      "action: deny }\n"
                      "    - { name: closed-8081, in: lan, service: tcp/8081, action: drop }\n"));
  CHECK_FALSE(reaches(*policy, kDesk, kWeb));
  CHECK(reaches(*policy, kOther, kWeb));
  CHECK_FALSE(reaches(*policy, kOther, kWeb, 8081));
  CHECK(reaches(*policy, kDesk, Ipv4Address(198, 51, 100, 81)));
}

TEST_CASE("control/http_judge: who came from nowhere known reaches nothing", "[F58]") {
  auto model = model_of(office(""));
  model.routes.clear();
  const auto policy = compiled(model);
  CHECK_FALSE(reaches(*policy, Ipv4Address(10, 20, 30, 40), kWeb));
}

TEST_CASE("control/http_judge: an outside address of the office leads inside by its port maps only",
          "[F58]") {
  const auto policy = compiled(office(""));
  const Ipv4Address outside(203, 0, 113, 1);
  CHECK(reaches(*policy, kDesk, outside, 8443));
  const auto closed =
      compiled(office("    - { name: no-dmz, in: lan, to: 10.9.0.0/24, action: deny }\n"));
  CHECK_FALSE(reaches(*closed, kDesk, Ipv4Address(10, 9, 0, 5), 443));
}

TEST_CASE("control/http_judge: rules for users hold for who is logged in at the client", "[F58]") {
  const auto policy = compiled(
      office("    - { name: hr, in: lan, to: 198.51.100.80, users: anna, action: permit }\n"
             "    - { name: others, in: lan, to: 198.51.100.80, action: deny }\n",
             "users:\n  accounts:\n    anna: {}\n"));
  CHECK_FALSE(reaches(*policy, kDesk, kWeb));
  const Identities known(1, {{kDesk, user_number("anna"), {}}}, {}, 0, 0);
  CHECK(reaches(*policy, kDesk, kWeb, 80, &known));
  CHECK_FALSE(reaches(*policy, kOther, kWeb, 80, &known));
}

}  // namespace postern
