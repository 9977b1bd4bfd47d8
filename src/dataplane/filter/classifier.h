// SPDX-License-Identifier: BSD-3-Clause
// Classifier: the ordered list compiled, same answers (F21). It grows with neither the number of
// rules nor that of ranges, as long as few rules meet in one packet.
//
//   context (interfaces, TCP state, mapping) -+
//   destination, source, original destination +-> a row of bits each --AND--> candidates -> the
//   protocol + destination port, source port -+   (bit_rows.h)                   first of them
//
// Each field leads to the row of the rules that it leaves possible; fields that no rule restricts
// are not looked at. Bits are summed up by clusters of 64 rules, and which rules share a cluster is
// chosen so that few clusters survive the AND of the summaries (rule_order.h). In those the words
// are ANDed and the lowest rule found is kept.
//
// Rules whose conditions are more than an AND of single fields ("inexact": lists of pairs of source
// and destination ports, users; the door for conditions to come) have bits for at least what they
// match, and are asked themselves by matches() when they come first.
//
// Rejected: trees of cuts (HyperCuts) and cross products (RFC) take memory without bound on rules
// with wildcards in either address; tuple space search probes a table for each of the dozens of
// shapes; librte_acl builds in erratic time and answers slower one at a time.
//
// Immutable after build(); thread: any. No allocation, lock or call to the system in a look-up; at
// worst (nothing but inexact or crossing rules) its time is that of the list by a small factor
// less.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/filter/address_index.h"
#include "dataplane/filter/context_index.h"
#include "dataplane/filter/number_index.h"
#include "dataplane/filter/rule.h"

namespace postern {

class Classifier {
 public:
  // The instructions that look-ups use, by what the machine has.
  enum class Variant : uint8_t { plain, avx2, avx512 };
  static Variant best_variant();

  // The rules of `in_force`, ascending indices into `rules`. Null: these rules defeat it, they
  // would need more than `bytes_max`, or too long to build.
  static std::unique_ptr<const Classifier> build(std::span<const Rule> rules,
                                                 std::vector<uint16_t> in_force, size_t bytes_max,
                                                 Variant variant = best_variant());

  // Index of the first rule at or after `from` that matches, or kNoRule. `rules` are those it was
  // built from.
  uint16_t find_first(std::span<const Rule> rules, const FlowQuery& query, uint16_t from) const {
    return find_first_(*this, rules, query, from);
  }
  // The same from rule 0 for many queries at once, so that they wait for memory together.
  void find_first_bulk(std::span<const Rule> rules, std::span<const FlowQuery> queries,
                       uint16_t* found) const {
    find_first_bulk_(*this, rules, queries, found);
  }

  size_t bytes() const;

 private:
  friend struct Lookup;  // classify.h
  static constexpr unsigned kFieldsMax = 6;

  Classifier() = default;
  bool fill(std::span<const Rule> rules, size_t bytes_max);
  void choose(Variant variant);

  // What a look-up reads first.
  uint16_t (*find_first_)(const Classifier&, std::span<const Rule>, const FlowQuery&,
                          uint16_t) = nullptr;
  void (*find_first_bulk_)(const Classifier&, std::span<const Rule>, std::span<const FlowQuery>,
                           uint16_t*) = nullptr;
  bool has_source_ = false, has_destination_ = false, has_original_ = false;
  bool has_service_ = false, has_source_port_ = false, has_inexact_ = false;
  unsigned summary_words_ = 0;
  std::vector<uint64_t> words_;    // the rows
  std::vector<uint16_t> rule_at_;  // by position; kNoRule behind the last
  std::vector<uint64_t> inexact_;  // bits by position
  ContextIndex context_;
  AddressIndex source_, destination_, original_;
  NumberIndex service_, source_port_;
};

}  // namespace postern
