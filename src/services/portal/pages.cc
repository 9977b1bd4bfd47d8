// SPDX-License-Identifier: BSD-3-Clause
#include "services/portal/pages.h"

#include <fmt/format.h>

#include <ctime>

#include "services/portal/form.h"

namespace postern::portal {
namespace {

constexpr int64_t kMinute = 60;
constexpr int64_t kHour = 3600;

std::string frame(std::string_view title, int64_t refresh_s, std::string_view body) {
  std::string refresh;
  if (refresh_s > 0)
    refresh = fmt::format("<meta http-equiv=\"refresh\" content=\"{}\">\n", refresh_s);
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n{}"
      "<title>{}</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n"
      "<body>\n<main>\n<h1>{}</h1>\n{}</main>\n</body>\n</html>\n",
      refresh, title, title, body);
}

std::string wall_text(int64_t at_s) {
  const std::time_t at = at_s;
  std::tm parts = {};
  localtime_r(&at, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts)};
}

// For people, and in seconds for programs.
std::string duration_row(std::string_view label, std::string_view id, int64_t seconds) {
  return fmt::format("<dt>{}</dt><dd><data id=\"{}\" value=\"{}\">{}</data></dd>\n", label, id,
                     seconds, duration_text(seconds));
}

}  // namespace

std::string duration_text(int64_t seconds) {
  if (seconds >= kHour)
    return fmt::format("{} h {} min", seconds / kHour, seconds % kHour / kMinute);
  if (seconds >= kMinute) return fmt::format("{} min", seconds / kMinute);
  return fmt::format("{} s", seconds);
}

std::string html(const FormPage& page) {
  std::string trouble;
  if (!page.trouble.empty()) {
    trouble =
        fmt::format("<p class=\"trouble\" role=\"alert\">{}</p>\n", escape_html(page.trouble));
  }
  const bool knows_user = !page.user.empty();
  return frame("Log in", 0,
               fmt::format("{}<form method=\"post\" action=\"/login\">\n"
                           "<input type=\"hidden\" name=\"token\" value=\"{}\">\n"
                           "<label for=\"user\">Name</label>\n"
                           "<input id=\"user\" name=\"user\" value=\"{}\" maxlength=\"63\" "
                           "autocomplete=\"username\" autocapitalize=\"none\" "
                           "spellcheck=\"false\" required{}>\n"
                           "<label for=\"password\">Password</label>\n"
                           "<input id=\"password\" name=\"password\" type=\"password\" "
                           "maxlength=\"1024\" autocomplete=\"current-password\" required{}>\n"
                           "<button type=\"submit\">Log in</button>\n</form>\n",
                           trouble, escape_html(page.token), escape_html(page.user),
                           knows_user ? "" : " autofocus", knows_user ? " autofocus" : ""));
}

std::string html(const StatePage& page) {
  std::string rows = fmt::format(
      "<dt>Name</dt><dd id=\"user\">{}</dd>\n<dt>From</dt><dd id=\"address\">{}</dd>\n"
      "<dt>Since</dt><dd>{}</dd>\n",
      escape_html(page.user), escape_html(page.address), wall_text(page.since_s));
  if (page.left_s >= 0) rows += duration_row("Time left", "left", page.left_s);
  if (page.idle_s > 0) rows += duration_row("Ends when idle for", "idle", page.idle_s);
  const char* hint =
      page.refresh_s > 0 ? "<p>Keep this page open: the log-in ends with it.</p>\n" : "";
  return frame("Logged in", page.refresh_s,
               fmt::format("<dl>\n{}</dl>\n{}<form method=\"post\" action=\"/logout\">\n"
                           "<input type=\"hidden\" name=\"token\" value=\"{}\">\n"
                           "<button type=\"submit\">Log out</button>\n</form>\n",
                           rows, hint, escape_html(page.token)));
}

std::string html(std::string_view title, std::string_view text) {
  return frame(title, 0,
               fmt::format("<p>{}</p>\n<p><a href=\"/\">Back</a></p>\n", escape_html(text)));
}

std::string_view style_sheet() {
  return "body{font:1rem/1.5 system-ui,sans-serif;margin:0;color:#1a1a1a;background:#f4f4f2}\n"
         "main{max-width:24rem;margin:10vh auto;padding:1.5rem 2rem 2rem;background:#fff;"
         "border:1px solid #d0d0cc;border-radius:.5rem}\n"
         "h1{font-size:1.4rem;margin:0 0 1rem}\nlabel{display:block;margin-top:.75rem}\n"
         "input{width:100%;box-sizing:border-box;font:inherit;padding:.4rem;"
         "border:1px solid #767676;border-radius:.25rem}\n"
         "button{margin-top:1.25rem;font:inherit;padding:.5rem 1.5rem;color:#fff;"
         "background:#0b5394;border:0;border-radius:.25rem;cursor:pointer}\n"
         "dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin:0}\n"
         "dt{color:#555}\ndd{margin:0}\n.trouble{color:#a00000;font-weight:bold}\n"
         "@media(prefers-color-scheme:dark){body{color:#eee;background:#1a1a1a}"
         "main{background:#262626;border-color:#444}dt{color:#bbb}.trouble{color:#ff8080}"
         "input{background:#1a1a1a;color:#eee}}\n";
}

}  // namespace postern::portal
