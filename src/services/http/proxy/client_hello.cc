// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/client_hello.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace postern::http {
namespace {

using Octets = std::span<const uint8_t>;
using State = ClientHello::State;

constexpr uint8_t kRecordHandshake = 22;
constexpr uint8_t kMessageClientHello = 1;
constexpr unsigned kExtensionServerName = 0;
constexpr uint8_t kNameTypeHost = 0;
constexpr size_t kRecordHead = 5;
constexpr size_t kRecordMax = size_t{16} << 10;
constexpr size_t kMessageHead = 4;
constexpr size_t kVersionAndRandom = 2 + 32;
constexpr size_t kNameMax = 253;

// Takes numbers and counted strings from the front; a short input makes it fail for good.
class Reader {
 public:
  explicit Reader(Octets octets) : rest_(octets) {}
  bool failed() const { return failed_; }
  bool empty() const { return rest_.empty(); }

  Octets take(size_t count) {
    if (count > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    const Octets taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  size_t number(size_t octets) {
    size_t value = 0;
    for (const uint8_t octet : take(octets))
      value = value << 8 | octet;
    return value;
  }
  // A string with its length in front, in `length_octets` octets.
  Octets counted(size_t length_octets) { return take(number(length_octets)); }

 private:
  Octets rest_;
  bool failed_ = false;
};

ClientHello state_only(State state) {
  return ClientHello{state, {}};
}

bool is_name_octet(uint8_t octet) {
  return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
         (octet >= '0' && octet <= '9') || octet == '-' || octet == '_' || octet == '.';
}

ClientHello name_of(Octets extension) {
  Reader outer(extension);
  Reader names(outer.counted(2));
  const size_t type = names.number(1);
  const Octets host = names.counted(2);
  // RFC 6066 section 3: one name of each type, and no other type was ever made.
  if (outer.failed() || !outer.empty() || names.failed() || !names.empty() ||
      type != kNameTypeHost || host.empty() || host.size() > kNameMax ||
      !std::all_of(host.begin(), host.end(), is_name_octet)) {
    return state_only(State::malformed);
  }
  ClientHello hello = state_only(State::named);
  hello.name.assign(host.begin(), host.end());
  for (char& letter : hello.name) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + ('a' - 'A'));
  }
  if (hello.name.back() == '.') hello.name.pop_back();
  if (hello.name.empty()) return state_only(State::malformed);
  return hello;
}

ClientHello parse_message(Octets message) {
  Reader reader(message);
  reader.take(kVersionAndRandom);
  reader.counted(1);  // session
  reader.counted(2);  // cipher suites
  reader.counted(1);  // compressions
  if (reader.failed()) return state_only(State::malformed);
  if (reader.empty()) return state_only(State::nameless);
  Reader extensions(reader.counted(2));
  if (reader.failed() || !reader.empty()) return state_only(State::malformed);
  std::optional<Octets> found;
  while (!extensions.empty()) {
    const size_t type = extensions.number(2);
    const Octets extension = extensions.counted(2);
    if (extensions.failed()) return state_only(State::malformed);
    if (type != kExtensionServerName) continue;
    // RFC 8446 section 4.2: no extension stands twice; which one would the server believe?
    if (found) return state_only(State::malformed);
    found = extension;
  }
  return found ? name_of(*found) : state_only(State::nameless);
}

}  // namespace

ClientHello parse_client_hello(Octets octets) {
  if (octets.empty()) return state_only(State::more);
  if (octets[0] != kRecordHandshake || (octets.size() > 1 && octets[1] != 3))
    return state_only(State::not_tls);
  const State too_short = octets.size() >= kClientHelloMax ? State::malformed : State::more;
  std::vector<uint8_t> message;
  while (octets.size() >= kRecordHead) {
    const size_t length = size_t{octets[3]} << 8 | octets[4];
    if (octets[0] != kRecordHandshake || octets[1] != 3 || length == 0 || length > kRecordMax)
      return state_only(State::malformed);
    const Octets body =
        octets.subspan(kRecordHead).first(std::min(length, octets.size() - kRecordHead));
    message.insert(message.end(), body.begin(), body.end());
    if (!message.empty() && message[0] != kMessageClientHello) return state_only(State::malformed);
    if (message.size() >= kMessageHead) {
      const size_t size = size_t{message[1]} << 16 | size_t{message[2]} << 8 | message[3];
      if (size > kClientHelloMax) return state_only(State::malformed);
      if (message.size() >= kMessageHead + size)
        return parse_message(Octets(message).subspan(kMessageHead, size));
    }
    octets = octets.subspan(kRecordHead + body.size());
    if (body.size() < length) break;
  }
  return state_only(too_short);
}

}  // namespace postern::http
