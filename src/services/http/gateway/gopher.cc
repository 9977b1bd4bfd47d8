// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/gateway/gopher.h"

#include <algorithm>

#include "services/http/gateway/content_type.h"
#include "services/http/gateway/text.h"
#include "services/http/message/octets.h"
#include "services/http/message/url.h"

namespace postern::http {
namespace {

constexpr uint16_t kGopherPort = 70;
constexpr char kTab = '\t';

// Nothing that would be a line of its own at the server.
bool is_sendable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char octet) {
    return static_cast<unsigned char>(octet) >= 0x20 && octet != 0x7f;
  });
}

std::string_view next_field(std::string_view& line) {
  const size_t end = std::min(line.find(kTab), line.size());
  const std::string_view field = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return field;
}

// A query as a form sends it: the words behind the first '='.
std::optional<std::string> words_of(std::string_view query) {
  const size_t equals = query.find('=');
  if (equals != std::string_view::npos) query.remove_prefix(equals + 1);
  return form_decoded(query.substr(0, query.find('&')));
}

std::string_view mark_of(char type) {
  switch (type) {
    case '0':
      return "text";
    case '1':
      return "menu";
    case '7':
      return "search";
    case 'g':
    case 'I':
      return "image";
    case 's':
      return "sound";
    case 'h':
      return "page";
    default:
      return "file";
  }
}

}  // namespace

std::string GopherPath::line() const {
  std::string line = selector;
  if (search) line.append(1, kTab).append(*search);
  return line + "\r\n";
}

std::optional<GopherPath> parse_gopher_path(std::string_view path) {
  GopherPath parsed;
  if (path.starts_with('/')) path.remove_prefix(1);
  std::optional<std::string> search;
  const bool is_search = path.starts_with('7');
  if (const size_t mark = path.find('?'); is_search && mark != std::string_view::npos) {
    search = words_of(path.substr(mark + 1));
    if (!search) return std::nullopt;
    path = path.substr(0, mark);
  }
  const std::optional<std::string> decoded = percent_decoded(path);
  if (!decoded) return std::nullopt;
  std::string_view rest = *decoded;
  if (!rest.empty()) {
    parsed.type = rest.front();
    rest.remove_prefix(1);
  }
  const size_t tab = std::min(rest.find(kTab), rest.size());
  parsed.selector = rest.substr(0, tab);
  rest.remove_prefix(std::min(tab + 1, rest.size()));
  if (!rest.empty()) search = std::string(rest);
  if (search && is_search) parsed.search = std::move(search);
  const bool is_sound = is_of(parsed.type, kTokenOctet) && is_sendable(parsed.selector) &&
                        is_sendable(parsed.search.value_or("")) && (is_search || rest.empty());
  if (!is_sound || parsed.line().size() > GopherPath::kSelectorMax) return std::nullopt;
  return parsed;
}

bool is_fetched(char type) {
  return type != '2' && type != '8' && type != 'T' && type != '3' && type != 'i';
}

std::string_view gopher_content_type(const GopherPath& path) {
  switch (path.type) {
    case '0':
      return "text/plain";
    case 'g':
      return "image/gif";
    case 'h':
      return "text/html";
    case '4':
      return "application/mac-binhex40";
    default:
      return content_type_of(path.selector);
  }
}

GopherItem parse_gopher_line(std::string_view line) {
  GopherItem item;
  if (line.empty() || !is_of(line[0], kTokenOctet)) return item;
  item.type = line[0];
  line.remove_prefix(1);
  item.display = next_field(line);
  item.selector = next_field(line);
  const std::string_view host = next_field(line);
  const std::string_view port = next_field(line);
  const std::string place = std::string(host).append(":").append(port.empty() ? "70" : port);
  const std::optional<Authority> authority = parse_authority(place);
  if (!authority || authority->port == 0 || authority->host.size() != host.size()) return item;
  item.host = host;
  item.port = authority->port;
  return item;
}

