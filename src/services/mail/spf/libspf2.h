// SPDX-License-Identifier: BSD-3-Clause
// libspf2's headers, for C++: they are written for C, and leave to others what they need.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/types.h>

extern "C" {
// After those above.
#include <spf2/spf.h>
#include <spf2/spf_dns_zone.h>
}
