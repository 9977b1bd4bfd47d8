// SPDX-License-Identifier: BSD-3-Clause
// For schema_test.py: each line of standard input is a configuration (JSON is YAML); the answer is
// a line with 1 when load() accepts it, else 0.
#include <cstdio>
#include <iostream>
#include <string>

#include "control/config/load.h"

int main() {
  std::string line;
  while (std::getline(std::cin, line))
    std::puts(postern::config::load(line).ok() ? "1" : "0");
  return 0;
}
