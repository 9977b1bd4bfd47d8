// SPDX-License-Identifier: BSD-3-Clause
#include "support/dns_chat.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "support/dns_bed.h"

namespace postern::test {
namespace {

using Words = std::vector<std::string>;

Words words_of(const std::string& text) {
  std::istringstream in(text);
  Words words;
  for (std::string word; in >> word;)
    words.push_back(word);
  return words;
}

uint16_t rcode_of(const std::string& word) {
  constexpr std::string_view kWords[] = {"NOERROR",  "FORMERR", "SERVFAIL",
                                         "NXDOMAIN", "NOTIMP",  "REFUSED"};
  auto found = std::find(std::begin(kWords), std::end(kWords), word);
  return static_cast<uint16_t>(found - std::begin(kWords));
}

Duration duration_of(const std::string& text) {
  size_t end = 0;
  int64_t number = std::stoll(text, &end);
  return text.substr(end) == "ms" ? milliseconds(number) : seconds(number);
}

class Chat {
 public:
  Chat() : settings_(DnsBed::settings({})) {}
  // What is wrong with the line.
  std::string run(const std::string& line);

 private:
  std::string set(const Words& words);
  std::string ask(const Words& words);
  std::string sent(const Words& words);
  std::string answer(const Words& words, const std::string& records);
  std::string told(const Words& words, const std::string& line);
  std::string count(const Words& words) const;
  bool has(const Words& words, const char* word) const {
    return std::find(words.begin(), words.end(), word) != words.end();
  }
  void configure() { bed_.forwarder.configure(settings_, bed_.now); }

