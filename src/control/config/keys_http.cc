// SPDX-License-Identifier: BSD-3-Clause
// The keys of services.http.
#include "control/config/keys.h"
#include "control/config/model_http.h"

namespace postern::config {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20, kTiB = int64_t{1} << 40;
constexpr int64_t kSecondMs = 1000, kHourMs = 3600 * kSecondMs, kYearMs = 365 * 24 * kHourMs;
constexpr int64_t kUrlPatternMax = 1024;

constexpr KeySpec kHostsKey{
    .key = "hosts",
    .type = Type::text,
    .help = "www.example.com, *.example.com (all names below it) or an address; default: every one",
    .max = 255,
    .list = true};
constexpr KeySpec kPathsKey{
    .key = "paths",
    .type = Type::text,
    .help = "/docs/ and all below; * stands for any characters, ? for one; default: every one",
    .max = kUrlPatternMax,
    .list = true};

constexpr KeySpec kContainsKey{.key = "contains",
                               .type = Type::text,
                               .help = "characters that stand somewhere in the address",
                               .max = kUrlPatternMax};
constexpr KeySpec kPatternKey{.key = "pattern",
                              .type = Type::text,
                              .help =
                                  "regular expression (RE2) that is found somewhere in the "
                                  "address",
                              .max = kUrlPatternMax};

constexpr KeySpec kLifetimeKeys[] = {
    kHostsKey,
    kPathsKey,
    kContainsKey,
    kPatternKey,
    {.key = "lifetime",
     .type = Type::duration,
     .help = "how long these pages are fresh of which the server does not say it, or does not "
             "count; default: as for others",
     .min = 0,
     .max = kYearMs},
    {.key = "largest_object",
     .type = Type::size,
     .help = "what is larger is passed on and not kept; default: as for others",
     .min = 1024,
     .max = 64 * kTiB},
    {.key = "ignore_server_lifetimes",
     .type = Type::boolean,
     .help = "as services.http.cache.ignore_server_lifetimes, for these; default: as for others"},
    {.key = "always_revalidate",
     .type = Type::boolean,
     .help = "the server is asked each time whether what is kept is still right",
     .fallback = "false"},
    {.key = "never",
     .type = Type::boolean,
     .help = "they are not kept, and what was kept of them is not sent",
     .fallback = "false"},
};
constexpr SectionSpec kLifetimeSection{"services.http.cache.lifetimes[]", kLifetimeKeys};

constexpr KeySpec kCacheKeys[] = {
    {.key = "file",
     .type = Type::file_path,
     .help = "the one file that holds the cache; default: http/cache in the state directory"},
    {.key = "size",
     .type = Type::size,
     .help = "size of the file, taken at once and kept; another one takes `postern cache recreate`",
     .min = 16 * kMiB,
     .max = 64 * kTiB,
     .fallback = "1GiB"},
    {.key = "largest_object",
     .type = Type::size,
     .help = "what is larger is passed on and not kept",
     .min = 1024,
     .max = 64 * kTiB,
     .fallback = "1GiB"},
    {.key = "default_lifetime",
     .type = Type::duration,
     .help = "how long a page is fresh of which nobody says it; 0s: it is not kept",
     .min = 0,
     .max = kYearMs,
     .fallback = "0s"},
    {.key = "lifetimes",
     .type = Type::sections,
     .help = "what some pages have of their own; the first that matches counts",
     .max = 10000,
     .section = &kLifetimeSection},
    {.key = "redirects",
     .type = Type::boolean,
     .help = "redirects are kept as well",
     .fallback = "true"},
    {.key = "always_revalidate",
     .type = Type::boolean,
     .help = "the server is asked each time whether what is kept is still right",
     .fallback = "false"},
    {.key = "ignore_server_lifetimes",
     .type = Type::boolean,
     .help = "only lifetimes of this file count; what is private or not to be kept never is",
     .fallback = "false"},
    {.key = "stale_if_unreachable",
     .type = Type::duration,
     .help = "what is out of date for no longer is sent when the server does not answer; 0s: never",
     .min = 0,
     .max = kYearMs,
     .fallback = "24h"},
    {.key = "stale_if_error",
     .type = Type::duration,
     .help = "the same when the server has an error; 0s: never",
     .min = 0,
     .max = kYearMs,
     .fallback = "0s"},
    {.key = "offline",
     .type = Type::boolean,
     .help = "nobody is asked: what is kept is sent, out of date or not, and nothing else",
     .fallback = "false"},
    {.key = "finish_aborted",
     .type = Type::size,
     .help = "so much of what all its clients have left is fetched all the same, to be kept",
     .min = 0,
     .max = kTiB,
     .fallback = "0MiB"},
};

constexpr KeySpec kTransparentKeys[] = {
    {.key = "from",
     .type = Type::address_item,
     .help = "whose connections; default: those of services.http.from",
     .list = true},
    {.key = "ports",
     .type = Type::port_number,
     .help = "TCP ports of the servers outside; unencrypted HTTP only",
     .min = 1,
     .max = 65535,
     .fallback = "[80]",
     .list = true},
    {.key = "except",
     .type = Type::address_item,
     .help = "servers that are spoken to directly; default: none",
     .list = true},
};

constexpr KeySpec kParentKeys[] = {
    {.key = "host",
     .type = Type::host,
     .help = "name or address of the proxy that is asked instead of the servers",
     .required = true},
    {.key = "port",
     .type = Type::number,
     .help = "its TCP port",
     .min = 1,
     .max = 65535,
     .fallback = "3128"},
    {.key = "user", .type = Type::text, .help = "how we log in there; default: not", .max = 255},
    {.key = "password_file", .type = Type::file_path, .help = "file with the password, one line"},
    {.key = "trusted",
     .type = Type::boolean,
     .help = "it decides by itself what may be reached: names are not looked up here, and filter "
             "rules for addresses are not held against what clients ask for",
     .fallback = "false"},
};

constexpr KeySpec kRuleKeys[] = {
    {.key = "name", .type = Type::name, .help = "unique; shown in logs", .required = true},
    {.key = "enabled",
     .type = Type::boolean,
     .help = "false: stays in the file without effect",
     .fallback = "true"},
    kHostsKey,
    kPathsKey,
    kContainsKey,
    kPatternKey,
    {.key = "users",
     .type = Type::user_item,
     .help = "users, group:NAME or any: whom it is for; who is not logged in it passes over; "
             "default: everybody",
     .list = true},
    {.key = "when",
     .type = Type::time_item,
     .help = "times of the week; default: always",
     .list = true},
    {.key = "action",
     .type = Type::word,
     .help = "permit, or deny with a page that says so",
     .words = "permit|deny",
     .required = true},
    {.key = "message", .type = Type::text, .help = "told on that page", .max = 500},
};

constexpr KeySpec kLimitKeys[] = {
    {.key = "connections",
     .type = Type::number,
     .help = "of clients at once; further ones are closed; at most a quarter of the files that "
             "posternd may open (LimitNOFILE)",
     .min = 1,
     .max = 65536,
     .fallback = "4096"},
    {.key = "per_client",
     .type = Type::number,
     .help = "of one address at once",
     .min = 1,
     .max = 65536,
     .fallback = "512"},
    {.key = "upload",
     .type = Type::size,
     .help = "the most that one request carries",
     .min = 1024,
     .max = kTiB,
     .fallback = "1TiB"},
};

constexpr KeySpec time_out(std::string_view key, std::string_view help, std::string_view fallback) {
  return {.key = key,
          .type = Type::duration,
          .help = help,
          .min = kSecondMs,
          .max = 24 * kHourMs,
          .fallback = fallback};
}

constexpr KeySpec kTimeoutKeys[] = {
    time_out("request", "for a client to send the head of a request", "30s"),
    time_out("idle", "between requests of a client", "60s"),
    time_out("connect", "for one address of a server to take the connection", "6s"),
    time_out("response", "for a server to begin its answer", "90s"),
    time_out("transfer", "without anything coming or going in the middle of a transfer", "60s"),
    time_out("tunnel", "without anything coming or going by CONNECT", "15m"),
};

constexpr SectionSpec kCacheSection{"services.http.cache", kCacheKeys};
constexpr SectionSpec kTransparentSection{"services.http.transparent", kTransparentKeys};
constexpr SectionSpec kParentSection{"services.http.parent", kParentKeys};
constexpr SectionSpec kHttpRuleSection{"services.http.rules[]", kRuleKeys};
constexpr SectionSpec kLimitsSection{"services.http.limits", kLimitKeys};
constexpr SectionSpec kTimeoutsSection{"services.http.timeouts", kTimeoutKeys};

constexpr KeySpec kHttpKeys[] = {
    {.key = "enabled", .type = Type::boolean, .help = "false: no proxy", .fallback = "true"},
    {.key = "listen",
     .type = Type::interface_ref,
     .help = "interfaces whose hosts may use it, never external ones; default: those of the zone "
             "internal",
     .list = true},
    {.key = "port",
     .type = Type::number,
     .help = "TCP port of the proxy; it needs no rule of its own",
     .min = 1,
     .max = 65535,
     .fallback = "3128"},
    {.key = "from",
     .type = Type::address_item,
     .help = "who may use it; default: the networks of the interfaces",
     .list = true},
    {.key = "transparent",
     .type = Type::section,
     .help = "connections to web servers outside that the proxy answers, so that browsers need not "
             "know of it; what the filter refuses stays refused; default: none",
     .section = &kTransparentSection},
    {.key = "connect_ports",
     .type = Type::port_number,
     .help = "ports that CONNECT leads to: HTTPS, which is passed on unopened",
     .min = 1,
     .max = 65535,
     .fallback = "[443]",
     .list = true},
    {.key = "allow_private",
     .type = Type::address_item,
     .help = "addresses that the proxy connects to though they are private, or the gateway's own; "
             "default: none",
     .list = true},
    {.key = "login",
     .type = Type::word,
     .help = "none: users are those of the log-in page; optional: who is not known is asked where "
             "a rule for users may let them; required: everybody is asked",
     .words = "none|optional|required",
     .fallback = "none"},
    {.key = "wpad",
     .type = Type::boolean,
     .help = "DHCP clients of these interfaces are told where browsers find their settings for it "
             "(wpad-url, 252), unless options of a scope say something else",
     .fallback = "false"},
    {.key = "cache",
     .type = Type::section,
     .help = "what was fetched is kept in one file of fixed size; default: nothing is kept",
     .section = &kCacheSection},
    {.key = "parent",
     .type = Type::section,
     .help = "another proxy that is asked instead of the servers; default: none",
     .section = &kParentSection},
    {.key = "rules",
     .type = Type::sections,
     .help = "what may be fetched, by whom and when; the first that matches decides, and what "
             "none matches is permitted",
     .max = 10000,
     .section = &kHttpRuleSection},
    {.key = "limits",
     .type = Type::section,
     .help = "how much of it at once",
     .section = &kLimitsSection},
    {.key = "timeouts",
     .type = Type::section,
     .help = "how long is waited for others",
     .section = &kTimeoutsSection},
};

}  // namespace

const SectionSpec kHttpSection{"services.http", kHttpKeys};

}  // namespace postern::config
