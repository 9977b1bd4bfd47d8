// SPDX-License-Identifier: BSD-3-Clause
// Changes of the configuration over the administration socket:
//
//   "plan"        {text, ssh}                    -> {changed, restart, outage_s, locks_out, ...}
//   "apply"       {text, save, trial_s, comment, ssh}
//                                       -> {changed, generation, text, findings, saved?, trial?}
//   "confirm"     {trial}                        -> the same
//   "revert"      {trial}                        -> the same
//   "rollback"    {revision, save, trial_s, comment, ssh} -> the same
//   "history"     {}                             -> {revisions: [...], in_force, digest, trial?}
//   "show config" {revision}                     -> {text, revision?}; without: what is in force
//
// `ssh` is the session that the request comes by, unless it is one of the remote administration: a
// change that would cut it off goes on trial unless `trial_s` says how long that takes (0: no
// trial). `trial` is the digest of the text that is meant; without it, whichever is on trial.
// Thread: control.
#pragma once

#include "control/admin/dispatcher.h"

namespace postern {
class Gateway;
}

namespace postern::admin {

void add_change_commands(Dispatcher& dispatcher, Gateway& gateway);
// {"who", "comment", "digest", "until", "seconds_left", "is_late"}; null when nothing is on trial.
Json trial_json(Gateway& gateway);

}  // namespace postern::admin
