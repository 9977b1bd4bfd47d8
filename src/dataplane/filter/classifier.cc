// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/filter/classifier.h"

#include <algorithm>
#include <utility>

#include "dataplane/filter/classify.h"
#include "dataplane/filter/rule_edges.h"
#include "dataplane/filter/rule_order.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace postern {
namespace {

// By halves, without a jump on the keys.
[[gnu::always_inline]] inline uint32_t count_plain(const AddressIndex::Run& run) {
  const uint16_t* keys = run.keys;
  uint32_t n = run.count;
  while (n > 1) {
    uint32_t half = n / 2;
    keys += keys[half - 1] <= run.value ? half : 0;
    n -= half;
  }
  return static_cast<uint32_t>(keys - run.keys) + (n != 0 && keys[0] <= run.value ? 1 : 0);
}
[[gnu::always_inline]] inline Lookup::Rows rows_plain(const Classifier& c, const FlowQuery& query) {
  Lookup::Runs runs = Lookup::runs_of(c, query);
  for (unsigned i = 0; i < runs.count; ++i)
    runs.steps[i] = count_plain(runs.at[i]);
  return Lookup::rows_of(c, query, runs);
}
uint16_t find_first_plain(const Classifier& c, std::span<const Rule> rules, const FlowQuery& query,
                          uint16_t from) {
  return Lookup::meet(c, rows_plain(c, query), {rules, query, from});
}
void find_first_bulk_plain(const Classifier& c, std::span<const Rule> rules,
                           std::span<const FlowQuery> queries, uint16_t* found) {
  Lookup::Rows rows[Lookup::kBulk];
  for (; !queries.empty(); queries = queries.subspan(std::min(queries.size(), Lookup::kBulk))) {
    size_t n = std::min(queries.size(), Lookup::kBulk);
    for (size_t i = 0; i < n; ++i) {
      rows[i] = rows_plain(c, queries[i]);
      Lookup::prefetch(rows[i]);
    }
    for (size_t i = 0; i < n; ++i)
      *found++ = Lookup::meet(c, rows[i], {rules, queries[i], 0});
  }
}

#if defined(__x86_64__)
#define POSTERN_AVX2 gnu::target("avx2,bmi,bmi2,lzcnt,popcnt")
#define POSTERN_AVX512 gnu::target("avx512f,avx512bw,avx512vl,avx2,bmi,bmi2,lzcnt,popcnt")

// All keys that a run can have are compared, those behind its last are masked off.
[[POSTERN_AVX2, gnu::always_inline]] inline uint32_t count_avx2(const AddressIndex::Run& run) {
  const __m256i value = _mm256_set1_epi16(static_cast<short>(run.value));
  const void* upper = run.keys + 16;
  const void* lower = run.keys;
  __m256i a = _mm256_loadu_si256(static_cast<const __m256i*>(lower));
  __m256i b = _mm256_loadu_si256(static_cast<const __m256i*>(upper));
  a = _mm256_cmpeq_epi16(_mm256_min_epu16(a, value), a);
  b = _mm256_cmpeq_epi16(_mm256_min_epu16(b, value), b);
  __m256i both = _mm256_permute4x64_epi64(_mm256_packs_epi16(a, b), 0xD8);
  auto mask = static_cast<uint32_t>(_mm256_movemask_epi8(both));
  return static_cast<uint32_t>(_mm_popcnt_u32(_bzhi_u32(mask, run.count)));
}
[[POSTERN_AVX2, gnu::always_inline]] inline Lookup::Rows rows_avx2(const Classifier& c,
                                                                   const FlowQuery& query) {
  Lookup::Runs runs = Lookup::runs_of(c, query);
  for (unsigned i = 0; i < runs.count; ++i)
    runs.steps[i] = count_avx2(runs.at[i]);
  return Lookup::rows_of(c, query, runs);
}
[[POSTERN_AVX2]] uint16_t find_first_avx2(const Classifier& c, std::span<const Rule> rules,
                                          const FlowQuery& query, uint16_t from) {
  return Lookup::meet(c, rows_avx2(c, query), {rules, query, from});
}
[[POSTERN_AVX2]] void find_first_bulk_avx2(const Classifier& c, std::span<const Rule> rules,
                                           std::span<const FlowQuery> queries, uint16_t* found) {
  Lookup::Rows rows[Lookup::kBulk];
  for (; !queries.empty(); queries = queries.subspan(std::min(queries.size(), Lookup::kBulk))) {
    size_t n = std::min(queries.size(), Lookup::kBulk);
    for (size_t i = 0; i < n; ++i) {
      rows[i] = rows_avx2(c, queries[i]);
      Lookup::prefetch(rows[i]);
    }
    for (size_t i = 0; i < n; ++i)
      *found++ = Lookup::meet(c, rows[i], {rules, queries[i], 0});
  }
}

[[POSTERN_AVX512, gnu::always_inline]] inline uint32_t count_avx512(const AddressIndex::Run& run) {
  __mmask32 mask = _mm512_cmple_epu16_mask(_mm512_loadu_si512(run.keys),
                                           _mm512_set1_epi16(static_cast<short>(run.value)));
  return static_cast<uint32_t>(_mm_popcnt_u32(_bzhi_u32(mask, run.count)));
}
[[POSTERN_AVX512, gnu::always_inline]] inline Lookup::Rows rows_avx512(const Classifier& c,
                                                                       const FlowQuery& query) {
  Lookup::Runs runs = Lookup::runs_of(c, query);
  for (unsigned i = 0; i < runs.count; ++i)
    runs.steps[i] = count_avx512(runs.at[i]);
  return Lookup::rows_of(c, query, runs);
}
[[POSTERN_AVX512]] uint16_t find_first_avx512(const Classifier& c, std::span<const Rule> rules,
                                              const FlowQuery& query, uint16_t from) {
  return Lookup::meet(c, rows_avx512(c, query), {rules, query, from});
}
[[POSTERN_AVX512]] void find_first_bulk_avx512(const Classifier& c, std::span<const Rule> rules,
                                               std::span<const FlowQuery> queries,
                                               uint16_t* found) {
  Lookup::Rows rows[Lookup::kBulk];
  for (; !queries.empty(); queries = queries.subspan(std::min(queries.size(), Lookup::kBulk))) {
    size_t n = std::min(queries.size(), Lookup::kBulk);
    for (size_t i = 0; i < n; ++i) {
      rows[i] = rows_avx512(c, queries[i]);
      Lookup::prefetch(rows[i]);
    }
    for (size_t i = 0; i < n; ++i)
      *found++ = Lookup::meet(c, rows[i], {rules, queries[i], 0});
  }
}
#endif

}  // namespace

