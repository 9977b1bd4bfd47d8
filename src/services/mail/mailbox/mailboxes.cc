// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/mailbox/mailboxes.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "services/mail/queue/queue_file.h"

namespace postern::mail {
namespace {

bool is_unfit(char c) {
  return c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

// A leading '.' is that of a folder, and of "..".
bool is_user(std::string_view name) {
  return !name.empty() && name.size() <= kMailboxNameMax && name.front() != '.' &&
         std::none_of(name.begin(), name.end(), is_unfit);
}

// ".Lists.DPDK" of "Lists/DPDK": a dot within a name would be another level.
std::string folder_name(std::string_view folder) {
  std::string name;
  while (!folder.empty() && name.size() < kMailboxNameMax) {
    const std::string_view part = folder.substr(0, folder.find('/'));
    folder.remove_prefix(std::min(part.size() + 1, folder.size()));
    if (part.empty()) continue;
    name += '.';
    for (const char c : part)
      name += is_unfit(c) || c == '.' ? '_' : c;
  }
  size_t length = std::min(name.size(), kMailboxNameMax);
  // Not in the middle of a letter.
  while (length < name.size() && length > 0 && (static_cast<uint8_t>(name[length]) & 0xC0) == 0x80)
    --length;
  name.resize(length);
  return name;
}

}  // namespace

Result<Mailboxes> Mailboxes::open(const std::string& root) {
  if (mkdir(root.c_str(), S_IRWXU) == 0) {
    const size_t slash = root.rfind('/');
    const std::string above = slash == std::string::npos ? "." : root.substr(0, slash + 1);
    if (auto synced = sync_folder(above); !synced) return synced.error();
  } else if (errno != EEXIST) {
    return Error{ErrorCode::failed, root + ": " + std::strerror(errno)};
  }
  return Mailboxes(root);
}

Result<std::string> Mailboxes::path_of(std::string_view user, std::string_view folder) const {
  if (!is_user(user))
    return Error{ErrorCode::invalid, "no mailbox can have the name \"" + std::string(user) + "\""};
  const std::string name = folder_name(folder);
  std::string path = root_ + "/" + std::string(user);
  if (!name.empty()) path += "/" + name;
  return path;
}

Result<Maildir> Mailboxes::mailbox(std::string_view user, std::string_view folder) const {
  const auto path = path_of(user, folder);
  if (!path) return path.error();
  return Maildir::open(root_, *path);
}

}  // namespace postern::mail
