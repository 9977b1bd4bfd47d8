// SPDX-License-Identifier: BSD-3-Clause
// Accounts of other systems: the first byte chooses the format, a NUL ends the shadow file.
// Whatever is taken is fit for the account file.
#include "base/assert.h"
#include "control/accounts/account_file.h"
#include "control/accounts/import.h"
#include "control/config/account_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace postern;
  if (size == 0) return 0;
  auto format = static_cast<accounts::ImportFormat>(data[0] % 4);
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string_view shadow;
  if (size_t end = text.find('\0'); end != std::string_view::npos) {
    shadow = text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  accounts::Import import = accounts::read_import(format, text, shadow, {});
  POSTERN_ASSERT(import.bad.size() <= accounts::Import::kBadMax);
  for (const accounts::ImportedUser& found : import.users) {
    POSTERN_ASSERT(accounts::fault_of(found.user).empty());
    POSTERN_ASSERT(found.line > 0);
  }
  for (const std::string& group : import.groups)
    POSTERN_ASSERT(config::is_account_name(group));
  return 0;
}
