// SPDX-License-Identifier: BSD-3-Clause
// The look-up of the classifier, to be compiled once for each set of instructions: only
// classifier.cc includes it, each entry point there names its instructions and everything here is
// inlined into it. What differs is only how the steps of an address are counted, which happens
// between runs_of() and rows_of().
#pragma once

#include <bit>

#include "base/prefetch.h"
#include "dataplane/filter/classifier.h"
#include "dataplane/filter/ruleset.h"

namespace postern {

struct Lookup {
  static constexpr size_t kBulk = 16;  // queries whose rows are fetched together

  struct Question {
    std::span<const Rule> rules;
    const FlowQuery& query;
    unsigned from;  // the first rule that counts
  };
  // Where the addresses of a query lie, and the count of the steps at or below each.
  struct Runs {
    AddressIndex::Run at[3];
    uint32_t steps[3];
    unsigned count;
  };
  struct Rows {
    const uint64_t* at[Classifier::kFieldsMax];
    unsigned count;
  };

  [[gnu::always_inline]] static inline Runs runs_of(const Classifier& c, const FlowQuery& query) {
    Runs runs;
    runs.count = 0;
    if (c.has_destination_) runs.at[runs.count++] = c.destination_.find(query.destination.number);
    if (c.has_source_) runs.at[runs.count++] = c.source_.find(query.source.number);
    if (c.has_original_)
      runs.at[runs.count++] = c.original_.find(query.original_destination.number);
    return runs;
  }

  [[gnu::always_inline]] static inline Rows rows_of(const Classifier& c, const FlowQuery& query,
                                                    const Runs& runs) {
    const uint64_t* words = c.words_.data();
    Rows rows;
    rows.at[0] = words + c.context_.find(query);
    rows.count = 1;
    for (unsigned i = 0; i < runs.count; ++i)
      rows.at[rows.count++] = words + runs.at[i].rows[runs.steps[i]];
    if (c.has_service_) {
      // Selected without a jump: protocols come in no order that could be foretold.
      auto icmp = static_cast<uint16_t>(query.icmp_type << 8 | query.icmp_code);
      uint16_t number = query.protocol == protocol::icmp ? icmp : uint16_t{0};
      number = has_ports(query.protocol) ? query.destination_port : number;
      rows.at[rows.count++] = words + c.service_.find(query.protocol, number);
    }
    if (c.has_source_port_)
      rows.at[rows.count++] = words + c.source_port_.find(query.protocol, query.source_port);
    return rows;
  }

  // The lowest rule at or after `from`, below `best`, that stands at a bit of `word`.
  [[gnu::always_inline]] static inline uint16_t first_of(const Classifier& c, const Question& asked,
                                                         uint64_t word, size_t cluster,
                                                         uint16_t best) {
    for (; word != 0; word &= word - 1) {
      size_t position = cluster * kClusterRules + static_cast<unsigned>(std::countr_zero(word));
      uint16_t rule = c.rule_at_[position];
      if (rule >= best) break;
      if (rule < asked.from) continue;
      if (c.has_inexact_ && (c.inexact_[cluster] >> (position % kClusterRules) & 1) != 0 &&
          !matches(asked.rules[rule], asked.query)) {
        continue;
      }
      return rule;
    }
    return best;
  }

  [[gnu::always_inline]] static inline uint16_t meet(const Classifier& c, const Rows& rows,
                                                     const Question& asked) {
    uint16_t best = kNoRule;
    size_t summary_words = c.summary_words_;
    const uint64_t* words[Classifier::kFieldsMax];  // of the partial clusters still to come
    for (unsigned i = 0; i < rows.count; ++i)
      words[i] = rows.at[i] + 2 * summary_words;
    for (size_t w = 0; w < summary_words; ++w) {
      uint64_t candidates = rows.at[0][w];
      for (unsigned i = 1; i < rows.count; ++i)
        candidates &= rows.at[i][w];
      for (; candidates != 0; candidates &= candidates - 1) {
        uint64_t below = (candidates & -candidates) - 1;
        size_t cluster = w * 64 + static_cast<unsigned>(std::countr_zero(candidates));
        if (c.rule_at_[cluster * kClusterRules] >= best) continue;
        uint64_t word = ~uint64_t{0};
        for (unsigned i = 0; i < rows.count; ++i) {
          uint64_t partial = rows.at[i][summary_words + w];
          uint64_t here = words[i][std::popcount(partial & below)];
          uint64_t all = (partial >> (cluster % 64) & 1) - 1;  // all ones where it is not partial
          word &= here | all;
        }
        best = first_of(c, asked, word, cluster, best);
      }
      for (unsigned i = 0; i < rows.count; ++i)
        words[i] += std::popcount(rows.at[i][summary_words + w]);
    }
    return best;
  }

  static void prefetch(const Rows& rows) {
    for (unsigned i = 0; i < rows.count; ++i)
      postern::prefetch(rows.at[i]);
  }
};

}  // namespace postern
