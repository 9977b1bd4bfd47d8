// SPDX-License-Identifier: BSD-3-Clause
// The pages as HTML: plain, in one language, readable without a style sheet, without scripts.
// Whatever comes from outside is escaped here. `postern login` reads them, too: tokens, the classes
// and ids of elements, and the targets of forms are part of what programs may rely on. Pure;
// thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::portal {

struct FormPage {
  std::string_view token;
  std::string_view user;     // to begin with; may be empty
  std::string_view trouble;  // why it is shown again; may be empty
};
std::string html(const FormPage& page);

struct StatePage {
  std::string_view token;
  std::string_view user;
  std::string_view address;
  int64_t since_s = 0;    // by the calendar
  int64_t left_s = -1;    // until the longest time is over; -1: it never is
  int64_t idle_s = 0;     // of quiet after which it ends; 0: it does not
  int64_t refresh_s = 0;  // the page asks for itself so often; 0: not
};
std::string html(const StatePage& page);

// One line for what is no page.
std::string html(std::string_view title, std::string_view text);

std::string_view style_sheet();

// "1 h 5 min", "20 min", "45 s".
std::string duration_text(int64_t seconds);

}  // namespace postern::portal
