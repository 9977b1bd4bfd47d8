// SPDX-License-Identifier: BSD-3-Clause
// Lines of a listing, as FTP servers send them:
//
//   type=file;size=12;modify=20260131154500; a.txt              MLSD (RFC 3659 section 7)
//   -rw-r--r--   1 ftp ftp  12 Jan 31 15:45 a.txt               LIST as Unix has it
//   lrwxrwxrwx   1 ftp ftp   5 Jan 31  2025 b -> a.txt
//   01-31-26  03:45PM                12 a.txt                   LIST as DOS has it
//   01-31-26  03:45PM       <DIR>          docs
//
// LIST is meant for people (RFC 959 section 4.1.3): what is not understood is shown as it came.
// Bounds: the line is the caller's. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::http {

struct ListingEntry {
  enum class Kind : uint8_t {
    none,    // nothing to show: the folder itself, a sum
    file,    // or a link, or what else can be asked for
    folder,  // to be asked for with '/' behind it
    text,    // a line that is not understood
  };
  Kind kind = Kind::none;
  std::string_view name;  // of the line
  std::string_view link;  // where it leads to; empty: it is none, or the server does not say
  std::optional<uint64_t> octets;
  std::string date;  // for people; empty: not known
};

ListingEntry parse_mlsd_line(std::string_view line);
ListingEntry parse_list_line(std::string_view line);

}  // namespace postern::http