  DnsBed bed_;
  dns::Settings settings_;
  std::map<std::string, DnsBed::Sent> last_;  // question, by server
  uint16_t id_ = 0;
};

std::string Chat::set(const Words& words) {
  const std::string& key = words.at(1);
  auto number = [&] { return static_cast<uint32_t>(std::stoul(words.at(2))); };
  if (key == "domain") {
    settings_.domain = *dns::parse_name(words.at(2));
  } else if (key == "forward") {
    settings_.forwards.push_back(
        {*dns::parse_name(words.at(2)), {{*parse_ipv4(words.at(3)), 53, ""}}});
  } else if (key == "record") {
    settings_.records.push_back({*parse_ipv4(words.at(3)), *dns::parse_name(words.at(2)), true});
  } else if (key == "parallel") {
    settings_.in_parallel = true;
  } else if (key == "rate") {
    settings_.rate_per_client = number();
  } else if (key == "stale") {
    settings_.cache.stale_s = number();
  } else if (key == "max_ttl") {
    settings_.cache.ttl_max_s = number();
  } else if (key == "guard") {
    settings_.rebind_guard = false;
  } else {
    return "unknown key " + key;
  }
  configure();
  return "";
}

std::string Chat::ask(const Words& words) {
  QueryText query;
  query.name = words.at(2);
  query.type = type_of(words.at(3));
  query.id = ++id_;
  if (has(words, "cd")) query.flags |= dns::flag::cd;
  if (has(words, "norec")) query.flags = 0;
  query.wants_dnssec = has(words, "do");
  if (has(words, "edns") || query.wants_dnssec) query.udp_bytes = 1232;
  bed_.ask(make_query(query), words.at(1), has(words, "tcp"));
  return "";
}

std::string Chat::sent(const Words& words) {
  DnsBed::Sent sent = bed_.take_sent();
  if (sent.message.empty()) return "nothing was sent";
  dns::Name name;
  auto end = dns::read_name(sent.message, dns::kHeaderBytes, name);
  if (!end) return "what was sent is broken";
  name.make_lower();
  std::string server = postern::to_text(sent.server.address);
  uint16_t type = dns::get16(sent.message, *end);
  bool has_edns = dns::get16(sent.message, 10) == 1;
  last_[server] = sent;
  if (server != words.at(1)) return "sent to " + server;
  if (dns::to_text(name) != words.at(2)) return "sent is " + dns::to_text(name);
  if (type != type_of(words.at(3))) return "sent is type " + std::to_string(type);
  if ((sent.socket == 0) != has(words, "tcp")) return "sent by the other way";
  if (has_edns == has(words, "plain")) return has_edns ? "sent with EDNS" : "sent without EDNS";
  return "";
}

std::string Chat::answer(const Words& words, const std::string& records) {
  const DnsBed::Sent& sent = last_[words.at(1)];
  if (sent.message.empty()) return "the server was not asked";
  Octets question = sent.message;
  auto about = std::find(words.begin(), words.end(), "about");
  if (about != words.end()) {
    QueryText other;
    other.name = *(about + 1);
    other.id = sent.id;
    question = make_query(other);
  }
  if (has(words, "lower")) {
    for (size_t i = dns::kHeaderBytes; question[i] != 0; ++i)
      question[i] = dns::lower(question[i]);
  }
  Octets message = make_answer(question, rcode_of(words.at(2)), records,
                               has(words, "tc") ? dns::flag::tc : uint16_t{0});
  if (message.empty()) return "the records cannot be read";
  if (has(words, "forged-id")) message[0] ^= 0x55;
  if (sent.socket == 0) {
    bed_.stream(sent.id, message);
  } else {
    bed_.datagram(sent.socket + (has(words, "forged-socket") ? 1000 : 0), message);
  }
  return "";
}

std::string Chat::told(const Words& words, const std::string& line) {
  DnsBed::Told told = bed_.take_told();
  if (told.message.empty()) return "nothing was told";
  std::string client = postern::to_text(told.client.address);
  if (client != words.at(1)) return "told to " + client;
  std::string expected = line.substr(line.find(words.at(1)) + words.at(1).size() + 1);
  std::string is = describe(told.message);
  return is == expected ? "" : "told was \"" + is + "\"";
}

std::string Chat::count(const Words& words) const {
  const dns::Counters& counters = bed_.forwarder.counters();
  uint64_t is = 0;
  bool is_known = false;
#define POSTERN_DNS_COUNTER(name, help) \
  if (words.at(1) == #name) {           \
    is = counters.name;                 \
    is_known = true;                    \
  }
#include "services/dns/counters.def"
#undef POSTERN_DNS_COUNTER
  if (!is_known) return "unknown counter";
  return is == std::stoull(words.at(2)) ? "" : "it is " + std::to_string(is);
}

std::string Chat::run(const std::string& line) {
  size_t colon = line.find(" :");
  std::string head = line.substr(0, colon);
  std::string records = colon == std::string::npos ? "" : line.substr(colon + 2);
  Words words = words_of(head);
  if (words.empty() || words[0].starts_with("#")) return "";
  const std::string& verb = words[0];
  if (verb == "set") return set(words);
  if (verb == "ask") return ask(words);
  if (verb == "sent") return sent(words);
  if (verb == "answer") return answer(words, records);
  if (verb == "told") return told(words, line);
  if (verb == "count") return count(words);
  if (verb == "servers") {
    settings_.servers.clear();
    for (size_t i = 1; i < words.size(); ++i)
      settings_.servers.push_back({*parse_ipv4(words[i]), 53, ""});
    configure();
  } else if (verb == "lease") {
    bed_.forwarder.names().set_lease(*parse_ipv4(words.at(1)), words.at(2));
  } else if (verb == "unlease") {
    bed_.forwarder.names().erase_lease(*parse_ipv4(words.at(1)));
  } else if (verb == "fail") {
    bed_.stream(last_[words.at(1)].id, Error{ErrorCode::unavailable, "broken"});
  } else if (verb == "wait") {
    bed_.pass(duration_of(words.at(1)));
  } else if (verb == "idle") {
    if (!bed_.sent.empty()) return "more was sent";
    if (!bed_.told.empty()) return "more was told: " + describe(bed_.told.front().message);
  } else {
    return "unknown word " + verb;
  }
  return "";
}

}  // namespace

std::string run_dns_chat(const std::string& script) {
  Chat chat;
  std::istringstream in(script);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    std::string wrong = chat.run(line);
    if (!wrong.empty()) return "line " + std::to_string(number) + ": " + line + ": " + wrong;
  }
  return "";
}

}  // namespace postern::test
