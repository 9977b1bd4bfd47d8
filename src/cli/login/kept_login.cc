// SPDX-License-Identifier: BSD-3-Clause
#include "cli/login/kept_login.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "cli/login/page.h"
#include "control/remote/channel/keys.h"
#include "control/text_file.h"

namespace postern::cli {
namespace {

// A directory that nobody else looks into, no link to one.
bool is_own_directory(const std::string& path) {
  struct stat found = {};
  return lstat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == geteuid() &&
         (found.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

}  // namespace

Result<std::string> kept_login_path(const PageAddress& page) {
  const char* set = std::getenv("XDG_RUNTIME_DIR");
  const std::string base =
      set != nullptr && set[0] == '/' ? std::string(set) : "/run/user/" + std::to_string(geteuid());
  if (!is_own_directory(base)) {
    return Error{ErrorCode::failed, base +
                                        " is no directory of this user alone; the log-in is "
                                        "kept below XDG_RUNTIME_DIR, which is to be one"};
  }
  const std::string directory = base + "/postern";
  if (mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return Error{ErrorCode::failed, directory + ": " + std::strerror(errno)};
  }
  if (!is_own_directory(directory)) {
    return Error{ErrorCode::failed, directory + " is no directory of this user alone"};
  }
  return directory + "/login-" + page.key();
}

Result<void> keep_login(const std::string& path, const std::string& cookie) {
  std::string line = cookie + "\n";
  auto written = write_text_file(path, line, S_IRUSR | S_IWUSR);
  remote::wipe(line);
  return written;
}

Result<std::string> find_kept_login(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
    return Error{ErrorCode::not_found, "no log-in by --once is kept"};
  }
  auto text = read_text_file(path);
  if (!text) return text;
  std::string cookie = text->substr(0, text->find('\n'));
  remote::wipe(*text);
  if (is_cookie(cookie)) return cookie;
  return Error{ErrorCode::failed, path + " holds no log-in"};
}

void forget_login(const std::string& path) {
  unlink(path.c_str());
}

}  // namespace postern::cli
