// SPDX-License-Identifier: BSD-3-Clause
// The account file: what is read is written and read the same, and fits or does not fit together
// without harm.
#include "control/accounts/account_file.h"

#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace postern;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto accounts = accounts::parse_account_file(text);
  if (!accounts) return 0;
  auto again = accounts::parse_account_file(accounts::account_file_text(*accounts));
  POSTERN_ASSERT(again.has_value());
  POSTERN_ASSERT(*again == *accounts);
  (void)accounts::check_together({}, *accounts).has_value();
  return 0;
}
