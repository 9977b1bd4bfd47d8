// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any octets as the answer of a log-in page, and as the page itself. Read in one piece
// or in many they come to the same, within the bounds; what is shown of a page is printable.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "cli/login/answer.h"
#include "cli/login/page.h"

using namespace postern::cli;

namespace {

bool is_printable(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7F; });
}

void read(std::string_view html) {
  const Page page = read_page(html);
  POSTERN_ASSERT(is_printable(page.trouble + page.user + page.address));
  POSTERN_ASSERT(page.trouble.size() <= 200 && page.user.size() <= 63);
  POSTERN_ASSERT(page.kind == Page::Kind::other || page.token.size() == 32);
  POSTERN_ASSERT(page.left_s >= -1 && page.idle_s >= 0 && page.refresh_s >= 0);
  const int64_t pause_s = keep_alive_s(page);
  POSTERN_ASSERT(pause_s >= 1 && pause_s <= 60);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(data, data + size);
  AnswerReader whole, pieces;
  const auto state = whole.feed(text);
  auto other = AnswerReader::State::more;
  for (size_t at = 0; at < text.size(); at += 7)
    other = pieces.feed(std::string_view(text).substr(at, 7));
  POSTERN_ASSERT(whole.answer().body.size() <= kAnswerBodyMax);
  if (state == AnswerReader::State::done) {
    POSTERN_ASSERT(other == state);
    POSTERN_ASSERT(whole.answer().status >= 200 && whole.answer().status < 1000);
    POSTERN_ASSERT(whole.answer().body == pieces.answer().body);
    POSTERN_ASSERT(whole.answer().cookies == pieces.answer().cookies);
    const std::string cookie = cookie_in(whole.answer().cookies, kLoginCookie);
    POSTERN_ASSERT(cookie.empty() || is_cookie(cookie));
    read(whole.answer().body);
  }
  read(text);
  const std::string form = encode_form({{"password", text}});
  POSTERN_ASSERT(form.find_first_of(" \r\n\x1b") == std::string::npos);
  return 0;
}
