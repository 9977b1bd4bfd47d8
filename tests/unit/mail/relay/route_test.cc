// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/relay/route.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "services/mail/relay/token_source.h"

namespace postern::mail {
namespace {

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("mail/relay/route: a recipient's hop is the sender's, the relay, or the domain",
          "[F49]") {
  RelaySettings settings;
  const Address ann{"ann", "b.example"};
  CHECK(find_hop(settings, {"joe", "a.example"}, ann).empty());
  settings.has_mx = true;
  CHECK(find_hop(settings, {"joe", "a.example"}, ann) == "mx b.example");
  CHECK(domain_of("mx b.example") == "b.example");
  CHECK(find_hop(settings, {"joe", "a.example"}, {"postmaster", ""}).empty());
  settings.hosts.resize(2);
  CHECK(find_hop(settings, {"joe", "a.example"}, ann) == "relay");
  CHECK(find_hosts(settings, "relay") == &settings.hosts);
  settings.by_sender = {{{"joe@*"}, {}}, {{"*@a.example"}, {RelayHost()}}};
  CHECK(find_hop(settings, {"joe", "a.example"}, ann) == "sender 0");
  CHECK(find_hop(settings, {"Eve", "a.example"}, ann) == "sender 1");
  CHECK(find_hop(settings, {}, ann) == "relay");
  CHECK(find_hosts(settings, "sender 1") == &settings.by_sender[1].hosts);
  CHECK(find_hosts(settings, "sender 2") == nullptr);
  CHECK(find_hosts(settings, "sender x") == nullptr);
  CHECK(find_hosts(settings, "mx relay") == nullptr);
  CHECK(domain_of("relay").empty());
}

TEST_CASE("mail/relay/route: hosts of a domain come by preference, equal ones in any order",
          "[RFC5321-5.1]") {
  const std::vector<MailHost> found = {{20, "c.example"}, {10, "A.example."}, {10, "b.example"}};
  std::set<Names> orders;
  for (uint64_t random = 0; random < 32; ++random)
    orders.insert(choose_mail_hosts("d.example", found, "gate.example", random).names);
  CHECK(orders == std::set<Names>{{"a.example", "b.example", "c.example"},
                                  {"b.example", "a.example", "c.example"}});
  // We are one of them: those that are no better than we would send it back.
  CHECK(choose_mail_hosts("d.example", found, "C.example", 0).names.size() == 2);
  const MailHostChoice back = choose_mail_hosts("d.example", found, "a.example", 0);
  CHECK(back.names.empty());
  CHECK(to_text(back.refusal) == "554 5.4.6 Mail for d.example would come back to us");
  CHECK(choose_mail_hosts("d.example", {}, "a.example", 0).names == Names{"d.example"});
  CHECK(to_text(choose_mail_hosts("d.example", {{0, "."}}, "a.example", 0).refusal) ==
        "556 5.1.10 d.example takes no mail");
  // RFC 7505 section 3: a null MX beside others is none.
  CHECK(choose_mail_hosts("d.example", {{0, ""}, {9, "b.example"}}, "", 0).names ==
        Names{"b.example"});
  std::vector<MailHost> many;
  for (uint16_t i = 0; i < 100; ++i)
    many.push_back({i, "mx" + std::to_string(i)});
  CHECK(choose_mail_hosts("d.example", many, "", 0).names ==
        Names{"mx0", "mx1", "mx2", "mx3", "mx4"});
}

TEST_CASE("mail/relay/token_source: a token is the first line that a command prints", "[F49]") {
  const auto read = [](const std::string& script) {
    const Result<std::string> token = read_token({"/bin/sh", "-c", script}, -1);
    return token ? *token : "error " + token.error().text;
  };
  CHECK(read("echo abc; echo def") == "abc");
  CHECK(read("printf abc") == "abc");
  CHECK(read("printf 'a c\\n'") == "error /bin/sh: what it printed is no token");
  CHECK(read("printf 'a\\1c'") == "error /bin/sh: what it printed is no token");
  CHECK(read("true") == "error /bin/sh: what it printed is no token");
  CHECK(read("head -c 9000 /dev/zero | tr '\\0' a") ==
        "error /bin/sh: what it printed is no token");
  CHECK(read("echo abc; exit 3") == "error /bin/sh: exit code 3");
  CHECK_FALSE(read_token({}, -1));
  CHECK_FALSE(read_token({"relative"}, -1));
}

}  // namespace postern::mail
