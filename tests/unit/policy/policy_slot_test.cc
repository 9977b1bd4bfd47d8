// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/policy/policy_slot.h"

#include <catch2/catch.hpp>
#include <thread>

namespace postern {
namespace {

std::unique_ptr<Policy> policy_of(uint32_t generation) {
  auto policy = std::make_unique<Policy>();
  policy->generation = generation;
  policy->interfaces.resize(3);
  policy->interfaces[0].name = "lan" + std::to_string(generation);
  return policy;
}

}  // namespace

TEST_CASE("policy/slot: a worker sees nothing before the first publication", "[F01]") {
  PolicySlot slot(1);
  CHECK(slot.acquire() == nullptr);
  auto first = policy_of(1);
  slot.publish(first.get());
  CHECK(slot.acquire() == first.get());
}

TEST_CASE("policy/slot: a generation is past when the last worker has finished with it") {
  PolicySlot slot(2);
  auto first = policy_of(1), second = policy_of(2);
  slot.publish(first.get());
  CHECK_FALSE(slot.is_past(1));
  slot.finished(0, 1);
  slot.finished(1, 1);
  CHECK(slot.is_past(1));
  slot.publish(second.get());
  slot.finished(0, 2);
  CHECK_FALSE(slot.is_past(2));
  slot.finished(1, 2);
  CHECK(slot.is_past(2));
}

// A policy is scribbled over and freed as soon as the slot says so; a worker that still read it
// would find a wrong generation, and AddressSanitizer or ThreadSanitizer would name the place.
TEST_CASE("policy/slot: no worker reads a policy that was freed", "[tsan][P15]") {
  constexpr unsigned kReaders = 3;
  constexpr uint32_t kLast = 400;
  PolicySlot slot(kReaders);
  std::atomic<bool> stop{false};
  std::atomic<uint32_t> wrong{0};

  std::vector<std::thread> readers;
  for (unsigned id = 0; id < kReaders; ++id) {
    readers.emplace_back([&, id] {
      uint32_t newest = 0;
      while (!stop.load(std::memory_order_acquire)) {
        const Policy* policy = slot.acquire();
        uint32_t generation = policy == nullptr ? 0 : policy->generation;
        if (policy != nullptr) {
          if (policy->interfaces[0].name != "lan" + std::to_string(generation)) ++wrong;
          if (generation < newest) ++wrong;  // never back to an older one
          newest = generation;
        }
        slot.finished(static_cast<WorkerId>(id), generation);
        std::this_thread::yield();
      }
    });
  }

  std::unique_ptr<Policy> current;
  for (uint32_t generation = 1; generation <= kLast; ++generation) {
    auto next = policy_of(generation);
    slot.publish(next.get());
    while (!slot.is_past(generation))
      std::this_thread::yield();
    if (current) {
      current->generation = 0xDEAD;
      current->interfaces[0].name = "freed";
    }
    current = std::move(next);
  }
  stop.store(true, std::memory_order_release);
  for (std::thread& reader : readers)
    reader.join();
  CHECK(wrong == 0);
}

}  // namespace postern
