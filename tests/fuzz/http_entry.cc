// SPDX-License-Identifier: BSD-3-Clause
// Any octets as what the store has of a response: what is read is written as it was.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "services/http/proxy/entry.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const auto entry = postern::http::parse_entry(octets);
  if (!entry) return 0;
  static_cast<void>(postern::http::parse_entry_fields(*entry));
  const std::string written = postern::http::encode_entry(*entry);
  const auto again = postern::http::parse_entry(written);
  POSTERN_ASSERT(again && again->kind == entry->kind && again->facts == entry->facts);
  POSTERN_ASSERT(again->vary_names == entry->vary_names);
  POSTERN_ASSERT(again->field_lines == entry->field_lines);
  return 0;
}
