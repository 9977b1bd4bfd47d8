// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/gateway/content_type.h"

#include <algorithm>
#include <array>

#include "services/http/message/fields.h"

namespace postern::http {
namespace {

struct Suffix {
  std::string_view suffix;
  std::string_view type;
};

constexpr Suffix kSuffixes[] = {
    {"7z", "application/x-7z-compressed"},
    {"asc", "text/plain"},
    {"avi", "video/x-msvideo"},
    {"avif", "image/avif"},
    {"bmp", "image/bmp"},
    {"bz2", "application/x-bzip2"},
    {"c", "text/plain"},
    {"conf", "text/plain"},
    {"css", "text/css"},
    {"csv", "text/csv"},
    {"deb", "application/vnd.debian.binary-package"},
    {"diff", "text/plain"},
    {"doc", "application/msword"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"eps", "application/postscript"},
    {"epub", "application/epub+zip"},
    {"flac", "audio/flac"},
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"h", "text/plain"},
    {"htm", "text/html"},
    {"html", "text/html"},
    {"ico", "image/vnd.microsoft.icon"},
    {"iso", "application/octet-stream"},
    {"jar", "application/java-archive"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript"},
    {"json", "application/json"},
    {"log", "text/plain"},
    {"lst", "text/plain"},
    {"md", "text/markdown"},
    {"mid", "audio/midi"},
    {"mov", "video/quicktime"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"mpeg", "video/mpeg"},
    {"mpg", "video/mpeg"},
    {"odp", "application/vnd.oasis.opendocument.presentation"},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"ogg", "audio/ogg"},
    {"patch", "text/plain"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"ppt", "application/vnd.ms-powerpoint"},
    {"ps", "application/postscript"},
    {"rpm", "application/x-rpm"},
    {"rtf", "application/rtf"},
    {"sh", "text/plain"},
    {"sig", "application/pgp-signature"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"tex", "text/plain"},
    {"tgz", "application/gzip"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"txt", "text/plain"},
    {"wav", "audio/wav"},
    {"webm", "video/webm"},
    {"webp", "image/webp"},
    {"xls", "application/vnd.ms-excel"},
    {"xml", "application/xml"},
    {"xz", "application/x-xz"},
    {"zip", "application/zip"},
    {"zst", "application/zstd"},
};

// Names that are texts by custom and have no suffix.
constexpr std::array<std::string_view, 6> kTexts = {"readme",  "license", "copying",
                                                    "changes", "index",   "changelog"};

}  // namespace

std::string_view content_type_of(std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) {
    const bool is_text = std::any_of(kTexts.begin(), kTexts.end(), [name](std::string_view text) {
      return same_word(text, name);
    });
    return is_text ? "text/plain" : "application/octet-stream";
  }
  const std::string_view suffix = name.substr(dot + 1);
  const auto* found =
      std::find_if(std::begin(kSuffixes), std::end(kSuffixes),
                   [suffix](const Suffix& entry) { return same_word(entry.suffix, suffix); });
  return found == std::end(kSuffixes) ? "application/octet-stream" : found->type;
}

}  // namespace postern::http
