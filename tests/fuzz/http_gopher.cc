// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: a line with the path of a gopher URL, then a menu, which is a text as well. What is
// sent is one line, nothing of a menu is markup in the page, links lead to http, https, ftp and
// gopher alone, and pieces make the same as the whole.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "services/http/gateway/gopher.h"

namespace http = postern::http;

namespace {

template <typename Maker>
std::string made_of(Maker& maker, std::string_view octets, size_t piece) {
  std::string out;
  for (; !octets.empty(); octets.remove_prefix(std::min(piece, octets.size())))
    maker.feed(octets.substr(0, piece), out);
  return out;
}

std::string page_of(std::string_view octets, size_t piece) {
  http::GopherMenu menu;
  std::string out = made_of(menu, octets, piece);
  menu.end(out);
  return out;
}

std::string text_of(std::string_view octets, size_t piece) {
  http::GopherText text;
  return made_of(text, octets, piece);
}

void demand_plain(std::string_view page) {
  for (size_t at = page.find('<'); at != std::string_view::npos; at = page.find('<', at + 1)) {
    const std::string_view tag = page.substr(at);
    const bool is_link =
        tag.starts_with("<a href=\"http://") || tag.starts_with("<a href=\"https://") ||
        tag.starts_with("<a href=\"ftp://") || tag.starts_with("<a href=\"gopher://");
    POSTERN_ASSERT(is_link || tag.starts_with("</a>") || tag.starts_with("</pre>") ||
                   tag.starts_with("<p>There is more") || tag.starts_with("</p>") ||
                   tag.starts_with("</body>") || tag.starts_with("</html>"));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(text.find('\n'), text.size());
  if (const auto path = http::parse_gopher_path(text.substr(0, end))) {
    const std::string line = path->line();
    POSTERN_ASSERT(line.size() <= http::GopherPath::kSelectorMax && line.ends_with("\r\n"));
    POSTERN_ASSERT(line.find_first_of(std::string_view("\r\n\0", 3)) == line.size() - 2);
    POSTERN_ASSERT(std::count(line.begin(), line.end(), '\t') == (path->search ? 1 : 0));
    POSTERN_ASSERT(!http::gopher_content_type(*path).empty());
  }
  text.remove_prefix(std::min(end + 1, text.size()));
  const std::string page = page_of(text, SIZE_MAX);
  demand_plain(page);
  POSTERN_ASSERT(page == page_of(text, 5));
  const std::string plain = text_of(text, SIZE_MAX);
  POSTERN_ASSERT(plain.size() <= text.size());
  POSTERN_ASSERT(plain == text_of(text, 5));
  return 0;
}
