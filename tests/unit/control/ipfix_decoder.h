// SPDX-License-Identifier: BSD-3-Clause
// A collector's side of IPFIX for tests: messages -> records by the templates that came with them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::test {

// Element numbers; with enterprise: number + 1e6 (they are all of RFC 5103 here).
constexpr uint32_t kReverse = 1'000'000;

struct IpfixRecord {
  uint16_t set = 0;
  std::multimap<uint32_t, uint64_t> numbers;
  std::string text;  // of a field without a fixed length

  uint64_t at(uint32_t element) const {
    auto found = numbers.find(element);
    return found == numbers.end() ? UINT64_MAX : found->second;
  }
  bool has(uint32_t element) const { return numbers.count(element) != 0; }
};

class IpfixDecoder {
 public:
  struct Header {
    uint64_t version = 0, length = 0, exported_s = 0, sequence = 0, domain = 0;
  };
  // False: it is no message, or of a template that has not come.
  bool take(std::string_view message) {
    if (message.size() < 16) return false;
    header = {number(message, 0, 2), number(message, 2, 2), number(message, 4, 4),
              number(message, 8, 4), number(message, 12, 4)};
    if (header.version != 10 || header.length != message.size()) return false;
    size_t at = 16;
    while (at < message.size()) {
      if (at + 4 > message.size()) return false;
      const uint64_t set = number(message, at, 2), length = number(message, at + 2, 2);
      if (length <= 4 || at + length > message.size()) return false;
      const std::string_view body = message.substr(at + 4, length - 4);
      if (!(set == 2 || set == 3 ? take_templates(body, set == 3) : take_records(set, body))) {
        return false;
      }
      at += length;
    }
    return true;
  }

  Header header;
  std::vector<IpfixRecord> records;  // all so far
  size_t templates_taken = 0;

 private:
  struct Element {
    uint32_t number;
    size_t length;
  };
  static uint64_t number(std::string_view octets, size_t at, size_t length) {
    uint64_t value = 0;
    for (size_t i = 0; i < length; ++i)
      value = value << 8 | static_cast<uint8_t>(octets[at + i]);
    return value;
  }
  bool take_templates(std::string_view body, bool is_options) {
    size_t at = 0;
    while (at < body.size()) {
      const auto id = static_cast<uint16_t>(number(body, at, 2));
      const uint64_t fields = number(body, at + 2, 2);
      if (id < 256 || (is_options && number(body, at + 4, 2) == 0)) return false;
      at += is_options ? 6 : 4;
      std::vector<Element> elements;
      for (uint64_t i = 0; i < fields; ++i) {
        if (at + 4 > body.size()) return false;
        auto element = static_cast<uint32_t>(number(body, at, 2));
        const size_t length = number(body, at + 2, 2);
        at += 4;
        if ((element & 0x8000) != 0) {
          if (number(body, at, 4) != 29305) return false;
          at += 4;
          element = (element & 0x7FFF) + kReverse;
        }
        elements.push_back({element, length});
      }
      templates_[id] = elements;
      ++templates_taken;
    }
    return at == body.size();
  }
  bool take_records(uint64_t set, std::string_view body) {
    auto found = templates_.find(static_cast<uint16_t>(set));
    if (found == templates_.end()) return false;
    size_t at = 0;
    while (at < body.size()) {
      IpfixRecord record;
      record.set = static_cast<uint16_t>(set);
      for (const Element& element : found->second) {
        size_t length = element.length;
        if (length == 65535) {
          length = number(body, at++, 1);
          if (at + length > body.size()) return false;
          record.text = body.substr(at, length);
        } else {
          if (at + length > body.size()) return false;
          record.numbers.emplace(element.number, number(body, at, length));
        }
        at += length;
      }
      records.push_back(record);
    }
    return true;
  }

  std::map<uint16_t, std::vector<Element>> templates_;
};

}  // namespace postern::test
