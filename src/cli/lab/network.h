// SPDX-License-Identifier: BSD-3-Clause
// The lab's network in the kernel: namespaces, wires, addresses, routes, as topology.h says.
//
// All of it lies in namespaces named postern-LAB-HOST, so that labs of different names do not meet
// and the machine's own network is not touched.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postern::cli {

// "postern-LAB-HOST"
std::string netns_name(std::string_view lab, std::string_view host);
// Where the namespace is to be found; it need not exist.
std::filesystem::path netns_path(std::string_view lab, std::string_view host);
std::vector<std::filesystem::path> netns_paths(std::string_view lab);

// Expects that nothing of the lab's name exists. After an Error part of it may: remove it.
Result<void> build_network(std::string_view lab);
// Removes what there is of it; processes still inside keep a namespace alive, so end them before.
Result<void> remove_network(std::string_view lab);

}  // namespace postern::cli
