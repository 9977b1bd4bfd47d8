// SPDX-License-Identifier: BSD-3-Clause
// What an administrator takes out of the cache: one URL, or all that a pattern matches. Done when
// all of it is gone for good (Store::remove). Thread: control.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "services/http/store/store.h"

namespace postern {

// URLs that were removed.
using Purged = std::function<void(const Result<uint64_t>& removed)>;

// The key under which a URL is kept; an error: it is none that may be kept.
Result<std::string> cache_key_of(const std::string& url);

// With a '*' it is a pattern (base/glob.h), which walks over all of the file and may take minutes;
// else a URL. `done` is called once, unless the store ends before.
void purge(http::Store& store, const std::string& url_or_pattern, const Purged& done);

}  // namespace postern
