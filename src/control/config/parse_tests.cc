// SPDX-License-Identifier: BSD-3-Clause
// tests: packets and the verdicts that they must get.
#include <algorithm>

#include "control/config/items.h"
#include "control/config/parse.h"

namespace postern::config {
namespace {

// "192.0.2.1" or "192.0.2.1:80".
void parse_endpoint(const Field& field, Ipv4Address& address, uint16_t& port) {
  auto text = read_string(field);
  if (!text) return;
  size_t colon = std::min(text->find(':'), text->size());
  auto host = parse_ipv4(std::string_view(*text).substr(0, colon));
  auto number = colon == text->size()
                    ? std::optional<uint32_t>(0)
                    : parse_number(std::string_view(*text).substr(colon + 1), 65535);
  if (!host || !number) return field.error(quote(*text) + " is not an address or address:port");
  address = *host;
  port = static_cast<uint16_t>(*number);
}

// The same, kept as it is written.
void parse_endpoint_text(Section& section, const char* key, std::string& text) {
  auto field = section.find(key);
  if (!field) return;
  Ipv4Address address;
  uint16_t port = 0;
  parse_endpoint(*field, address, port);
  if (auto written = read_string(*field)) text = *written;
}

// "mon 08:30": the first minute of that.
void parse_at(const Field& field, uint32_t& minute) {
  auto text = read_string(field);
  if (!text) return;
  const size_t space = text->find(' ');
  const bool is_form = space == 3 && text->size() == 9 && text->find_first_of(",-") == text->npos;
  auto day = is_form ? parse_time_literal(text->substr(0, 3)) : Error{};
  // Until midnight, so that the form of the time is the reader's of intervals.
  auto until_midnight = is_form ? parse_time_literal(*text + "-24:00") : Error{};
  if (!day || !until_midnight || day->size() != 1 || until_midnight->size() != 1) {
    return field.error(quote(*text) + " is no day and time, as mon 08:30");
  }
  minute = until_midnight->front().first;
}

}  // namespace

void parse_test_packet(Section& section, TestPacket& packet) {
  packet.mark = section.node().mark;
  section.string("in", packet.in);
  if (auto field = section.find("protocol")) {
    auto text = read_string(*field);
    auto matches = text ? parse_service_literal(*text) : Error{};
    const bool is_one = matches && matches->size() == 1 && !matches->front().any_protocol &&
                        matches->front().destination == PortRange{} &&
                        matches->front().source == PortRange{};
    if (is_one) {
      const ServiceMatch& match = matches->front();
      packet.protocol = {match.protocol, match.icmp_type, match.icmp_code};
    } else if (text) {
      field->error("is not one protocol; ports stand behind the addresses");
    }
  }
  if (auto field = section.find("from")) parse_endpoint(*field, packet.from, packet.from_port);
  if (auto field = section.find("to")) parse_endpoint(*field, packet.to, packet.to_port);
  section.word("verdict", packet.verdict);
  section.string("rule", packet.rule);
}

void parse_policy_test(Section& section, PolicyTest& test) {
  parse_test_packet(section, test);
  section.string("name", test.name);
  section.string("tcp_flags", test.tcp_flags);
  if (auto field = section.find("at")) parse_at(*field, test.minute);
  section.string("user", test.user);
  section.strings("groups", test.groups);
  section.string("out", test.out);
  parse_endpoint_text(section, "sent_from", test.sent_from);
  parse_endpoint_text(section, "sent_to", test.sent_to);
  section.finish();
}

}  // namespace postern::config
