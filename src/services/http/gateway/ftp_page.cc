// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/gateway/ftp_page.h"

#include <algorithm>

#include "services/http/gateway/text.h"

namespace postern::http {
namespace {

void append_link(std::string& out, const ListingEntry& entry) {
  const bool is_folder = entry.kind == ListingEntry::Kind::folder;
  out += "<a href=\"";
  append_encoded_part(out, entry.name);
  if (is_folder) out += '/';
  out += "\">";
  append_html(out, entry.name);
  if (is_folder) out += '/';
  out += "</a>";
  if (entry.link.empty()) return;
  out += " &rarr; ";
  append_html(out, entry.link);
}

void append_row(std::string& out, const ListingEntry& entry) {
  if (entry.kind == ListingEntry::Kind::none) return;
  if (entry.kind == ListingEntry::Kind::text) {
    out += "<tr><td colspan=\"3\"><code>";
    append_html(out, entry.name);
    out += "</code></td></tr>\n";
    return;
  }
  out += "<tr><td>";
  append_link(out, entry);
  out += "</td><td class=\"n\">";
  if (entry.octets) out += size_text(*entry.octets);
  out += "</td><td>";
  append_html(out, entry.date);
  out += "</td></tr>\n";
}

}  // namespace

void append_page_begin(std::string& out, std::string_view title) {
  out += "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>";
  append_html(out, title);
  out +=
      "</title>\n<style>td, th { padding: 0 1em 0 0; text-align: left } "
      "td.n { text-align: right }</style>\n</head>\n<body>\n<h1>";
  append_html(out, title);
  out += "</h1>\n";
}

void append_page_end(std::string& out) {
  out += "</body>\n</html>\n";
}

void FtpPage::begin(std::string& out, std::string_view title, bool has_parent) {
  append_page_begin(out, title);
  out += "<table>\n<tr><th>Name</th><th>Size</th><th>Date</th></tr>\n";
  if (has_parent) out += "<tr><td colspan=\"3\"><a href=\"../\">..</a></td></tr>\n";
}

void FtpPage::feed(std::string_view octets, std::string& out) {
  octets_ += octets.size();
  if (octets_ > kOctetsMax) is_cut_ = true;
  while (!octets.empty() && !is_cut_) {
    const size_t end = octets.find('\n');
    const std::string_view piece = octets.substr(0, end);
    if (line_.size() + piece.size() > kLineMax) is_long_ = true;
    if (!is_long_) line_ += piece;
    if (end == std::string_view::npos) return;
    octets.remove_prefix(end + 1);
    take_line(out);
  }
}

void FtpPage::take_line(std::string& out) {
  if (line_.ends_with('\r')) line_.pop_back();
  if (is_long_ || ++entries_ > kEntriesMax) {
    is_cut_ = is_cut_ || entries_ > kEntriesMax;
  } else {
    append_row(out, is_mlsd_ ? parse_mlsd_line(line_) : parse_list_line(line_));
  }
  is_long_ = false;
  line_.clear();
}

void FtpPage::end(std::string& out) {
  if (!line_.empty() && !is_cut_) take_line(out);
  out += "</table>\n";
  if (is_cut_) out += "<p>There is more; the list is too long to be shown whole.</p>\n";
  append_page_end(out);
}

}  // namespace postern::http
