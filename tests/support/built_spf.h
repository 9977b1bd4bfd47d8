// SPDX-License-Identifier: BSD-3-Clause
// The program postern-spf of this build, which is not beside the tests that need it.
#pragma once

#include <string>

namespace postern::test {

std::string built_spf();  // its path

}  // namespace postern::test
