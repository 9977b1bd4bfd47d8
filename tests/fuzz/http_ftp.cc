// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: a line with the path of an ftp URL, what an FTP server says up to a NUL, and a
// listing. Each command is one line, data ports are not those of services, the dialogue ends, and
// nothing of a listing is markup in the page.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "services/http/gateway/ftp_dialogue.h"
#include "services/http/gateway/ftp_page.h"

namespace http = postern::http;

namespace {

void demand_one_line(std::string_view command) {
  POSTERN_ASSERT(command.ends_with("\r\n"));
  POSTERN_ASSERT(command.find_first_of(std::string_view("\r\n\0", 3)) == command.size() - 2);
}

// What the octets make the dialogue do, until they are over or it is.
size_t run(http::FtpDialogue& dialogue, std::string_view octets, size_t piece) {
  http::FtpReplyReader reader;
  size_t count = 0;
  std::string_view rest;
  while (!octets.empty() || !rest.empty()) {
    if (rest.empty()) {
      rest = octets.substr(0, piece);
      octets.remove_prefix(rest.size());
    }
    const http::Step step = reader.feed(rest);
    if (step == http::Step::refused) return count;
    if (step == http::Step::more) continue;
    POSTERN_ASSERT(reader.reply().code >= 100 && reader.reply().code < 600);
    POSTERN_ASSERT(reader.reply().text.size() <= http::FtpReplyReader::kTextMax);
    http::FtpAct act = dialogue.on_reply(reader.reply());
    ++count;
    if (act.kind == http::FtpAct::Kind::known) act = dialogue.retrieve(count % 2);
    if (act.kind == http::FtpAct::Kind::connect) {
      POSTERN_ASSERT(act.port >= http::FtpDialogue::kDataPortMin);
      act = dialogue.on_connected();
    }
    if (act.kind == http::FtpAct::Kind::send) demand_one_line(act.command);
    const bool goes_on = act.kind == http::FtpAct::Kind::send ||
                         act.kind == http::FtpAct::Kind::wait ||
                         act.kind == http::FtpAct::Kind::begin;
    if (!goes_on) return count;
    POSTERN_ASSERT(count <= http::FtpDialogue::kRepliesMax);
  }
  return count;
}

std::string page_of(std::string_view octets, bool is_mlsd, size_t piece) {
  http::FtpPage page(is_mlsd);
  std::string out;
  for (; !octets.empty(); octets.remove_prefix(std::min(piece, octets.size())))
    page.feed(octets.substr(0, piece), out);
  page.end(out);
  return out;
}

void demand_plain(std::string_view page) {
  for (size_t at = page.find('<'); at != std::string_view::npos; at = page.find('<', at + 1)) {
    const std::string_view tag = page.substr(at + 1, page.substr(at).find_first_of(" >") - 1);
    POSTERN_ASSERT(tag == "tr" || tag == "td" || tag == "a" || tag == "code" || tag == "/tr" ||
                   tag == "/td" || tag == "/a" || tag == "/code" || tag == "/table" || tag == "p" ||
                   tag == "/p" || tag == "/body" || tag == "/html");
  }
  POSTERN_ASSERT(std::all_of(page.begin(), page.end(), [](char octet) {
    return static_cast<unsigned char>(octet) >= 0x20 || octet == '\n';
  }));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t line = std::min(text.find('\n'), text.size());
  const auto path = http::parse_ftp_path(text.substr(0, line));
  const auto login = http::parse_ftp_user(text.substr(0, line));
  text.remove_prefix(std::min(line + 1, text.size()));
  const size_t end = std::min(text.find('\0'), text.size());
  const std::string_view said = text.substr(0, end);
  const std::string_view listed = text.substr(std::min(end + 1, text.size()));
  if (path) {
    http::FtpDialogue whole(*path, login.value_or(http::FtpLogin()));
    http::FtpDialogue pieces(*path, login.value_or(http::FtpLogin()));
    POSTERN_ASSERT(run(whole, said, SIZE_MAX) == run(pieces, said, 3));
    POSTERN_ASSERT(whole.octets() == pieces.octets());
  }
  static_cast<void>(http::parse_epsv(said));
  static_cast<void>(http::parse_pasv(said));
  static_cast<void>(http::parse_ftp_time(said));
  for (const bool is_mlsd : {true, false}) {
    const std::string page = page_of(listed, is_mlsd, SIZE_MAX);
    demand_plain(page);
    POSTERN_ASSERT(page == page_of(listed, is_mlsd, 7));
  }
  return 0;
}
