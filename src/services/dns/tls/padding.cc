// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/tls/padding.h"

#include <optional>

#include "services/dns/message.h"

namespace postern::dns {
namespace {

constexpr size_t kFixedBytes = 10;  // of a record behind its name
constexpr uint16_t kPaddingOption = 12;

struct Opt {
  size_t length_at = 0;  // of its data's length
  size_t data = 0;
};

// The OPT record, where it is the last thing in the message.
std::optional<Opt> find_opt(Bytes octets) {
  if (octets.size() < kHeaderBytes) return std::nullopt;
  std::optional<size_t> at = kHeaderBytes;
  for (unsigned i = get16(octets, 4); i > 0 && at; --i) {
    at = skip_name(octets, *at);
    if (at) *at += 4;
  }
  const unsigned records = get16(octets, 6) + get16(octets, 8) + get16(octets, 10);
  for (unsigned i = 0; i < records && at; ++i) {
    const bool is_root = *at < octets.size() && octets[*at] == 0;
    at = skip_name(octets, *at);
    if (!at || *at + kFixedBytes > octets.size()) return std::nullopt;
    const Opt opt{*at + 8, *at + kFixedBytes};
    const bool is_opt = is_root && get16(octets, *at) == type::opt;
    at = opt.data + get16(octets, opt.length_at);
    if (is_opt && i + 1 == records && *at == octets.size()) return opt;
  }
  return std::nullopt;
}

// Options that can be read to their end, and none of them padding.
bool has_room_for_padding(Bytes data) {
  while (data.size() >= 4) {
    const size_t length = 4u + get16(data, 2);
    if (get16(data, 0) == kPaddingOption || length > data.size()) return false;
    data = data.subspan(length);
  }
  return data.empty();
}

}  // namespace

bool pad_query(std::vector<uint8_t>& message, size_t block) {
  const auto opt = find_opt(message);
  if (!opt || !has_room_for_padding(Bytes(message).subspan(opt->data))) return false;
  const size_t bare = message.size() + 4;
  const size_t padding = (block - bare % block) % block;
  const size_t data_bytes = bare + padding - opt->data;
  if (bare + padding > 65535) return false;
  message[opt->length_at] = static_cast<uint8_t>(data_bytes >> 8);
  message[opt->length_at + 1] = static_cast<uint8_t>(data_bytes);
  message.push_back(0);
  message.push_back(kPaddingOption);
  message.push_back(static_cast<uint8_t>(padding >> 8));
  message.push_back(static_cast<uint8_t>(padding));
  message.resize(bare + padding, 0);
  return true;
}

}  // namespace postern::dns
