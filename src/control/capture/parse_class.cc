// SPDX-License-Identifier: BSD-3-Clause
#include "control/capture/parse_class.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "control/config/items.h"
#include "control/config/resolve.h"

namespace postern {
namespace {

Error invalid(const std::string& option, const std::string& text) {
  return {ErrorCode::invalid, "--" + option + ": " + text};
}

// What the user typed, fit for one line.
std::string quoted(std::string_view text) {
  std::string shown = "'";
  for (char c : text.substr(0, 64))
    shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  return shown + (text.size() > 64 ? "...'" : "'");
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

Result<InterfaceSet> parse_interfaces(const std::string& text, const config::Model& model) {
  if (text.empty() || text == "any") return kAnyInterface;
  InterfaceSet set = 0;
  for (const std::string& name : split(text, ',')) {
    InterfaceSet meant = name == "gateway" ? set_of(kGateway) : 0;
    std::string known;
    for (size_t i = 0; i < model.interfaces.size(); ++i) {
      const config::Interface& interface = model.interfaces[i];
      if (!interface.enabled) continue;
      known += interface.name + ", ";
      if (interface.name == name || name == config::zone_word(interface.zone)) {
        meant |= set_of(static_cast<InterfaceId>(i));
      }
    }
    if (meant == 0) {
      return invalid("interface", "no interface " + quoted(name) + "; one of " + known +
                                      "gateway, any, or a zone");
    }
    set |= meant;
  }
  return set;
}

Result<TracePoints> parse_stages(const std::string& text) {
  if (text.empty() || text == "all") return kAllPoints;
  TracePoints set = 0;
  for (const std::string& name : split(text, ',')) {
    TracePoints meant = 0;
    for (TracePoint point : {TracePoint::received, TracePoint::sent, TracePoint::dropped}) {
      if (name == to_word(point)) meant = set_of(point);
    }
    if (meant == 0) {
      return invalid("at", quoted(name) + " is no stage; received, sent, dropped or all");
    }
    set |= meant;
  }
  return set;
}

// Reads `where` word by word into a class.
class Expression {
 public:
  Expression(const std::string& text, const config::Model& model, TrafficClass& into)
      : model_(model), into_(into) {
    std::string spaced = text;
    std::replace_if(
        spaced.begin(), spaced.end(), [](char c) { return c == '\t' || c == '\n'; }, ' ');
    for (std::string& word : split(spaced, ' ')) {
      if (!word.empty()) words_.push_back(std::move(word));
    }
  }

  Result<void> read() {
    bool begins_alternative = true;
    while (true) {
      Clause clause;
      clause.begins_alternative = begins_alternative;
      for (; is_next("not"); ++at_)
        clause.is_negated = !clause.is_negated;
      if (auto done = read_primitive(clause); !done) return done;
      if (into_.clause_count == TrafficClass::kClausesMax) {
        return invalid("where",
                       "more than " + std::to_string(TrafficClass::kClausesMax) + " conditions");
      }
      into_.clauses[into_.clause_count++] = clause;
      if (at_ == words_.size()) return {};
      begins_alternative = is_next("or");
      if (!begins_alternative && !is_next("and")) {
        return invalid("where", quoted(words_[at_]) + " stands where `and` or `or` is due");
      }
      ++at_;
    }
  }

 private:
  bool is_next(std::string_view word) const { return at_ < words_.size() && words_[at_] == word; }

  // The word after `what`.
  Result<std::string> take(const std::string& what, const std::string& expected) {
    if (at_ < words_.size()) return words_[at_++];
    return invalid("where", "`" + what + "` needs " + expected);
  }

  Result<void> read_primitive(Clause& clause) {
    auto word = take(words_.empty() ? "where" : words_.back(), "a condition after it");
    if (!word) return std::move(word).error();
    const bool has_side = *word == "src" || *word == "dst";
    if (has_side) {
      clause.side = *word == "src" ? Clause::Side::source : Clause::Side::destination;
      word = take(*word, "host, net or port");
      if (!word) return std::move(word).error();
    }
    if (*word == "host" || *word == "net") return read_addresses(*word, clause);
    if (*word == "port") return read_ports(clause);
    if (has_side) {
      return invalid("where", quoted(*word) + " has no side; src and dst go with host, net, port");
    }
    if (*word == "service") return read_service(clause);
    if (*word == "reason") return read_reason(clause);
    if (*word != "proto") return read_protocol(*word, clause);
    auto name = take("proto", "tcp, udp, icmp, a name or 0-255");
    if (!name) return std::move(name).error();
    return read_protocol(*name, clause);
  }

  Result<void> read_protocol(const std::string& name, Clause& clause) {
    if (name == "arp") {
      clause.kind = Clause::Kind::arp;
      return {};
    }
    if (name == "ip") return take_service({ServiceSpec{.any_protocol = true}}, clause);
    clause.kind = Clause::Kind::protocol;
    if (auto number = config::parse_number(name, 255)) {
      clause.protocol = static_cast<uint8_t>(*number);
      return {};
    }
    const bool is_plain = name.find('/') == std::string::npos;
    auto service = config::parse_service_literal(name);
    if (!is_plain || !service || service->size() != 1 || service->front().any_protocol) {
      return invalid("where", quoted(name) +
                                  " is no condition; proto, host, net, port, service, reason, "
                                  "arp, ip or a protocol such as tcp");
    }
    clause.protocol = service->front().protocol;
    return {};
  }

  Result<void> read_addresses(const std::string& keyword, Clause& clause) {
    auto item = take(keyword, "an address, prefix, range or object");
    if (!item) return std::move(item).error();
    auto ranges = config::resolve_addresses(model_.objects, {*item});
    if (!ranges) {
      return invalid("where", keyword + " " + quoted(*item) +
                                  " is no address, prefix, range or address object");
    }
    if (into_.range_count + ranges->size() > TrafficClass::kRangesMax) {
      return invalid("where", "the addresses come to more than " +
                                  std::to_string(TrafficClass::kRangesMax) + " ranges");
    }
    if (ranges->empty()) return invalid("where", quoted(*item) + " has no addresses");
    clause.kind = Clause::Kind::address;
    clause.first = into_.range_count;
    for (const AddressRange& range : *ranges)
      into_.ranges[into_.range_count++] = range;
    clause.last = static_cast<uint16_t>(into_.range_count - 1);
    return {};
  }

  Result<void> read_ports(Clause& clause) {
    auto item = take("port", "a port: 53, 80-90 or >1023");
    if (!item) return std::move(item).error();
    auto ports = config::parse_ports(*item);
    if (!ports) return invalid("where", quoted(*item) + " is no port: 53, 80-90 or >1023");
    clause.kind = Clause::Kind::port;
    clause.first = ports->first;
    clause.last = ports->last;
    return {};
  }

  Result<void> read_service(Clause& clause) {
    auto item = take("service", "tcp/80, icmp/echo-request or a service object");
    if (!item) return std::move(item).error();
    auto matches = config::resolve_services(model_.objects, {*item});
    if (!matches || matches->empty()) {
      return invalid("where", "service " + quoted(*item) + " is no service nor service object");
    }
    std::vector<ServiceSpec> specs;
    for (const config::ServiceMatch& match : *matches) {
      ServiceSpec spec;
      spec.any_protocol = match.any_protocol;
      spec.protocol = match.protocol;
      spec.first_destination = match.destination.first;
      spec.last_destination = match.destination.last;
      spec.first_source = match.source.first;
      spec.last_source = match.source.last;
      spec.icmp_type = static_cast<int16_t>(match.icmp_type);
      spec.icmp_code = static_cast<int16_t>(match.icmp_code);
      specs.push_back(spec);
    }
    return take_service(specs, clause);
  }

  Result<void> take_service(const std::vector<ServiceSpec>& specs, Clause& clause) {
    if (into_.service_count + specs.size() > TrafficClass::kServicesMax) {
      return invalid(
          "where", "the services come to more than " + std::to_string(TrafficClass::kServicesMax));
    }
    clause.kind = Clause::Kind::service;
    clause.first = into_.service_count;
    for (const ServiceSpec& spec : specs)
      into_.services[into_.service_count++] = spec;
    clause.last = static_cast<uint16_t>(into_.service_count - 1);
    return {};
  }

  Result<void> read_reason(Clause& clause) {
    auto word = take("reason", "a drop reason; see `postern show drops`");
    if (!word) return std::move(word).error();
    clause.kind = Clause::Kind::reason;
    clause.reason = drop_reason_from(word->c_str());
    if (clause.reason != DropReason::none) return {};
    return invalid("where", quoted(*word) + " is no drop reason; see `postern show drops --all`");
  }

  const config::Model& model_;
  TrafficClass& into_;
  std::vector<std::string> words_;
  size_t at_ = 0;
};

}  // namespace

Result<TrafficClass> parse_class(const ClassWords& words, const config::Model& model) {
  for (const auto& [option, text] :
       {std::pair("interface", &words.interface), std::pair("at", &words.at),
        std::pair("where", &words.where)}) {
    if (text->size() <= kClassTextMax) continue;
    return invalid(option, "longer than " + std::to_string(kClassTextMax) + " bytes");
  }
  TrafficClass traffic;
  auto interfaces = parse_interfaces(words.interface, model);
  if (!interfaces) return std::move(interfaces).error();
  traffic.interfaces = *interfaces;
  auto stages = parse_stages(words.at);
  if (!stages) return std::move(stages).error();
  traffic.stages = *stages;
  if (words.where.find_first_not_of(" \t\n") == std::string::npos) return traffic;
  if (auto read = Expression(words.where, model, traffic).read(); !read) {
    return std::move(read).error();
  }
  return traffic;
}

}  // namespace postern
