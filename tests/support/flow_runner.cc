// SPDX-License-Identifier: BSD-3-Clause
#include "support/flow_runner.h"

#include <fstream>
#include <iterator>

#include "dataplane/wire/headers.h"
#include "support/packet_compare.h"
#include "support/reassembly.h"

namespace postern::test {
namespace {

std::string line_of(const Effect& effect) {
  switch (effect.kind) {
    case Effect::Kind::out:
      return "out " + effect.interface + " " + to_text(effect.frame);
    case Effect::Kind::host:
      return "host " + effect.interface + " " + to_text(effect.frame);
    case Effect::Kind::drop:
      return std::string("drop ") + to_word(effect.reason);
  }
  return "";
}

std::string line_of(const FlowExpectation& expected) {
  switch (expected.kind) {
    case FlowExpectation::Kind::out:
      return "out " + expected.interface + " " + to_text(expected.packet);
    case FlowExpectation::Kind::host:
      return "host " + expected.interface + " " + to_text(expected.packet);
    case FlowExpectation::Kind::drop:
      return "drop " + expected.name;
    case FlowExpectation::Kind::hold:
      return "hold";
    case FlowExpectation::Kind::counter:
      return "expect " + expected.name + " " + expected.relation + " " + expected.value;
  }
  return "";
}

class FlowRunner {
 public:
  FlowRunner(const FlowScript& script, FlowBed& bed) : script_(script), bed_(bed) {}

  std::string run(const std::string& folder) {
    if (!script_.config_file.empty()) {
      std::ifstream file(folder + "/" + script_.config_file);
      if (!file) return fail(1, "cannot read " + script_.config_file);
      config_.assign(std::istreambuf_iterator<char>(file), {});
    }
    config_ = with_keys(config_, script_.config_keys);
    if (auto loaded = bed_.load(config_); !loaded) return fail(1, loaded.error().text);
    for (const FlowStep& step : script_.steps) {
      std::string failure = run(step);
      if (!failure.empty()) return failure;
    }
    return "";
  }

 private:
  std::string fail(int line, const std::string& text) const {
    return script_.name + ":" + std::to_string(line) + ": " + text;
  }

  std::string run(const FlowStep& step) {
    std::vector<Effect> effects;
    if (now_ < step.at) effects = bed_.advance(Duration{step.at.ns - now_.ns});
    now_ = step.at;
    const bool must_load = step.kind == FlowStep::Kind::reload;
    if (must_load || step.kind == FlowStep::Kind::refuse) {
      const std::string config = with_keys(config_, step.keys);
      bed_.loads_on_trial = step.is_on_trial;
      const auto loaded = bed_.load(config);
      if (must_load && !loaded) return fail(step.line, loaded.error().text);
      if (!must_load && loaded) return fail(step.line, "it was not refused");
      if (must_load) config_ = config;
    }
    if (step.kind == FlowStep::Kind::in || step.kind == FlowStep::Kind::send) {
      auto frame = frame_of(step);
      if (!frame) return fail(step.line, frame.error().text);
      const bool is_in = step.kind == FlowStep::Kind::in;
      auto more = is_in ? bed_.inject(step.interface, frame->bytes())
                        : bed_.inject_from_host(step.interface, frame->bytes());
      effects.insert(effects.end(), more.begin(), more.end());
    }
    if (step.kind == FlowStep::Kind::login || step.kind == FlowStep::Kind::logout) {
      auto more = bed_.log_in(step.host, step.who);
      effects.insert(effects.end(), more.begin(), more.end());
    }
    if (step.kind == FlowStep::Kind::flood) {
      const std::string failure = flood(step);
      if (!failure.empty()) return failure;
    }
    for (const Effect& effect : effects) {
      const std::string broken = is_bad_on_purpose(step) ? "" : broken_effect(effect);
      if (!broken.empty()) return fail(step.line, broken + ": " + line_of(effect));
    }
    return compare(step, effects);
  }

  std::string flood(FlowStep step) {
    const unsigned first = static_cast<unsigned>(std::stoul(step.packet.source_port));
    const auto host = parse_ipv4(step.packet.source);
    if (!host) return fail(step.line, "a flood needs an address to come from");
    for (unsigned i = 0; i < step.count; ++i) {
      step.packet.source_port = std::to_string(first + i);
      step.packet.source = to_text(Ipv4Address(host->number + i % step.hosts));
      auto frame = frame_of(step);
      if (!frame) return fail(step.line, frame.error().text);
      for (const Effect& effect : bed_.inject(step.interface, frame->bytes())) {
        const std::string broken = broken_effect(effect);
        if (!broken.empty()) return fail(step.line, broken + ": " + line_of(effect));
      }
    }
    return "";
  }

  static bool is_bad_on_purpose(const FlowStep& step) {
    auto sum = step.packet.fields.find("sum");
    return sum != step.packet.fields.end() && sum->second == "bad";
  }

  // Puts what variables are bound to in their place.
  bool resolve(std::string& text) const {
    if (text.empty() || text[0] != '$') return true;
    auto found = bindings_.find(text);
    if (found == bindings_.end()) return false;
    text = found->second;
    return true;
  }

