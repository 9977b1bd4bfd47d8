// SPDX-License-Identifier: BSD-3-Clause
// Sessions that another policy would end, for `postern plan`.
#include <memory>
#include <utility>

#include "control/admin/show.h"
#include "control/gateway.h"
#include "dataplane/pipeline/review.h"

namespace postern::admin {
namespace {

// What one dump comes to.
struct Count {
  std::unique_ptr<Policy> wanted;
  Json result;
  uint64_t sessions = 0;
  uint64_t ending = 0;
};

bool would_end(const Policy& wanted, const WholeSession& whole, const Identities* identities) {
  const Session& session = whole.session;
  // The second half of a hairpin goes with its first.
  if (session.kind == SessionKind::hairpin_inner && whole.detail.mapping != kNone) return false;
  // Of a dynamic mapping the answer leaves from its host.
  Circumstances now;
  now.internal = {Ipv4Address(session.key[1].source), session.key[1].source_port.value()};
  now.internal_interface = session.egress(Direction::original);
  now.identities = identities;
  return !review(wanted, session, whole.detail, now).is_allowed;
}

}  // namespace

void count_ending_sessions(Gateway& gateway, std::unique_ptr<Policy> wanted, Json result,
                           Reply reply) {
  auto count = std::make_shared<Count>();  // kept by both callbacks of the job
  count->wanted = std::move(wanted);
  count->result = std::move(result);
  auto answer = std::make_shared<Reply>(std::move(reply));
  DumpQueue::Job job;
  job.what = Dump::What::sessions;
  job.on_block = [&gateway, count](WorkerId, const Dump::Block& block) {
    const Identities* identities = gateway.log_ins().board()->current();
    for (const WholeSession& whole : block.sessions) {
      ++count->sessions;
      if (would_end(*count->wanted, whole, identities)) ++count->ending;
    }
    return true;
  };
  job.on_end = [count, answer](bool is_complete) {
    if (!is_complete) {
      return answer->refuse({ErrorCode::failed, "the workers did not tell their sessions in time"});
    }
    count->result["sessions"] = count->sessions;
    count->result["sessions_ending"] = count->ending;
    answer->done(count->result);
  };
  if (gateway.dumps().add(gateway.dataplane(), std::move(job))) return;
  answer->refuse({ErrorCode::exhausted, "too many ask for sessions at once; try again"});
}

}  // namespace postern::admin
