// SPDX-License-Identifier: BSD-3-Clause
// Rebuild: from a file to an Engine: is it ours, of our version, as long as it should be, and all
// on the disk; then the index, from the summaries of the segments in the order in which they were
// written. A segment that has none is walked and gets one.
//
// Thread: one, before the store is used.
#pragma once

#include <memory>

#include "base/result.h"
#include "services/http/store/engine.h"

namespace postern::http {

// A fresh superblock for a file of `options.octets`, with new keys.
Result<Superblock> new_superblock(const StoreOptions& options);
// Writes it into a file that holds nothing of ours.
Result<void> write_new(File& file, Superblock superblock);
// Both copies lie at the start; the newer whole one. The error says what is wrong with the file.
Result<Superblock> check_file(File& file, const StoreOptions& options);
// The engine with its index.
Result<std::unique_ptr<Engine>> rebuild(const StoreOptions& options, std::unique_ptr<File> file);

}  // namespace postern::http
