// SPDX-License-Identifier: BSD-3-Clause
// The keys of logging.
#include "control/config/keys.h"
#include "control/config/model_logging.h"

namespace postern::config {
namespace {

// Every log has these; the error log differs in one default.
constexpr KeySpec kFileKey{.key = "file",
                           .type = Type::boolean,
                           .help = "write to log/ in the state directory",
                           .fallback = "true"};
constexpr KeySpec kConsoleKey{.key = "console",
                              .type = Type::boolean,
                              .help = "write to standard error as well",
                              .fallback = "false"};
constexpr KeySpec kErrorConsoleKey{.key = "console",
                                   .type = Type::boolean,
                                   .help = "write to standard error as well",
                                   .fallback = "true"};
constexpr KeySpec kJournalKey{.key = "journal",
                              .type = Type::boolean,
                              .help = "write to the journal of systemd, field by field",
                              .fallback = "false"};
constexpr KeySpec kSizeKey{.key = "max_mib",
                           .type = Type::number,
                           .help = "a log file is rotated at this size",
                           .min = 1,
                           .max = 65536,
                           .unit = "MiB",
                           .fallback = "64"};
constexpr KeySpec kKeepKey{.key = "keep",
                           .type = Type::number,
                           .help = "rotated files kept",
                           .min = 0,
                           .max = 1000,
                           .fallback = "8"};

constexpr KeySpec kLogKeys[] = {kFileKey, kConsoleKey, kJournalKey, kSizeKey, kKeepKey};
constexpr KeySpec kErrorLogKeys[] = {kFileKey, kErrorConsoleKey, kJournalKey, kSizeKey, kKeepKey};

constexpr KeySpec kDebugClassKeys[] = {
    {.key = "packets",
     .type = Type::text,
     .help = "arp, icmp, udp, tcp, dns, or an expression as of postern capture --where",
     .max = 400,
     .required = true},
    {.key = "interface",
     .type = Type::interface_item,
     .help = "interfaces or zones; default: all",
     .list = true},
};
constexpr SectionSpec kDebugClass{"logging.debug.packets[]", kDebugClassKeys};

constexpr KeySpec kDebugLogKeys[] = {
    kFileKey,
    kConsoleKey,
    kJournalKey,
    kSizeKey,
    kKeepKey,
    {.key = "packets",
     .type = Type::sections,
     .help = "classes of packets, a line for each packet; default: none",
     .max = kDebugClassesMax,
     .section = &kDebugClass},
    {.key = "lines_per_second",
     .type = Type::number,
     .help = "at most; what is left out is counted",
     .min = 1,
     .max = 20000,
     .fallback = "1000"},
};

constexpr KeySpec kAlertLogKeys[] = {
    kFileKey,
    kConsoleKey,
    kJournalKey,
    kSizeKey,
    kKeepKey,
    {.key = "window",
     .type = Type::duration,
     .help = "one alert of a kind in that time; further ones are counted",
     .min = 1000,
     .max = 24LL * 3600 * 1000,
     .fallback = "60s"},
    {.key = "command",
     .type = Type::text,
     .help = "program and arguments that are run for an alert, without a shell; default: none",
     .max = 400,
     .list = true},
    {.key = "timeout",
     .type = Type::duration,
     .help = "the command is ended after that",
     .min = 1000,
     .max = 3600LL * 1000,
     .fallback = "10s"},
    {.key = "parallel",
     .type = Type::number,
     .help = "commands that run at once",
     .min = 1,
     .max = 16,
     .fallback = "2"},
};

// The section of each log, by LogName, and the words.
constexpr SectionSpec kLogSections[] = {
#define POSTERN_LOG(name, keys, on_console, is_forwarded, help) {"logging." #name, keys},
#include "control/config/logs.def"
#undef POSTERN_LOG
};

constexpr std::string_view kLogWords =
#define POSTERN_LOG(name, keys, on_console, is_forwarded, help) "|" #name
#include "control/config/logs.def"
#undef POSTERN_LOG
    ;

constexpr KeySpec kSyslogKeys[] = {
    {.key = "address",
     .type = Type::target,
     .help = "address or address:port of the collector; default port 514, with TLS 6514",
     .required = true},
    {.key = "protocol",
     .type = Type::word,
     .help = "how lines travel",
     .words = "udp|tcp|tls",
     .fallback = "udp"},
    {.key = "logs",
     .type = Type::word,
     .help = "which logs; default: all but debug, http and mail",
     .words = kLogWords.substr(1),
     .list = true},
    {.key = "facility",
     .type = Type::word,
     .help = "facility of the messages",
     .words = "local0|local1|local2|local3|local4|local5|local6|local7",
     .fallback = "local0"},
    {.key = "queue_mib",
     .type = Type::number,
     .help = "kept on disk while the collector is away; further lines are counted",
     .min = 1,
     .max = 65536,
     .unit = "MiB",
     .fallback = "16"},
    {.key = "ca",
     .type = Type::file_path,
     .help = "certificates that a collector's is signed by; default: those of the system"},
    {.key = "server_name",
     .type = Type::domain_name,
     .help = "name that its certificate must be for; default: its address"},
};
constexpr SectionSpec kSyslog{"logging.syslog[]", kSyslogKeys};

constexpr KeySpec kLoggingKeys[] = {
    {.key = "level",
     .type = Type::word,
     .help = "least severe message in the error log",
     .words = "debug|info|warning|error",
     .fallback = "info"},
#define POSTERN_LOG(name, keys, on_console, is_forwarded, text) \
  {.key = #name,                                                \
   .type = Type::section,                                       \
   .help = (text),                                              \
   .section = &kLogSections[static_cast<size_t>(LogName::name)]},
#include "control/config/logs.def"
#undef POSTERN_LOG
    {.key = "syslog",
     .type = Type::sections,
     .help = "collectors of other machines",
     .max = kSyslogTargetsMax,
     .section = &kSyslog},
    {.key = "ipfix",
     .type = Type::section,
     .help = "records of sessions and NAT events for a flow collector; default: none",
     .section = &kIpfixSection},
};

}  // namespace

const SectionSpec kLoggingSection{"logging", kLoggingKeys};

}  // namespace postern::config
