// SPDX-License-Identifier: BSD-3-Clause
// Folders that are made are there after a loss of power: the names of them are synced, too.
#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "unit/mail/queue/queue_bed.h"

namespace {

std::mutex mutex;                   // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
std::vector<std::string>* watcher;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

// In place of the C library's, which it calls.
extern "C" int fsync(int fd) {
  {
    const std::lock_guard lock(mutex);
    std::error_code ignored;
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    if (watcher != nullptr)
      watcher->push_back(std::filesystem::read_symlink(link, ignored).string());
  }
  static const auto original = reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, "fsync"));
  return original(fd);
}

namespace postern::mail {

TEST_CASE("mail/queue: the folders' names are on the disk before the first message") {
  const std::string root = std::filesystem::canonical(test::temporary_folder());
  std::vector<std::string> synced;
  {
    const std::lock_guard lock(mutex);
    watcher = &synced;
  }
  const bool is_open = QueueFile::open(root + "/queue").has_value();
  {
    const std::lock_guard lock(mutex);
    watcher = nullptr;
  }
  std::error_code ignored;
  std::filesystem::remove_all(root, ignored);
  REQUIRE(is_open);
  CHECK(std::count(synced.begin(), synced.end(), root) >= 1);
  CHECK(std::count(synced.begin(), synced.end(), root + "/queue") >= 1);
}

}  // namespace postern::mail
