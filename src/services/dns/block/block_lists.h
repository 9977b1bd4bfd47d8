// SPDX-License-Identifier: BSD-3-Clause
// BlockLists: the block lists in force. Files are read by a thread made for it, and the finished
// set is swapped in whole on the control thread; until then the one before answers.
//
//   configure() ---> thread: load_block_set() ---> posted to the io_context ---> swap, `changed`
//        ^                                                                          |
//        +---- files differ from what was read (looked at every few seconds) <------+
//
// A file is taken as changed when it has been at rest for one look, so that none is read half
// written. When a file cannot be read again, the set in force stays; at the start, what can be read
// is blocked. Errors are in the reports and are tried again when the file changes.
//
// Thread: control, but for the loading. Bounds: those of load.h; one loading at a time.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/time.h"
#include "services/dns/block/load.h"

namespace boost::asio {
class io_context;
}

namespace postern::dns {

class BlockLists {
 public:
  static constexpr Duration kLookEvery = seconds(3);

  // `changed` is called after each loading, whether it was taken or not: reports() are new.
  BlockLists(boost::asio::io_context& context, std::function<void()> changed,
             Duration look_every = kLookEvery);
  // Waits for a loading that is under way to notice, milliseconds.
  ~BlockLists();
  BlockLists(const BlockLists&) = delete;
  BlockLists& operator=(const BlockLists&) = delete;

  // New settings; the files are read even if they are the same as before. Without any files and
  // names the set is empty at once.
  void configure(BlockListSettings settings);

  // See BlockSet::find.
  std::optional<uint8_t> find(std::span<const uint8_t> wire) const { return set_.find(wire); }
  const BlockSet& set() const { return set_; }

  // Of the last loading that has ended.
  const std::vector<BlockFileReport>& reports() const { return reports_; }
  bool is_loading() const;
  uint64_t loads() const { return loads_; }      // sets taken into force
  uint64_t loads_kept() const { return kept_; }  // sets refused: a file could not be read

 private:
  struct State;
  void start_loading();
  void finish(LoadedBlockSet loaded);
  void look();

  std::function<void()> changed_;
  BlockSet set_;
  std::vector<BlockFileReport> reports_;
  uint64_t loads_ = 0;
  uint64_t kept_ = 0;
  std::unique_ptr<State> state_;
};

}  // namespace postern::dns
