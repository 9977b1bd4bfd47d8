// SPDX-License-Identifier: BSD-3-Clause
// What is kept on disk of configurations on trial (C01): those that are in force, but are taken
// back unless somebody confirms them in time. STATE_DIR/trial.json names by its digest the text
// that is on trial, from before it is put into force until it is settled or taken back, and those
// that were taken back, so that no start of the daemon uses a text that nobody has confirmed
// (start_up.h). Thread: control.
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postern {

struct TrialRecord {
  static constexpr size_t kRefusedMax = 32;

  struct OnTrial {
    std::string digest;  // of the text, see digest_of()
    std::string who;
    std::time_t since = 0;
    std::time_t until = 0;
  };
  struct Refused {
    std::string digest;
    std::string who;  // whose change it was
    std::time_t since = 0;
  };
  std::optional<OnTrial> on_trial;
  std::vector<Refused> refused;  // oldest first, each digest once

  bool refuses(std::string_view digest) const;
  // Beyond kRefusedMax the oldest goes.
  void refuse(Refused text);
  // False: it was not refused.
  bool forgive(std::string_view digest);
  // What was on trial is refused from now on.
  void end_trial(std::time_t now);
};

// BLAKE2b of 256 bits, in hexadecimal digits.
std::string digest_of(std::string_view text);

std::string trial_path(const std::string& state_dir);
// Whole or not at all, durably.
Result<void> write_trial(const std::string& state_dir, const TrialRecord& record);
// Without a file an empty record. One that is not understood is an error, for what it forbids is
// unknown.
Result<TrialRecord> read_trial(const std::string& state_dir);

}  // namespace postern
