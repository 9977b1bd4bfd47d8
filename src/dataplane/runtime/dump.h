// SPDX-License-Identifier: BSD-3-Clause
// Dump: control asks one worker for copies of its sessions or mappings, a block at a time.
//
//   control: ask(what)  ->  worker, in its turns: copies kRowsPerTurn, looks at kLooksPerTurn
//            poll(block) <-  block full or table at its end
//            ask_next()  ->  ...until block.is_last
//
// The worker never waits: a block nobody fetched stays where it is. The table may change between
// blocks: a session that lives through the whole dump is seen exactly once, others at most once.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/nat/mapping.h"
#include "dataplane/nat/session.h"

namespace postern {

class Pipeline;

class Dump {
 public:
  enum class What : uint8_t { sessions, mappings };
  struct Block {
    std::vector<WholeSession> sessions;
    std::vector<Mapping> mappings;
    bool is_last = false;
  };

  // --- thread: control
  // Begins a dump. False: a block of the one before is still being filled; poll() it first.
  bool ask(What what);
  // True: the block asked for is there and was moved into `block`.
  bool poll(Block& block);
  // Asks for the block after the one just polled.
  void ask_next();

  // --- thread: the worker, once a turn
  void serve(const Pipeline& pipeline);
  bool is_asked() const { return stage_.load(std::memory_order_acquire) == Stage::asked; }

 private:
  static constexpr uint32_t kRows = 512;
  static constexpr uint32_t kRowsPerTurn = 64;
  static constexpr uint32_t kLooksPerTurn = 512;
  enum class Stage : uint8_t {
    idle,
    asked,
    ready
  };  // control: idle -> asked, ready -> idle; worker: asked -> ready

  template <typename Table, typename Row>
  void copy(const Table& table, std::array<Row, kRows>& rows);

  std::atomic<Stage> stage_{Stage::idle};
  What what_ = What::sessions;  // control, while idle
  uint32_t next_ = 0;           // control while idle, worker while asked
  uint32_t count_ = 0;          // likewise
  bool is_last_ = false;        // worker, while asked
  std::unique_ptr<std::array<WholeSession, kRows>> sessions_ =
      std::make_unique<std::array<WholeSession, kRows>>();
  std::unique_ptr<std::array<Mapping, kRows>> mappings_ =
      std::make_unique<std::array<Mapping, kRows>>();
};

}  // namespace postern
