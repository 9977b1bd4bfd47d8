// SPDX-License-Identifier: BSD-3-Clause
// analyse(): what is odd about a valid configuration (C06): rules that are never reached, that
// contradict earlier ones or do nothing; port maps that nothing comes in by; a resolver that
// strangers may ask (F53). Every finding is a warning at the place of what it is about, with kind,
// causes and what to do; each claim is proven (cover.h), and doubt is silence.
//
// Kinds, and what they are about:
// - never-reached: a rule behind others that do the same with all it matches
// - contradiction: a rule behind others that do the opposite with all it matches
// - partly-reached: a rule one of whose services a broader earlier rule takes and does the opposite
// - redundant: a rule without which later ones would do the same
// - never-matches: a rule about destinations that translation has replaced by then
// - port-map: a port map whose target is not inside, or that the filter lets nobody use
// - open-resolver: a rule that lets strangers ask the DNS service
// - analysis: rules that were too many or too intricate to judge
//
// Disabled rules are out of the question, those with times are judged for the whole week, and
// postures normal and cut_off both count. Rules for users may match nobody at any time: they hide
// no others. Rules of a template are not compared with each other.
// Pure. Control thread. Bounds: see OrderLimits; 10,000 usual rules take a fraction of a second,
// and in the worst case it gives up after some seconds and says so; at most kAnalysisFindingsMax
// findings.
#pragma once

#include <vector>

#include "control/config/load.h"
#include "dataplane/policy/policy.h"

namespace postern::analysis {

constexpr size_t kAnalysisFindingsMax = 200;

// `policy` is compiled from `model`.
std::vector<config::Finding> analyse(const config::Model& model, const Policy& policy);

}  // namespace postern::analysis
