// SPDX-License-Identifier: BSD-3-Clause
// ScanRound: one message's way by all scanners, on a thread of Scanner's pool. Thread: any, one.
#pragma once

#include <string>
#include <vector>

#include "services/mail/scan/milter_address.h"
#include "services/mail/scan/scanner.h"

namespace postern::mail {

// Those that are asked, in order.
struct ScannerList {
  struct Milter {
    std::string name;  // as configured
    MilterAddress at;
  };
  std::vector<Milter> milters;
  std::vector<std::string> command;
  Duration timeout;  // of each
  std::string host;
};

Result<ScannerList> make_scanner_list(const ScanSettings& settings, const std::string& host);

// What a scanner was like. Empty `fault`: it answered.
struct ScannerState {
  std::string name;
  std::string fault;
};

struct ScanOutcome {
  ScanVerdict verdict;
  std::vector<ScannerState> scanners;  // those that were asked
  std::vector<std::string> notes;      // what they wanted and did not get, with their names
};

// Comes back when all have answered, or have had their time, or `stop` is readable.
ScanOutcome scan_round(const ScannerList& list, const ScanJob& job, int stop);

}  // namespace postern::mail
