// SPDX-License-Identifier: BSD-3-Clause
// How the host and the path of a URL are held against the patterns of a rule (url_rules.h), without
// regard to case. Thread: any. Cost: the length of the one times that of the other at worst.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace postern::http {

// `text` in lower case.
std::string lowered(std::string_view text);

// "www.example.com", "*.example.com", "192.0.2.1", "[2001:db8::1]", "*"; lower case. What is wrong
// with it; empty: nothing.
std::string fault_of_host(std::string_view pattern);

// "/docs/", "/*.exe", "*/ads/*"; what is wrong with it; empty: nothing.
std::string fault_of_path(std::string_view pattern);

// Whether the path is the pattern, in which "*" stands for any octets, none included; one that ends
// with "/" means all below, too. The query counts only where the pattern has a "?". Both in lower
// case.
bool matches_path(std::string_view pattern, std::string_view path);

// Whether the two, both ascending, have a number in common.
bool have_common(std::span<const uint32_t> one, std::span<const uint32_t> other);

}  // namespace postern::http