Classifier::Variant Classifier::best_variant() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                  __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
  bool has_avx512 =
      has_avx2 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  if (has_avx512) return Variant::avx512;
  if (has_avx2) return Variant::avx2;
#endif
  return Variant::plain;
}

void Classifier::choose(Variant variant) {
  find_first_ = find_first_plain;
  find_first_bulk_ = find_first_bulk_plain;
#if defined(__x86_64__)
  if (variant == Variant::avx2) {
    find_first_ = find_first_avx2;
    find_first_bulk_ = find_first_bulk_avx2;
  } else if (variant == Variant::avx512) {
    find_first_ = find_first_avx512;
    find_first_bulk_ = find_first_bulk_avx512;
  }
#else
  (void)variant;
#endif
}

// cold: with the policy, off the packet path.
std::unique_ptr<const Classifier> Classifier::build(std::span<const Rule> rules,
                                                    std::vector<uint16_t> in_force,
                                                    size_t bytes_max, Variant variant) {
  std::unique_ptr<Classifier> result(new Classifier);
  result->rule_at_ = clustered(rules, std::move(in_force));
  if (!result->fill(rules, bytes_max)) return nullptr;
  result->choose(variant);
  return result;
}

// cold: with the policy, off the packet path.
bool Classifier::fill(std::span<const Rule> rules, size_t bytes_max) {
  std::span<const uint16_t> order = rule_at_;
  RowPool pool(order.size(), bytes_max);
  summary_words_ = static_cast<unsigned>(pool.summary_words());
  context_ = ContextIndex(pool, rules, order);
  if (context_.is_empty()) return false;

  constexpr uint64_t kAddresses = uint64_t{1} << 32, kNumbers = 65536;
  auto index_addresses = [&](AddressSet Rule::*field, AddressIndex& index) {
    FieldEdges edges = address_edges(rules, order, field);
    if (!edges.restricts) return false;
    auto steps = row_steps(pool, std::move(edges.always), std::move(edges.edges), kAddresses);
    index = AddressIndex(steps);
    return true;
  };
  has_source_ = index_addresses(&Rule::from, source_);
  has_destination_ = index_addresses(&Rule::to, destination_);
  has_original_ = index_addresses(&Rule::to_original, original_);

  auto index_numbers = [&](std::map<uint8_t, FieldEdges>& fields, RowOffset rest,
                           NumberIndex& index) {
    bool restricts = false;
    std::map<uint8_t, std::vector<RowStep>> steps;
    for (auto& [protocol, field] : fields) {
      restricts = restricts || field.restricts;
      steps[protocol] = row_steps(pool, std::move(field.always), std::move(field.edges), kNumbers);
    }
    if (restricts) index = NumberIndex(steps, rest);
    return restricts;
  };
  ServiceEdges services = service_edges(rules, order);
  has_service_ = index_numbers(services.destination, pool.intern(services.unrestricted), service_);
  has_source_port_ = index_numbers(services.source, pool.full_row(), source_port_);
  inexact_ = std::move(services.inexact);
  has_inexact_ = std::any_of(inexact_.begin(), inexact_.end(), [](uint64_t word) { return word; });
  if (pool.has_overflowed()) return false;
  words_ = pool.take();
  words_.push_back(0);  // a row without words may be looked behind
  words_.shrink_to_fit();
  rule_at_.resize((rule_at_.size() + kClusterRules) / kClusterRules * kClusterRules, kNoRule);
  return bytes() <= bytes_max;
}

size_t Classifier::bytes() const {
  return sizeof *this + words_.capacity() * sizeof(uint64_t) +
         rule_at_.capacity() * sizeof(uint16_t) + inexact_.capacity() * sizeof(uint64_t) +
         context_.bytes() + source_.bytes() + destination_.bytes() + original_.bytes() +
         service_.bytes() + source_port_.bytes();
}

}  // namespace postern
