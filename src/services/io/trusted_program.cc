// SPDX-License-Identifier: BSD-3-Clause
#include "services/io/trusted_program.h"

#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

namespace postern::io {
namespace {

enum class Part { program, its_directory, above };

Error system_error(const std::string& path) {
  return {errno == ENOENT ? ErrorCode::not_found : ErrorCode::denied,
          path + ": " + std::strerror(errno)};
}

Result<void> check_part(const std::string& path, Part part, uid_t runner) {
  struct stat facts = {};
  if (stat(path.c_str(), &facts) != 0) return system_error(path);
  if (facts.st_uid != 0 && facts.st_uid != runner) {
    return Error{ErrorCode::denied, path + " does not belong to root"};
  }
  const bool is_shared = part == Part::above && (facts.st_mode & S_ISVTX) != 0;
  if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !is_shared) {
    return Error{ErrorCode::denied, path + " can be written by others than root"};
  }
  if (part != Part::program) return {};
  if (!S_ISREG(facts.st_mode)) return Error{ErrorCode::denied, path + " is no file"};
  if ((facts.st_mode & S_IXUSR) != 0) return {};
  return Error{ErrorCode::denied, path + " is not executable"};
}

// The program, its directory, the one above that and so on up to the root.
Result<void> check_parts(const std::string& path, uid_t runner) {
  if (auto sound = check_part(path, Part::program, runner); !sound) return sound;
  Part part = Part::its_directory;
  for (size_t end = path.rfind('/'); end != std::string::npos && end != 0;
       end = path.rfind('/', end - 1)) {
    if (auto sound = check_part(path.substr(0, end), part, runner); !sound) return sound;
    part = Part::above;
  }
  return check_part("/", part, runner);
}

}  // namespace

Result<void> trusted_program(const std::string& path, uid_t runner) {
  char resolved[PATH_MAX];
  if (realpath(path.c_str(), resolved) == nullptr) return system_error(path);
  if (auto sound = check_parts(path, runner); !sound || path == resolved) return sound;
  return check_parts(resolved, runner);
}

}  // namespace postern::io
