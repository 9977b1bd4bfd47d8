// SPDX-License-Identifier: BSD-3-Clause
// The type of a file by its name, for protocols that do not tell it. Thread: any.
#pragma once

#include <string_view>

namespace postern::http {

// application/octet-stream where the suffix says nothing. Texts are named without a charset.
std::string_view content_type_of(std::string_view name);

}  // namespace postern::http
