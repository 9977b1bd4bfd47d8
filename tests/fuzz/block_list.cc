// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a block list: each line gives names that are well formed and that the set made of
// them finds, or is refused with a reason.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "services/dns/block/line.h"
#include "services/dns/block/name_set.h"

namespace dns = postern::dns;

namespace {

class Names : public dns::NameSink {
 public:
  explicit Names(const dns::NameSetKey& key) : builder(key, 10'000) {}

  void take(const dns::ListedName& name) override {
    size_t at = 0;
    while (name.wire[at] != 0) {
      POSTERN_ASSERT(name.wire[at] <= 63);
      at += name.wire[at] + 1u;
      POSTERN_ASSERT(at < name.wire.size());
    }
    POSTERN_ASSERT(at + 1 == name.wire.size() && at > 0);
    if (builder.add(name.wire, name.with_subdomains, 1)) {
      names.emplace_back(name.wire.begin(), name.wire.end());
    }
  }

  dns::NameSetBuilder builder;
  std::vector<std::vector<uint8_t>> names;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  Names names(dns::NameSetKey{1, 2, 3});
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    dns::parse_block_line(text.substr(0, end), names);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const dns::NameSet set = std::move(names.builder).build();
  for (const auto& name : names.names)
    POSTERN_ASSERT(set.find(name) == 1);
  set.find({data, size});
  return 0;
}
