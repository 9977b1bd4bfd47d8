// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/problem.h"

#include <fmt/format.h>

#include <array>

namespace postern::http {
namespace {

constexpr size_t kShownMax = 300;  // octets of the URL and of the detail

constexpr std::array kProblems = {
#define POSTERN_HTTP_PROBLEM(name, status, reason, text) ProblemText{status, #name, reason, text},
#include "services/http/proxy/problems.def"
#undef POSTERN_HTTP_PROBLEM
};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char letter : text.substr(0, kShownMax)) {
    const auto octet = static_cast<unsigned char>(letter);
    if (octet < 0x20 || octet > 0x7e) {
      out += '?';
    } else if (letter == '<' || letter == '>' || letter == '&' || letter == '"' || letter == '\'') {
      out += fmt::format("&#{};", octet);
    } else {
      out += letter;
    }
  }
  if (text.size() > kShownMax) out += "...";
  return out;
}

std::string paragraph(std::string_view text) {
  return text.empty() ? std::string() : fmt::format("<p><code>{}</code></p>\n", escaped(text));
}

}  // namespace

const ProblemText& describe(Problem problem) {
  return kProblems[static_cast<size_t>(problem)];
}

bool is_refusal(Problem problem) {
  return problem == Problem::denied || problem == Problem::filtered ||
         problem == Problem::destination_ip_prohibited || problem == Problem::port_prohibited;
}

std::string error_page(const ErrorPage& page) {
  const ProblemText& text = describe(page.problem);
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{0} {1}</title>"
      "</head>\n<body>\n<h1>{1}</h1>\n<p>{2}</p>\n{3}{4}<hr>\n<p><small>{0} {5}, from the proxy "
      "{6}</small></p>\n</body>\n</html>\n",
      text.status, text.reason, text.text, paragraph(page.url), paragraph(page.detail), text.name,
      escaped(page.proxy));
}

}  // namespace postern::http
