// SPDX-License-Identifier: BSD-3-Clause
#include "support/dns_bed.h"

#include <algorithm>
#include <sstream>

#include "base/assert.h"

namespace postern::test {
namespace {

using namespace dns;

struct TypeWord {
  std::string_view word;
  uint16_t type;
};
constexpr TypeWord kTypes[] = {
    {"A", type::a},       {"NS", type::ns},       {"CNAME", type::cname}, {"SOA", type::soa},
    {"PTR", type::ptr},   {"HINFO", type::hinfo}, {"MX", type::mx},       {"TXT", type::txt},
    {"AAAA", type::aaaa}, {"DNAME", type::dname}, {"OPT", type::opt},     {"RRSIG", type::rrsig},
    {"NSEC", type::nsec}, {"AXFR", type::axfr},   {"ANY", type::any},     {"DS", type::ds}};

constexpr std::string_view kRcodes[] = {"NOERROR",  "FORMERR", "SERVFAIL",
                                        "NXDOMAIN", "NOTIMP",  "REFUSED"};

std::string trimmed(std::string_view text) {
  while (text.starts_with(' '))
    text.remove_prefix(1);
  while (text.ends_with(' '))
    text.remove_suffix(1);
  return std::string(text);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    size_t end = std::min(text.find(separator), text.size());
    parts.push_back(trimmed(text.substr(0, end)));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

void add16(Octets& out, unsigned value) {
  out.push_back(static_cast<uint8_t>(value >> 8));
  out.push_back(static_cast<uint8_t>(value));
}

void add32(Octets& out, uint32_t value) {
  add16(out, value >> 16);
  add16(out, value & 0xFFFF);
}

void add(Octets& out, const Octets& more) {
  out.insert(out.end(), more.begin(), more.end());
}

Octets data_of(uint16_t type, const std::string& text) {
  Octets data;
  switch (type) {
    case type::a:
      add32(data, parse_ipv4(text).value_or(Ipv4Address()).number);
      break;
    case type::aaaa:  // the last 32 bits as an IPv4 address behind ::ffff
      data.assign(10, 0);
      add16(data, 0xFFFF);
      add32(data, parse_ipv4(text).value_or(Ipv4Address()).number);
      break;
    case type::soa:  // the last field alone
      add(data, wire_name("ns"));
      add(data, wire_name("mail"));
      for (int i = 0; i < 4; ++i)
        add32(data, 1);
      add32(data, static_cast<uint32_t>(std::stoul(text)));
      break;
    case type::mx:
      add16(data, 10);
      add(data, wire_name(text));
      break;
    case type::ns:
    case type::cname:
    case type::ptr:
    case type::dname:
      data = wire_name(text);
      break;
    default:
      data.push_back(static_cast<uint8_t>(text.size()));
      data.insert(data.end(), text.begin(), text.end());
  }
  return data;
}

// `asked`: this name is written as a pointer to the question.
bool add_record(Octets& out, const std::string& text, const Name& asked) {
  std::istringstream words(text);
  std::string name, type, data;
  uint32_t ttl = 0;
  if (!(words >> name >> ttl >> type >> data) || type_of(type) == 0) return false;
  if (is_same_name(wire_name(name), asked.wire())) {
    add16(out, 0xC000 | kHeaderBytes);
  } else {
    add(out, wire_name(name));
  }
  add16(out, type_of(type));
  add16(out, kClassIn);
  add32(out, ttl);
  Octets octets = data_of(type_of(type), data);
  add16(out, static_cast<unsigned>(octets.size()));
  add(out, octets);
  return true;
}

std::string data_text(Bytes message, const Record& record) {
  Bytes data = message.subspan(record.data, record.data_bytes());
  Name name;
  switch (record.type) {
    case type::a:
      return postern::to_text(Ipv4Address(get32(data, 0)));
    case type::soa:
      return std::to_string(get32(message, record.end - 4));
    case type::mx:
      return read_name(message, record.data + 2, name) ? to_text(name) : "?";
    case type::ns:
    case type::cname:
    case type::ptr:
    case type::dname:
      return read_name(message, record.data, name) ? to_text(name) : "?";
    case type::aaaa:
      return postern::to_text(Ipv4Address(get32(data, 12)));
    default:
      return data.empty() ? "" : std::string(data.begin() + 1, data.begin() + 1 + data[0]);
  }
}

std::string word_of(uint16_t type) {
  for (const TypeWord& one : kTypes) {
    if (one.type == type) return std::string(one.word);
  }
  return "TYPE" + std::to_string(type);
}

}  // namespace

uint16_t type_of(std::string_view word) {
  for (const TypeWord& one : kTypes) {
    if (one.word == word) return one.type;
  }
  return 0;
}

Octets wire_name(std::string_view text) {
  Octets out;
  while (!text.empty() && text != ".") {
    size_t dot = std::min(text.find('.'), text.size());
    out.push_back(static_cast<uint8_t>(dot));
    out.insert(out.end(), text.begin(), text.begin() + static_cast<std::ptrdiff_t>(dot));
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  out.push_back(0);
  return out;
}

Octets make_query(const QueryText& query) {
  Octets out;
  bool has_edns = query.udp_bytes > 0;
  for (unsigned value : {unsigned{query.id}, unsigned{query.flags}, 1u, 0u, 0u, has_edns ? 1u : 0u})
    add16(out, value);
  add(out, wire_name(query.name));
  add16(out, query.type);
  add16(out, kClassIn);
  if (!has_edns) return out;
  out.push_back(0);
  add16(out, type::opt);
  add16(out, query.udp_bytes);
  add32(out, query.wants_dnssec ? 0x8000 : 0);
  add16(out, 0);
  return out;
}

Octets make_answer(Bytes query, uint16_t rcode, std::string_view sections, uint16_t flags) {
  Name name;
  auto end = read_name(query, kHeaderBytes, name);
  POSTERN_ASSERT(end);
  Octets out(query.begin(), query.begin() + static_cast<std::ptrdiff_t>(*end + 4));
  put16(out, 2, static_cast<uint16_t>(flag::qr | flag::rd | flag::ra | flags | rcode));
  put16(out, 10, 0);
  size_t place = 6;
  for (const std::string& section : split(sections, '|')) {
    uint16_t count = 0;
    for (const std::string& record : split(section, ';')) {
      if (record.empty()) continue;
      if (!add_record(out, record, name)) return {};
      ++count;
    }
    if (place <= 10) put16(out, place, count);
    place += 2;
  }
  return out;
}

std::string describe(Bytes message) {
  if (message.size() < kHeaderBytes) return "nothing";
  Header header = read_header(message);
  std::string text = header.rcode() < std::size(kRcodes) ? std::string(kRcodes[header.rcode()])
                                                         : std::to_string(header.rcode());
  if ((header.flags & flag::tc) != 0) text += " tc";
  if ((header.flags & flag::ad) != 0) text += " ad";
  Name name;
  size_t at = kHeaderBytes;
  if (header.questions > 0) {
    auto end = read_name(message, at, name);
    if (!end) return text + " broken question";
    at = *end + 4;
  }
  RecordWalk walk(message, at);
  Record record;
  std::string records;
  auto section = MessageSection::answer;
  while (walk.next(record)) {
    if (record.type == type::opt) {
      if ((record.ttl >> 24) != 0) text += " ext " + std::to_string(record.ttl >> 24);
      if (record.data_bytes() >= 6)
        text += " ede " + std::to_string(get16(message, record.data + 4));
      continue;
    }
    if (record.section != section) records += " |";
    section = record.section;
    if (!records.empty() && !records.ends_with('|')) records += ";";
    if (!read_name(message, record.owner, name)) return text + " broken name";
    records += " " + to_text(name) + " " + std::to_string(record.ttl) + " " + word_of(record.type) +
               " " + data_text(message, record);
  }
  if (walk.is_broken()) return text + " broken";
  return records.empty() ? text : text + ":" + records;
}

DnsBed::DnsBed() : forwarder(*this, io::HashSeed{1, 2}), room_(kMessageBytesMax) {}

Settings DnsBed::settings(std::initializer_list<const char*> servers) {
  Settings settings;
  for (const char* server : servers)
    settings.servers.push_back({*parse_ipv4(server), 53, ""});
  settings.rate_per_client = 0;
  return settings;
}

void DnsBed::ask(const Octets& query, std::string_view address, bool by_tcp) {
  Client client{1, by_tcp ? 1u : 0u, *parse_ipv4(address), 1000};
  size_t size = forwarder.ask(query, client, now, room_);
  if (size == 0) return;
  told.push_back(
      {client, Octets(room_.begin(), room_.begin() + static_cast<std::ptrdiff_t>(size))});
}

void DnsBed::datagram(uint32_t socket, const Octets& message) {
  forwarder.take_datagram(socket, message, now);
}

void DnsBed::stream(uint16_t id, const Result<Octets>& outcome) {
  forwarder.take_stream(id, outcome, now);
}

void DnsBed::pass(Duration duration) {
  Instant end = now + duration;
  while (forwarder.is_waiting() && now + Forwarder::kTick < end) {
    now = now + Forwarder::kTick;
    forwarder.tick(now);
  }
  now = end;
  forwarder.tick(now);
}

DnsBed::Sent DnsBed::take_sent() {
  if (sent.empty()) return {};
  Sent first = std::move(sent.front());
  sent.pop_front();
  return first;
}

DnsBed::Told DnsBed::take_told() {
  if (told.empty()) return {};
  Told first = std::move(told.front());
  told.pop_front();
  return first;
}

uint32_t DnsBed::send_datagram(const ServerAddress& server, Bytes message) {
  if (sends_fail) return 0;
  sent.push_back({server, Octets(message.begin(), message.end()), ++sockets_, get16(message, 0)});
  return sockets_;
}

void DnsBed::ask_stream(const ServerAddress& server, Bytes message, uint16_t id) {
  sent.push_back({server, Octets(message.begin(), message.end()), 0, id});
}

void DnsBed::reply(const Client& client, Bytes message) {
  told.push_back({client, Octets(message.begin(), message.end())});
}

void DnsBed::log_query(const Client& client, const Name& name, uint16_t type,
                       std::string_view outcome) {
  logged.push_back(postern::to_text(client.address) + " " + to_text(name) + " " + word_of(type) +
                   " " + std::string(outcome));
}

uint64_t DnsBed::random() {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return random_;
}

}  // namespace postern::test
