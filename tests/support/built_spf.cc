// SPDX-License-Identifier: BSD-3-Clause
#include "support/built_spf.h"

namespace postern::test {

std::string built_spf() {
  return POSTERN_BUILT_SPF;
}

}  // namespace postern::test
