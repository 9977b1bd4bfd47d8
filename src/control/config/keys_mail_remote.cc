// SPDX-License-Identifier: BSD-3-Clause
// The keys of services.mail.relay, fetch and etrn: servers elsewhere, and how we log in there.
#include "control/config/keys_mail.h"

namespace postern::config {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;
constexpr int64_t kSecondMs = 1000, kHourMs = 3600 * kSecondMs, kDayMs = 24 * kHourMs;
constexpr int64_t kPatternMax = 320;  // an address and some more

constexpr KeySpec kHostKey{
    .key = "host", .type = Type::host, .help = "name or address of the server", .required = true};
constexpr KeySpec kPortKey{.key = "port",
                           .type = Type::number,
                           .help = "its TCP port",
                           .min = 1,
                           .max = 65535,
                           .fallback = "25"};

constexpr KeySpec tls_key(std::string_view help, std::string_view fallback) {
  return {.key = "tls",
          .type = Type::word,
          .help = help,
          .words = "none|opportunistic|required|implicit",
          .fallback = fallback};
}
constexpr KeySpec kTlsNameKey{
    .key = "tls_name", .type = Type::domain_name, .help = "in its certificate; default: the host"};
constexpr KeySpec kTlsPinsKey{.key = "tls_pins",
                              .type = Type::text,
                              .help =
                                  "sha256/ and the base64 of its key, any of which is enough, "
                                  "instead of authorities; default: none",
                              .max = 64,
                              .list = true};
constexpr KeySpec kTlsCaKey{.key = "tls_ca",
                            .type = Type::file_path,
                            .help =
                                "PEM: who signs its certificate; default: the system's "
                                "authorities"};
constexpr KeySpec kUserKey{
    .key = "user", .type = Type::text, .help = "how we log in; default: not", .max = 255};
constexpr KeySpec kPasswordKey{
    .key = "password_file", .type = Type::file_path, .help = "file with the password, one line"};
constexpr KeySpec kTokenKey{.key = "token_command",
                            .type = Type::text,
                            .help =
                                "instead of a password: program and arguments that print an "
                                "OAuth 2.0 token (XOAUTH2)",
                            .max = 1024,
                            .list = true};
constexpr KeySpec kTimesKey{.key = "when",
                            .type = Type::time_item,
                            .help = "times of the week; default: always",
                            .list = true};

constexpr KeySpec kHopKeys[] = {
    kHostKey,
    kPortKey,
    tls_key("STARTTLS or not: never, where it is offered, or else not at all with a sound "
            "certificate; implicit: TLS from the first octet; default: implicit at port 465, else "
            "required where we log in, else opportunistic",
            ""),
    kTlsNameKey,
    kTlsPinsKey,
    kTlsCaKey,
    kUserKey,
    kPasswordKey,
    kTokenKey,
};
constexpr SectionSpec kHopSection{"services.mail.relay.hosts[]", kHopKeys};

constexpr KeySpec kHostsKey{.key = "hosts",
                            .type = Type::sections,
                            .help = "in this order: the next one where one cannot be reached",
                            .max = 16,
                            .section = &kHopSection};

constexpr KeySpec kBySenderKeys[] = {
    {.key = "senders",
     .type = Type::text,
     .help = "patterns of the envelope's sender, * stands for any characters",
     .max = kPatternMax,
     .required = true,
     .list = true},
    kHostsKey,
};
constexpr SectionSpec kBySenderSection{"services.mail.relay.by_sender[]", kBySenderKeys};

constexpr KeySpec time_out(std::string_view key, std::string_view help, std::string_view fallback) {
  return {.key = key,
          .type = Type::duration,
          .help = help,
          .min = kSecondMs,
          .max = kHourMs,
          .fallback = fallback};
}

constexpr KeySpec kRelayKeys[] = {
    {.key = "helo",
     .type = Type::domain_name,
     .help = "how we call ourselves there; default: services.mail.name"},
    kHostsKey,
    {.key = "by_sender",
     .type = Type::sections,
     .help = "hosts of their own for some senders; the first that matches counts",
     .max = 256,
     .section = &kBySenderSection},
    {.key = "mx",
     .type = Type::boolean,
     .help = "without hosts: to each domain's own servers (MX)",
     .fallback = "false"},
    {.key = "mx_tls",
     .type = Type::word,
     .help = "for those; required: with a certificate for the server's name",
     .words = "none|opportunistic|required",
     .fallback = "opportunistic"},
    kTimesKey,
    {.key = "connections",
     .type = Type::number,
     .help = "to one host at a time",
     .min = 1,
     .max = 64,
     .fallback = "4"},
    {.key = "messages",
     .type = Type::number,
     .help = "by one connection",
     .min = 1,
     .max = 10'000,
     .fallback = "100"},
    time_out("connect_timeout", "for one address of a host", "30s"),
    time_out("command_timeout", "for the answer to a command", "5m"),
    time_out("end_timeout", "for the answer to a whole message", "10m"),
    time_out("idle", "a connection waits so long for a further message", "10s"),
};

constexpr KeySpec kFetchKeys[] = {
    {.key = "name", .type = Type::name, .help = "unique; shown in logs", .required = true},
    {.key = "enabled",
     .type = Type::boolean,
     .help = "false: stays in the file without effect",
     .fallback = "true"},
    kHostKey,
    {.key = "port",
     .type = Type::number,
     .help = "its TCP port; default: 995, or 110 where tls is not implicit",
     .min = 1,
     .max = 65535},
    tls_key("from the first octet, by STLS or not at all; opportunistic: whoever the server is; "
            "default: required at port 110, else implicit",
            ""),
    kTlsNameKey,
    kTlsPinsKey,
    kTlsCaKey,
    {.key = "user", .type = Type::text, .help = "how we log in", .max = 255, .required = true},
    kPasswordKey,
    kTokenKey,
    {.key = "to",
     .type = Type::mail_target,
     .help = "all of it is theirs; default: sorted by its recipients"},
    {.key = "envelope_fields",
     .type = Type::text,
     .help =
         "fields where the provider tells the recipients, in order of trust; default: Resent-To, "
         "-Cc and -Bcc of the message, else its To, Cc and Bcc",
     .max = 64,
     .list = true},
    {.key = "envelope_prefix",
     .type = Type::text,
     .help = "what it puts before the names there, \"acme-\"",
     .max = 64},
    {.key = "unsorted",
     .type = Type::mail_target,
     .help = "who gets what is for nobody here; default: the postmaster"},
    {.key = "leave",
     .type = Type::boolean,
     .help = "messages stay there; false: they go once they are safe here",
     .fallback = "false"},
    {.key = "leave_for",
     .type = Type::duration,
     .help = "with leave: then they go; 0s: never",
     .min = 0,
     .max = 365 * kDayMs,
     .fallback = "0s"},
    {.key = "every",
     .type = Type::duration,
     .help = "how often",
     .min = 10 * kSecondMs,
     .max = 7 * kDayMs,
     .fallback = "5m"},
    kTimesKey,
    {.key = "message_size",
     .type = Type::size,
     .help = "larger ones stay there, with a line in the log; never more than queue.message_size",
     .min = 64 * 1024,
     .max = 1024 * kMiB,
     .fallback = "50MiB"},
};

constexpr KeySpec kEtrnKeys[] = {
    kHostKey,
    kPortKey,
    tls_key("as in relay.hosts; default: implicit at port 465, else opportunistic", ""),
    kTlsNameKey,
    kTlsPinsKey,
    kTlsCaKey,
    {.key = "domains",
     .type = Type::domain_name,
     .help = "whose mail it has; default: services.mail.domains",
     .list = true},
    {.key = "every",
     .type = Type::duration,
     .help = "how often, beside when a link outside comes up; 0s: then alone",
     .min = 0,
     .max = 7 * kDayMs,
     .fallback = "0s"},
    kTimesKey,
};

}  // namespace

const SectionSpec kMailRelaySection{"services.mail.relay", kRelayKeys};
const SectionSpec kMailFetchSection{"services.mail.fetch[]", kFetchKeys};
const SectionSpec kMailEtrnSection{"services.mail.etrn[]", kEtrnKeys};

}  // namespace postern::config
