// SPDX-License-Identifier: BSD-3-Clause
// The keys of services.dhcp.
#include "control/config/keys.h"

namespace postern::config {
namespace {

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kDayMs = 24 * 60 * kMinuteMs;

// What every layer may say.
constexpr KeySpec kOptions{.key = "options",
                           .type = Type::dhcp_options,
                           .help =
                               "options by name or number; names decide the form of values, "
                               "numbers without a name take hexadecimal bytes"};
constexpr KeySpec kLeaseTime{.key = "lease_time",
                             .type = Type::duration,
                             .help = "how long an address is given for",
                             .min = kMinuteMs,
                             .max = 3650 * kDayMs};
constexpr KeySpec kBootFile{
    .key = "boot_file", .type = Type::text, .help = "file for PXE clients", .max = 127};
constexpr KeySpec kBootServer{
    .key = "boot_server", .type = Type::address, .help = "TFTP server for PXE clients"};
constexpr KeySpec kBootServerName{.key = "boot_server_name",
                                  .type = Type::text,
                                  .help = "its name, for clients that want one",
                                  .max = 63};

constexpr KeySpec kReservationKeys[] = {
    {.key = "name", .type = Type::system_name, .help = "the client's host name from now on"},
    {.key = "mac", .type = Type::mac, .help = "hardware address of the client"},
    {.key = "client_id",
     .type = Type::hex_bytes,
     .help = "client identifier (option 61): bytes such as 01:02:0a, or text:..."},
    {.key = "host_name", .type = Type::system_name, .help = "host name that the client tells"},
    {.key = "address", .type = Type::address, .help = "address of the client", .required = true},
    kLeaseTime,
    kOptions,
    kBootFile,
    kBootServer,
    kBootServerName,
};
constexpr SectionSpec kReservation{"services.dhcp.scopes[].reservations[]", kReservationKeys};

constexpr KeySpec kClassKeys[] = {
    {.key = "name", .type = Type::name, .help = "unique", .required = true},
    {.key = "vendor_class", .type = Type::text, .help = "how option 60 begins", .max = 255},
    {.key = "user_class", .type = Type::text, .help = "what option 77 contains", .max = 255},
    {.key = "architecture",
     .type = Type::number,
     .help = "boot architectures (option 93): 0 BIOS, 7 and 9 UEFI x86-64, 11 UEFI ARM64",
     .min = 0,
     .max = 65535,
     .list = true},
    {.key = "mac_prefix", .type = Type::hex_bytes, .help = "how the hardware address begins"},
    {.key = "circuit_id",
     .type = Type::text,
     .help = "circuit of the relay (RFC 3046)",
     .max = 255},
    {.key = "remote_id", .type = Type::text, .help = "remote identifier of the relay", .max = 255},
    kLeaseTime,
    kOptions,
    kBootFile,
    kBootServer,
    kBootServerName,
};
constexpr SectionSpec kClass{"services.dhcp.classes[]", kClassKeys};

constexpr KeySpec kScopeKeys[] = {
    {.key = "name", .type = Type::name, .help = "in messages; default: the interface's"},
    {.key = "interface",
     .type = Type::interface_ref,
     .help = "where the clients are; without it they come by a relay"},
    {.key = "subnet",
     .type = Type::subnet,
     .help = "their network; default: that of the interface's first address"},
    {.key = "range", .type = Type::address_range, .help = "addresses given out", .list = true},
    {.key = "exclude",
     .type = Type::address_range,
     .help = "addresses of the range that are not given out",
     .list = true},
    {.key = "relays",
     .type = Type::address,
     .help = "who may relay for its clients; default: hosts of the network and the router to it",
     .list = true},
    kLeaseTime,
    kOptions,
    kBootFile,
    kBootServer,
    kBootServerName,
    {.key = "bootp",
     .type = Type::word,
     .help = "which BOOTP clients get an address, without an end",
     .words = "off|reservations|pool",
     .fallback = "reservations"},
    {.key = "probe",
     .type = Type::boolean,
     .help = "ask whether somebody uses an address before it is offered, by ARP or echo",
     .fallback = "true"},
    {.key = "authoritative",
     .type = Type::boolean,
     .help = "the only server there: refuse at once what does not fit",
     .fallback = "true"},
    {.key = "reservations",
     .type = Type::sections,
     .help = "addresses for certain clients",
     .max = 16384,
     .section = &kReservation},
};
constexpr SectionSpec kScope{"services.dhcp.scopes[]", kScopeKeys};

constexpr KeySpec kDhcpKeys[] = {
    {.key = "lease_time",
     .type = Type::duration,
     .help = "how long an address is given for",
     .min = kMinuteMs,
     .max = 3650 * kDayMs,
     .fallback = "12h"},
    kOptions,
    kBootFile,
    kBootServer,
    kBootServerName,
    {.key = "quarantine",
     .type = Type::duration,
     .help = "how long an address rests that somebody else uses",
     .min = kMinuteMs,
     .max = kDayMs,
     .fallback = "10m"},
    {.key = "messages_per_second",
     .type = Type::number,
     .help = "of one client; 0: no limit",
     .min = 0,
     .max = 100'000,
     .fallback = "20"},
    {.key = "classes",
     .type = Type::sections,
     .help = "clients that get something of their own; later ones over earlier ones",
     .max = 256,
     .section = &kClass},
    {.key = "scopes",
     .type = Type::sections,
     .help = "networks that are served",
     .max = 256,
     .required = true,
     .section = &kScope},
};

}  // namespace

const SectionSpec kDhcpSection{"services.dhcp", kDhcpKeys};

}  // namespace postern::config
