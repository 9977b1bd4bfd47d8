// SPDX-License-Identifier: BSD-3-Clause
// One good frame of every sort that the packet path knows: for bounds tests and as fuzzing seeds.
#pragma once

#include <string>
#include <vector>

#include "support/packet_builder.h"

namespace postern::test {

struct Sample {
  std::string name;  // fit for a file
  Frame frame;
};

std::vector<Sample> samples();

}  // namespace postern::test
