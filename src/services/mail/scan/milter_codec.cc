// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/scan/milter_codec.h"

#include "base/assert.h"

namespace postern::mail {
namespace {

constexpr size_t kNumber = 4;

void append_number(std::string& out, uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(number >> shift & 0xff);
}

uint32_t number_at(std::string_view octets) {
  uint32_t number = 0;
  for (size_t i = 0; i < kNumber; ++i)
    number = number << 8 | static_cast<uint8_t>(octets[i]);
  return number;
}

}  // namespace

void append_packet(std::string& out, char command, std::string_view data) {
  POSTERN_ASSERT(data.size() <= kMilterDataMax);
  append_number(out, static_cast<uint32_t>(data.size() + 1));
  out += command;
  out += data;
}

void append_options(std::string& out, const MilterOptions& options) {
  std::string data;
  append_number(data, options.version);
  append_number(data, options.changes);
  append_number(data, options.steps);
  append_packet(out, milter_command::kOptions, data);
}

std::optional<MilterOptions> parse_options(std::string_view data) {
  if (data.size() < 3 * kNumber) return {};
  MilterOptions options;
  options.version = number_at(data);
  options.changes = number_at(data.substr(kNumber));
  options.steps = number_at(data.substr(2 * kNumber));
  return options;
}

void MilterReader::take(std::string_view octets) {
  if (is_broken_) return;
  held_.erase(0, at_);
  at_ = 0;
  held_ += octets;
}

std::optional<MilterPacket> MilterReader::next() {
  const std::string_view rest = std::string_view(held_).substr(at_);
  if (is_broken_ || rest.size() < kNumber) return {};
  const uint32_t length = number_at(rest);
  if (length == 0 || length > kMilterPacketMax) {
    is_broken_ = true;
    return {};
  }
  if (rest.size() - kNumber < length) return {};
  at_ += kNumber + length;
  return MilterPacket{rest[kNumber], rest.substr(kNumber + 1, length - 1)};
}

std::optional<std::string_view> take_string(std::string_view& data) {
  const size_t nul = data.find('\0');
  if (nul == std::string_view::npos) return {};
  const std::string_view text = data.substr(0, nul);
  data.remove_prefix(nul + 1);
  return text;
}

std::optional<uint32_t> take_number(std::string_view& data) {
  if (data.size() < kNumber) return {};
  const uint32_t number = number_at(data);
  data.remove_prefix(kNumber);
  return number;
}

}  // namespace postern::mail
