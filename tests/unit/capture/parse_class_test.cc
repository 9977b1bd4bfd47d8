// SPDX-License-Identifier: BSD-3-Clause
#include "control/capture/parse_class.h"

#include "unit/capture/class_bed.h"

namespace postern::test {

TEST_CASE("capture/parse_class: conditions on protocols, addresses and ports", "[P13]") {
  auto query = udp("192.168.1.10:5000", "198.51.100.7:53");
  for (const char* where : {"",
                            "udp",
                            "proto udp",
                            "proto 17",
                            "ip",
                            "host 192.168.1.10",
                            "src host 192.168.1.10",
                            "dst net 198.51.100.0/24",
                            "host office",
                            "net office and port 53",
                            "dst port 53",
                            "src port 5000",
                            "port >1023",
                            "port 50-60",
                            "service udp/53",
                            "not tcp",
                            "not not udp",
                            "tcp or udp",
                            "tcp and port 80 or udp and port 53",
                            "host 192.168.1.5-192.168.1.20",
                            " udp\tand  port 53 "}) {
    CHECK(sees(where, query));
  }
  for (const char* where :
       {"tcp", "arp", "dst host 192.168.1.10", "src host 198.51.100.7", "port 54", "src port 53",
        "host server", "not udp", "tcp or icmp", "udp and tcp", "service web", "not port 53",
        "tcp or udp and port 54", "reason filter_drop"}) {
    CHECK_FALSE(sees(where, query));
  }
}

TEST_CASE("capture/parse_class: a service is seen in both directions, ICMP by its type", "[P13]") {
  CHECK(sees("service web", tcp("192.168.1.10:5000", "198.51.100.7:443").syn()));
  CHECK(sees("service web", tcp("198.51.100.7:443", "192.168.1.10:5000").syn()));
  CHECK(sees("service ping", echo_request("192.168.1.10", "192.168.1.1", 7)));
  CHECK_FALSE(sees("service ping", echo_reply("192.168.1.10", "192.168.1.1", 7)));
}

TEST_CASE("capture/parse_class: a later fragment has addresses and no ports", "[P13]") {
  auto later = udp("192.168.1.10:5000", "198.51.100.7:53").fragment(1480, false, 2008);
  CHECK(sees("udp and host 192.168.1.10", later));
  CHECK_FALSE(sees("port 53", later));
  CHECK_FALSE(sees("service udp/53", later));
}

TEST_CASE("capture/parse_class: the reason of a drop", "[P13]") {
  auto packet = tcp("192.168.1.10:5000", "198.51.100.7:443").syn();
  CHECK(sees("reason filter_drop and tcp", packet, DropReason::filter_drop));
  CHECK_FALSE(sees("reason filter_drop", packet, DropReason::no_route));
}

TEST_CASE("capture/parse_class: interfaces and stages by name", "[P13]") {
  const config::Model model = capture_model();
  auto lan = parse_class({"lan", "received,dropped", ""}, model);
  REQUIRE(lan.has_value());
  CHECK(lan->concerns(0, TracePoint::received));
  CHECK(lan->concerns(0, TracePoint::dropped));
  CHECK_FALSE(lan->concerns(0, TracePoint::sent));
  CHECK_FALSE(lan->concerns(1, TracePoint::received));
  auto outside = parse_class({"external,gateway", "all", ""}, model);
  REQUIRE(outside.has_value());
  CHECK(outside->concerns(1, TracePoint::sent));
  CHECK(outside->concerns(kGateway, TracePoint::received));
  CHECK_FALSE(outside->concerns(0, TracePoint::sent));
}

TEST_CASE("capture/parse_class: ARP is seen by the addresses it speaks of", "[P13]") {
  const Frame frame = arp_request(Ipv4Address(192, 168, 1, 10), Ipv4Address(192, 168, 1, 1),
                                  MacAddress{{2, 0, 0, 0, 0, 1}});
  const FrameFacts facts = read_facts(frame.bytes());
  for (const char* where : {"arp", "proto arp", "host 192.168.1.10", "not ip"})
    CHECK(class_of(where)->matches(facts, DropReason::none));
  CHECK_FALSE(class_of("ip")->matches(facts, DropReason::none));
}

TEST_CASE("capture/parse_class: what is wrong is said in one line", "[P13]") {
  struct Bad {
    const char *interface, *at, *where, *says;
  };
  std::string many = "udp";
  for (int i = 0; i < 16; ++i)
    many += " and udp";
  const Bad bad = GENERATE_COPY(
      values<Bad>({{"lam", "", "", "--interface: no interface 'lam'; one of lan, wan, dmz,"},
                   {"lan,", "", "", "--interface: no interface ''"},
                   {"", "recieved", "", "--at: 'recieved' is no stage"},
                   {"", "", "udp port 53", "'port' stands where `and` or `or` is due"},
                   {"", "", "udp and", "`and` needs a condition after it"},
                   {"", "", "not", "`not` needs a condition after it"},
                   {"", "", "host", "`host` needs an address"},
                   {"", "", "host 1.2.3", "host '1.2.3' is no address"},
                   {"", "", "host nobody", "host 'nobody' is no address"},
                   {"", "", "port 65536", "'65536' is no port"},
                   {"", "", "port web", "'web' is no port"},
                   {"", "", "src", "`src` needs host, net or port"},
                   {"", "", "src udp", "'udp' has no side"},
                   {"", "", "proto 256", "'256' is no condition"},
                   {"", "", "proto", "`proto` needs tcp"},
                   {"", "", "service nothing", "service 'nothing' is no service"},
                   {"", "", "reason bad_luck", "'bad_luck' is no drop reason"},
                   {"", "", "(udp)", "'(udp)' is no condition"},
                   {"", "", "udp\x01", "'udp?' is no condition"}}));
  auto traffic = parse_class({bad.interface, bad.at, bad.where}, capture_model());
  INFO(bad.where);
  REQUIRE_FALSE(traffic.has_value());
  INFO(traffic.error().text);
  CHECK(traffic.error().text.find(bad.says) != std::string::npos);
  CHECK(traffic.error().text.find('\n') == std::string::npos);
  CHECK(traffic.error().code == ErrorCode::invalid);
  CHECK(class_of(many).error().text == "--where: more than 16 conditions");
  CHECK(class_of(std::string(2000, 'x')).error().text == "--where: longer than 1024 bytes");
  const std::string long_text(2000, 'x');
  const config::Model model;
  CHECK(parse_class({long_text, "", ""}, model).error().text ==
        "--interface: longer than 1024 bytes");
  CHECK(parse_class({"", long_text, ""}, model).error().text == "--at: longer than 1024 bytes");
}

}  // namespace postern::test
