// SPDX-License-Identifier: BSD-3-Clause
// DropReason: why a packet did not cross. Its list is drop_reasons.def.
#pragma once

#include <cstdint>

namespace postern {

enum class DropReason : uint8_t {
  none,  // not dropped
#define POSTERN_DROP(name, source, help) name,
#include "dataplane/packet/drop_reasons.def"
#undef POSTERN_DROP
  count_
};

constexpr unsigned kDropReasons = static_cast<unsigned>(DropReason::count_);

// The word for counters, logs and scripts ("no_mapping"); static storage.
const char* to_word(DropReason reason);
// One sentence for people, and the clause it comes from; static storage.
const char* help_of(DropReason reason);
const char* source_of(DropReason reason);
// The reason of a word, or DropReason::none.
DropReason drop_reason_from(const char* word);

}  // namespace postern
