// SPDX-License-Identifier: BSD-3-Clause
// FtpPage: a listing as it comes from the server, line by line, made into a page of HTML, as it
// goes: nothing is sorted and nothing waits. Links are relative: the URL of the page ends with '/'.
//
// Bounds: kLineMax octets of a line, kEntriesMax lines, kOctetsMax octets; what is beyond is not
// shown, and the page says so. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "services/http/gateway/ftp_listing.h"

namespace postern::http {

class FtpPage {
 public:
  static constexpr size_t kLineMax = 4096;
  static constexpr size_t kEntriesMax = 50000;
  static constexpr uint64_t kOctetsMax = uint64_t{16} << 20;

  explicit FtpPage(bool is_mlsd) : is_mlsd_(is_mlsd) {}

  // `title`: the URL, for people. `has_parent`: there is a folder above.
  static void begin(std::string& out, std::string_view title, bool has_parent);
  void feed(std::string_view octets, std::string& out);
  void end(std::string& out);

 private:
  void take_line(std::string& out);

  bool is_mlsd_;
  bool is_long_ = false;  // the line is
  bool is_cut_ = false;
  size_t entries_ = 0;
  uint64_t octets_ = 0;
  std::string line_;
};

// What all pages of gateways begin and end with.
void append_page_begin(std::string& out, std::string_view title);
void append_page_end(std::string& out);

}  // namespace postern::http
