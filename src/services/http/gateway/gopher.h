// SPDX-License-Identifier: BSD-3-Clause
// What a gopher URL asks for (RFC 4266), and what comes back (RFC 1436):
//
//   gopher://host/0docs/a.txt         item type 0, selector "docs/a.txt"
//   gopher://host/7find%09two words   a search; also .../7find?q=two+words, as a form sends it
//   gopher://host                     the menu of the server
//
// Thread: any. Bounds: kSelectorMax octets are sent; GopherMenu has those of a listing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::http {

struct GopherPath {
  static constexpr size_t kSelectorMax = 2048;
  char type = '1';
  std::string selector;               // decoded; no control octets but tabs
  std::optional<std::string> search;  // of type 7

  bool is_menu() const { return type == '1' || (type == '7' && search); }
  bool wants_form() const { return type == '7' && !search; }
  // What is sent, CRLF included.
  std::string line() const;
};

// `path`: of the URL, with its query, percent-encoded. Nothing: it cannot be asked for.
std::optional<GopherPath> parse_gopher_path(std::string_view path);

// Whether what that item type stands for comes as octets; CSO (2) and Telnet (8, T) do not.
bool is_fetched(char type);

// For all but menus.
std::string_view gopher_content_type(const GopherPath& path);

// One line of a menu. Views of the line.
struct GopherItem {
  char type = 0;  // 0: the line is none
  std::string_view display;
  std::string_view selector;
  std::string_view host;  // a name or address; empty: there is none, or none that is one
  uint16_t port = 0;
};
GopherItem parse_gopher_line(std::string_view line);

// A menu made into a page, line by line, up to the line "." or the end.
class GopherMenu {
 public:
  static constexpr size_t kLineMax = 4096;
  static constexpr size_t kEntriesMax = 50000;
  static constexpr uint64_t kOctetsMax = uint64_t{16} << 20;

  static void begin(std::string& out, std::string_view title);
  void feed(std::string_view octets, std::string& out);
  void end(std::string& out);

 private:
  void take_line(std::string& out);
  static void append_item(std::string& out, const GopherItem& item);

  std::string line_;
  bool is_long_ = false;
  bool is_over_ = false;
  bool is_cut_ = false;
  size_t entries_ = 0;
  uint64_t octets_ = 0;
};

// The page that asks for the words of a search.
std::string gopher_form(std::string_view title);

// A text as it is meant: without the line "." at its end, and without the second dot that lines
// have which begin with one (RFC 1436 section 3.1).
class GopherText {
 public:
  // Appends to `out` what is certain; a dot that stands alone at the end closes the text as well.
  void feed(std::string_view octets, std::string& out);

 private:
  enum class State : uint8_t { begin, dot, dot_cr, line };
  State state_ = State::begin;  // of the line
  bool is_over_ = false;
};

}  // namespace postern::http
