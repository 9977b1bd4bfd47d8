// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/packet/drop_reason.h"

#include <cstring>

namespace postern {
namespace {

struct Entry {
  const char* word;
  const char* source;
  const char* help;
};

constexpr Entry kEntries[] = {
    {"none", "", "not dropped"},
#define POSTERN_DROP(name, source, help) {#name, source, help},
#include "dataplane/packet/drop_reasons.def"
#undef POSTERN_DROP
};
static_assert(sizeof kEntries / sizeof kEntries[0] == kDropReasons);

const Entry& entry_of(DropReason reason) {
  auto index = static_cast<unsigned>(reason);
  return kEntries[index < kDropReasons ? index : 0];
}

}  // namespace

const char* to_word(DropReason reason) {
  return entry_of(reason).word;
}
const char* help_of(DropReason reason) {
  return entry_of(reason).help;
}
const char* source_of(DropReason reason) {
  return entry_of(reason).source;
}

DropReason drop_reason_from(const char* word) {
  for (unsigned i = 1; i < kDropReasons; ++i) {
    if (std::strcmp(kEntries[i].word, word) == 0) return static_cast<DropReason>(i);
  }
  return DropReason::none;
}

}  // namespace postern