  std::string resolve(PacketText& packet) const {
    for (std::string* text : {&packet.source, &packet.source_port, &packet.destination,
                              &packet.destination_port, &packet.kind}) {
      if (!resolve(*text)) return *text + " has no value yet";
    }
    for (auto& [name, value] : packet.fields) {
      if (!resolve(value)) return value + " has no value yet";
    }
    return packet.about.empty() ? "" : resolve(packet.about[0]);
  }

  Result<Frame> frame_of(const FlowStep& step) {
    PacketText packet = step.packet;
    const std::string unbound = resolve(packet);
    if (!unbound.empty()) return Error{ErrorCode::invalid, unbound};
    const bool is_in = step.kind != FlowStep::Kind::send;
    const bool is_request = packet.kind == "who-has";
    const MacAddress gateway = bed_.gateway_mac(step.interface);
    // The kernel's device has the port's MAC, and sees the pipeline behind the same one.
    const MacAddress sender = is_in ? bed_.neighbor_mac(step.interface) : gateway;
    packet.fields.emplace("from-mac", postern::to_text(sender));
    const bool to_all = packet.destination == "255.255.255.255" || is_request;
    packet.fields.emplace("to-mac", postern::to_text(to_all ? kBroadcastMac : gateway));
    if (packet.kind == "is-at" && packet.destination.empty()) packet.destination = "0.0.0.0";
    return build(packet);
  }

  std::string broken_effect(const Effect& effect) {
    if (effect.kind == Effect::Kind::drop) return "";
    const std::string sums = broken_checksum(effect.frame);
    if (!sums.empty()) return sums + " is wrong";
    const EthernetHeader& ethernet = ethernet_at(effect.frame.data());
    if (ethernet.destination.is_zero()) return "no destination MAC";
    if (effect.kind == Effect::Kind::out && ethernet.source != bed_.gateway_mac(effect.interface)) {
      return "the source MAC is not the gateway's";
    }
    return reassembly_.add(effect.frame);
  }

  std::string difference(const FlowExpectation& expected, const Effect& effect) {
    const bool is_same_kind =
        (expected.kind == FlowExpectation::Kind::out && effect.kind == Effect::Kind::out) ||
        (expected.kind == FlowExpectation::Kind::host && effect.kind == Effect::Kind::host) ||
        (expected.kind == FlowExpectation::Kind::drop && effect.kind == Effect::Kind::drop);
    if (!is_same_kind) return "another fate";
    if (effect.kind == Effect::Kind::drop) {
      return expected.name == to_word(effect.reason) ? "" : "another reason";
    }
    if (expected.interface != effect.interface) return "another interface";
    return difference_between(expected.packet, describe(effect.frame), bindings_);
  }

  std::string wrong_counter(const FlowExpectation& expected) {
    std::string seen = expected.name, wanted = expected.value;
    const bool is_counter = seen.find_first_of("$0123456789") != 0;
    if (is_counter) seen = std::to_string(bed_.counter(expected.name));
    if (!resolve(seen)) return seen + " has no value yet";
    if (expected.relation == "=" && !resolve(wanted)) bindings_[wanted] = seen;
    if (!resolve(wanted)) return wanted + " has no value yet";
    const bool is_odd = (seen.back() - '0') % 2 != 0;
    const bool holds = expected.relation == "="    ? seen == wanted
                       : expected.relation == "!=" ? seen != wanted
                       : expected.relation == "<"  ? std::stoull(seen) < std::stoull(wanted)
                                                   : is_odd == (wanted == "odd");
    return holds ? "" : expected.name + " is " + seen + ", not " + expected.relation + " " + wanted;
  }

  std::string compare(const FlowStep& step, std::vector<Effect> effects) {
    for (const FlowExpectation& expected : step.expected) {
      if (expected.kind == FlowExpectation::Kind::hold) continue;
      if (expected.kind == FlowExpectation::Kind::counter) {
        const std::string wrong = wrong_counter(expected);
        if (!wrong.empty()) return fail(expected.line, wrong);
        continue;
      }
      std::string why = "nothing was seen";
      auto match = effects.begin();
      for (; match != effects.end(); ++match) {
        const std::string one = difference(expected, *match);
        if (one.empty()) break;
        why = one;
      }
      if (match == effects.end()) {
        return fail(expected.line,
                    "expected " + line_of(expected) + "\n  (" + why + ")" + seen(effects));
      }
      effects.erase(match);
    }
    return effects.empty() ? "" : fail(step.line, "not expected" + seen(effects));
  }

  static std::string seen(const std::vector<Effect>& effects) {
    std::string text;
    for (const Effect& effect : effects)
      text += "\n  got " + line_of(effect);
    return text;
  }

  const FlowScript& script_;
  FlowBed& bed_;
  std::string config_;
  Duration now_;
  Bindings bindings_;
  Reassembly reassembly_;
};

}  // namespace

std::string run_flow_script(const FlowScript& script, const std::string& folder, FlowBed& bed) {
  return FlowRunner(script, bed).run(folder);
}

}  // namespace postern::test
