// SPDX-License-Identifier: BSD-3-Clause
// The keys of users.
#include "control/config/account_text.h"
#include "control/config/keys.h"

namespace postern::config {
namespace {

constexpr int64_t kDayMs = 86'400'000;

constexpr KeySpec kAccountKeys[] = {
    {.key = "description",
     .type = Type::text,
     .help = "who it is, for people",
     .max = kDescriptionMax},
    {.key = "enabled",
     .type = Type::boolean,
     .help = "false: stays in the file, but nobody gets in by it",
     .fallback = "true"},
    {.key = "password",
     .type = Type::password_hash,
     .help = "the hash that `postern passwd-hash` makes; default: nobody gets in by a password"},
    {.key = "keys",
     .type = Type::public_key,
     .help = "keys for remote administration, as `postern key generate` prints them",
     .fallback = "[]",
     .list = true,
     .empty_list = true},
    {.key = "role",
     .type = Type::word,
     .help = "what they may do on the gateway: nothing, look, run it, or change it",
     .words = "none|viewer|operator|admin",
     .fallback = "none"},
    {.key = "groups",
     .type = Type::account_name,
     .help = "groups that they are members of",
     .fallback = "[]",
     .list = true,
     .empty_list = true},
};
constexpr SectionSpec kAccount{"users.accounts.*", kAccountKeys};

constexpr KeySpec kGroupKeys[] = {
    {.key = "description",
     .type = Type::text,
     .help = "what it is, for people",
     .max = kDescriptionMax},
    {.key = "groups",
     .type = Type::account_name,
     .help = "groups that its members are members of as well",
     .fallback = "[]",
     .list = true,
     .empty_list = true},
};
constexpr SectionSpec kGroup{"users.groups.*", kGroupKeys};

constexpr KeySpec kPasswordKeys[] = {
    {.key = "min_length",
     .type = Type::number,
     .help = "of a password that is set from now on",
     .min = 8,
     .max = 128,
     .unit = "bytes",
     .fallback = "8"},
    {.key = "classes",
     .type = Type::word,
     .help = "kinds of characters of which it must have one each",
     .words = "lower|upper|digit|special",
     .fallback = R"(["digit", "special"])",
     .list = true,
     .empty_list = true},
    {.key = "hash_mib",
     .type = Type::number,
     .help = "memory that one guess costs (Argon2id); two log-ins are checked at once",
     .min = kHashMibMin,
     .max = kHashMibMax,
     .unit = "MiB",
     .fallback = "64"},
    {.key = "hash_passes",
     .type = Type::number,
     .help = "how often a guess goes through that memory",
     .min = kHashPassesMin,
     .max = kHashPassesMax,
     .fallback = "2"},
};
constexpr SectionSpec kPassword{"users.password", kPasswordKeys};

constexpr KeySpec kLockoutKeys[] = {
    {.key = "free_attempts",
     .type = Type::number,
     .help = "wrong log-ins for one name or from one address before the next one must wait",
     .min = 1,
     .max = 100,
     .fallback = "3"},
    {.key = "delay",
     .type = Type::duration,
     .help = "how long the next one must wait; doubled by each further wrong one",
     .min = 100,
     .max = 60'000,
     .fallback = "1s"},
    {.key = "attempts",
     .type = Type::number,
     .help = "wrong log-ins for one name, then it is blocked",
     .min = 2,
     .max = 1000,
     .fallback = "10"},
    {.key = "address_attempts",
     .type = Type::number,
     .help = "wrong log-ins from one address, then it is blocked",
     .min = 2,
     .max = 10'000,
     .fallback = "30"},
    {.key = "block",
     .type = Type::duration,
     .help = "how long a name or an address is blocked",
     .min = 1'000,
     .max = 7 * kDayMs,
     .fallback = "15m"},
    {.key = "forget",
     .type = Type::duration,
     .help = "wrong log-ins are forgotten when none comes for this long",
     .min = 1'000,
     .max = 7 * kDayMs,
     .fallback = "1h"},
    {.key = "exempt",
     .type = Type::address_item,
     .help = "hosts from which log-ins never wait and are never blocked",
     .fallback = "[]",
     .list = true,
     .empty_list = true},
};
constexpr SectionSpec kLockout{"users.lockout", kLockoutKeys};

constexpr KeySpec kUsersKeys[] = {
    {.key = "account_file",
     .type = Type::boolean,
     .help = "accounts and groups beside these in the state directory: see `postern user`",
     .fallback = "true"},
    {.key = "password",
     .type = Type::section,
     .help = "what a password must be like",
     .section = &kPassword},
    {.key = "lockout",
     .type = Type::section,
     .help = "what becomes of wrong log-ins",
     .section = &kLockout},
    {.key = "accounts",
     .type = Type::named_sections,
     .help = "people by the name that they log in with",
     .max = kAccountsMax,
     .section = &kAccount,
     .names = Type::account_name},
    {.key = "groups",
     .type = Type::named_sections,
     .help = "groups of people by name",
     .max = kGroupsMax,
     .section = &kGroup,
     .names = Type::account_name},
};

}  // namespace

const SectionSpec kUsersSection{"users", kUsersKeys};

}  // namespace postern::config
