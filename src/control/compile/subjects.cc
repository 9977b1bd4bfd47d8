// SPDX-License-Identifier: BSD-3-Clause
#include "control/compile/subjects.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "control/config/user_items.h"

namespace postern {
namespace {

SubjectId number_of(std::string_view kind, std::string_view name) {
  std::string text(kind);
  text += name;
  std::array<unsigned char, crypto_generichash_BYTES_MIN> digest = {};
  const void* bytes = text.data();
  crypto_generichash(digest.data(), digest.size(), static_cast<const unsigned char*>(bytes),
                     text.size(), nullptr, 0);
  SubjectId number = 0;
  std::memcpy(&number, digest.data(), sizeof number);
  return std::max<SubjectId>(number, 1);
}

}  // namespace

SubjectId user_number(std::string_view name) {
  return number_of("user:", name);
}

SubjectId group_number(std::string_view name) {
  return number_of("group:", name);
}

UserSet user_set_of(const std::vector<std::string>& items) {
  UserSet set;
  set.all = items.empty();
  for (const std::string& text : items) {
    const auto item = config::parse_user_item(text);
    if (!item) continue;
    switch (item->kind) {
      case config::UserItem::Kind::any:
        set.anybody = true;
        break;
      case config::UserItem::Kind::user:
        set.subjects.push_back(user_number(item->name));
        break;
      case config::UserItem::Kind::group:
        set.subjects.push_back(group_number(item->name));
        break;
    }
  }
  std::sort(set.subjects.begin(), set.subjects.end());
  return set;
}

}  // namespace postern