void GopherMenu::begin(std::string& out, std::string_view title) {
  out += "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>";
  append_html(out, title);
  out += "</title></head>\n<body>\n<h1>";
  append_html(out, title);
  out += "</h1>\n<pre>\n";
}

void GopherMenu::append_item(std::string& out, const GopherItem& item) {
  constexpr std::string_view kUrl = "URL:";
  const bool is_page = item.selector.starts_with(kUrl);
  const std::string_view url = is_page ? item.selector.substr(kUrl.size()) : std::string_view();
  // Only what leads somewhere, and never what runs in the page.
  const bool is_web = url.starts_with("http://") || url.starts_with("https://") ||
                      url.starts_with("ftp://") || url.starts_with("gopher://");
  if (item.type == 'i' || item.type == '3' || (is_page && !is_web) ||
      (!is_page && (item.host.empty() || !is_fetched(item.type)))) {
    append_html(out.append(9, ' '), item.display);
    out += '\n';
    return;
  }
  const std::string_view mark = mark_of(item.type);
  out.append("[").append(mark).append("]").append(7 - mark.size(), ' ').append("<a href=\"");
  if (is_page) {
    append_html(out, url);
  } else {
    Authority authority;
    authority.host = item.host;
    authority.port = item.port;
    out += "gopher://";
    append_authority(out, authority, kGopherPort);
    out += '/';
    append_encoded_part(out, std::string_view(&item.type, 1));
    append_encoded_part(out, item.selector);
  }
  out += "\">";
  append_html(out, item.display);
  out += "</a>\n";
}

void GopherMenu::feed(std::string_view octets, std::string& out) {
  octets_ += octets.size();
  is_cut_ = is_cut_ || octets_ > kOctetsMax;
  while (!octets.empty() && !is_over_ && !is_cut_) {
    const size_t end = octets.find('\n');
    const std::string_view piece = octets.substr(0, end);
    is_long_ = is_long_ || line_.size() + piece.size() > kLineMax;
    if (!is_long_) line_ += piece;
    if (end == std::string_view::npos) return;
    octets.remove_prefix(end + 1);
    take_line(out);
  }
}

void GopherMenu::take_line(std::string& out) {
  if (line_.ends_with('\r')) line_.pop_back();
  is_over_ = line_ == "." && !is_long_;
  is_cut_ = ++entries_ > kEntriesMax;
  if (!is_over_ && !is_long_ && !is_cut_) {
    const GopherItem item = parse_gopher_line(line_);
    if (item.type != 0) append_item(out, item);
  }
  is_long_ = false;
  line_.clear();
}

void GopherMenu::end(std::string& out) {
  if (!line_.empty() && !is_over_ && !is_cut_) take_line(out);
  out += "</pre>\n";
  if (is_cut_) out += "<p>There is more; the menu is too long to be shown whole.</p>\n";
  out += "</body>\n</html>\n";
}

std::string gopher_form(std::string_view title) {
  std::string out;
  GopherMenu::begin(out, title);
  out +=
      "</pre>\n<form method=\"get\"><input name=\"q\" autofocus> <button>Search</button></form>\n"
      "</body>\n</html>\n";
  return out;
}

void GopherText::feed(std::string_view octets, std::string& out) {
  for (const char octet : octets) {
    if (is_over_) return;
    switch (state_) {
      case State::begin:
        if (octet == '.') {
          state_ = State::dot;
          continue;
        }
        break;
      case State::dot:
        if (octet == '\r') {
          state_ = State::dot_cr;
          continue;
        }
        is_over_ = octet == '\n';
        if (is_over_) return;
        out += '.';
        if (octet == '.') {  // the second one
          state_ = State::line;
          continue;
        }
        break;
      case State::dot_cr:
        is_over_ = octet == '\n';
        if (is_over_) return;
        out += ".\r";
        break;
      case State::line:
        break;
    }
    out += octet;
    state_ = octet == '\n' ? State::begin : State::line;
  }
}

}  // namespace postern::http
