// SPDX-License-Identifier: BSD-3-Clause
// Store: the objects of the cache in one file of fixed size, found by key, read and written as
// streams. It knows nothing of HTTP: the metadata of an object are octets of the caller's.
//
//   find      -> StoredObject   reads while others read, and while a StoreWriter fills
//   find_fill -> StoredObject   the fill that has, or will have, an offset of an object
//   begin     -> StoreWriter    append ... commit, or abandon
//
// The file is a log (format.h) that its oldest segment makes room for; what was asked for since it
// was written is carried on (reclaim.h). Nothing here waits for the disk: what is in the page cache
// is read at once on the caller's thread, the rest by a pool of threads (io_queue.h); writes and
// syncs are those of one thread, in order, behind a queue with a bound. Behind it an object is not
// stored, and counted as refused.
//
// Crash: every octet that is read is under a checksum that covers its place, segment and key, too;
// what does not hold together is not there. `remove` and `clear` are on the disk when they say so;
// where the disk itself damages the record of a removal, the object may be there again.
// Disk trouble: nothing is stored any more, what can be read is served; one line to `on_trouble`;
// retry() tries again. No call here ever fails a request: the worst answer is "not there".
//
// Bounds: the file; kStoreRemovalsMax removals; `objects_max` index entries (24 octets each, 35
// with the free places of the table); `queue_octets_max` of octets that wait to be written;
// kFillsMax fills. Thread: one, the caller's (all calls, all callbacks); `post` is called from
// other threads.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "services/http/store/stored_object.h"
#include "services/http/store/writer.h"

namespace postern::http {

constexpr size_t kStoreKeyMax = 16'384;       // octets of primary and variant together
constexpr size_t kStoreMetadataMax = 65'536;  // octets
constexpr size_t kFillsMax = 4'096;
constexpr size_t kStoreRemovalsMax = 65'536;  // that wait to be written
constexpr size_t kStoreVariantsMax = 64;  // of one primary key; one more takes the oldest's place

// What an object is found by. All variants of a primary key (the URI) are removed together. Where
// responses vary, the caller keeps the names of the fields in the metadata of variant "".
struct StoreKey {
  std::string_view primary;
  std::string_view variant = {};
};

// Other metadata for a stored object.
struct MetadataChange {
  std::string_view from;  // what find() gave for the object they were made of
  std::string_view to;
};

struct StoreOptions {
  std::string path;
  uint64_t octets = 0;          // of the file; what it is made with, and must have
  bool may_create = true;       // where there is no file at all; a wrong one is never replaced
  uint32_t segment_octets = 0;  // of a new file; 0: by its size (format.h)
  uint64_t objects_max = 0;     // 0: one for each 8 KiB of the file, 16,384 at least
  uint64_t queue_octets_max = uint64_t{32} << 20;
  unsigned readers = 2;        // threads that read what is not in the page cache
  unsigned keep_percent = 50;  // of a segment that is reclaimed, at most, is carried on

  // Runs a closure on the owner's thread, later. Called from any thread; must not block.
  std::function<void(std::function<void()>)> post;
  // One line when storing stops working, one when it works again.
  std::function<void(const std::string&)> on_trouble;
  // While the index is read at start: segments done, of all. False: it is not wanted any more.
  std::function<bool(uint64_t, uint64_t)> on_progress;
};

struct StoreCounters {
  uint64_t objects = 0;        // in the index
  uint64_t octets = 0;         // of the file
  uint64_t octets_used = 0;    // of segments that hold anything, what was written in them
  uint64_t index_octets = 0;   // of memory
  uint64_t queued_octets = 0;  // wait to be written
  uint64_t fills = 0;          // not committed, or not on the disk yet
  uint64_t stored = 0;         // objects and pieces of objects committed and written
  uint64_t hits = 0;           // find() with an answer
  uint64_t misses = 0;
  uint64_t evicted = 0;         // objects whose segment was reclaimed
  uint64_t second_chances = 0;  // records carried on, as they had been asked for
  uint64_t segments_kept = 0;   // as they were, as most in them had been asked for
  uint64_t refused = 0;         // fills not stored: queue, fills, pinned segments, trouble
  uint64_t damaged = 0;         // records that did not hold together when read
  uint64_t errors = 0;          // reads and writes that the system refused
  uint64_t reads_at_once = 0;   // from the page cache
  uint64_t reads_by_pool = 0;
  bool is_failing = false;  // storing stopped working
};

class Engine;
class File;

class Store {
 public:
  // Nothing (nullptr) where it is not there.
  using Found = std::function<void(std::unique_ptr<StoredObject>)>;
  using Done = std::function<void(bool is_done)>;
  // False ends the walk.
  using VisitKey = std::function<bool(const StoreKey&)>;

  // Opens the file and reads the index: takes seconds for 100 GB, on the caller's thread; may be
  // called on another one than that which uses the store. The error says what to do about it.
  static Result<std::unique_ptr<Store>> open(const StoreOptions& options);
  // Makes the file anew, whatever was there; all in it is lost. `options` as for open().
  static Result<void> format(const StoreOptions& options);
  // As open(), on a file that somebody else has opened.
  static Result<std::unique_ptr<Store>> open_on(const StoreOptions& options,
                                                std::unique_ptr<File> file);

  // Waits for what is queued to be written. No StoredObject and no StoreWriter may be left; not
  // from within a callback of the store.
  ~Store();
  // Nothing is called any more, and nobody calls: ~Store, which waits for the disk, may then be
  // on another thread. What callbacks hold is destroyed there.
  void detach();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // The newest complete fill or stored object of the key, perhaps a partial one. `found` is called
  // before this returns where that takes no waiting.
  void find(const StoreKey& key, Found found);
  // The fill under way (or committed and not on the disk yet) that has or will have the octet at
  // `offset`: so many clients share one transfer. nullptr: none.
  std::unique_ptr<StoredObject> find_fill(const StoreKey& key, uint64_t offset = 0);
  // nullptr: refused (counted); the client gets its response all the same.
  std::unique_ptr<StoreWriter> begin(const StoreKey& key, std::string_view metadata,
                                     const FillOptions& options);

  // Puts other metadata to a stored object; the body stays where it is. find() has them at once.
  // False: the object is not there (any more), it has other metadata than those the new ones were
  // made of (it was replaced or changed meanwhile: they say nothing of its body), or they could not
  // be written.
  void update_metadata(const StoreKey& key, const MetadataChange& change, const Done& done = {});
  // Removes all variants; fills under way are not stored. Gone for find() at once, and for good
  // when `done(true)` is called: no crash brings them back. `done(false)`: gone for this run of the
  // program; disk trouble, or more than kStoreRemovalsMax removals wait.
  void remove(std::string_view primary, const Done& done = {});
  // Removes everything; as durable as remove().
  void clear(const Done& done = {});
  // Walks over all keys, segment by segment from the disk, oldest first; fills before and behind.
  // All that find() had when it began come; one stored or moved meanwhile may come twice. The
  // visitor may remove. `done(false)`: some could not be read, or the visitor ended it.
  void each_key(VisitKey visit, Done done);

  // After on_trouble: the owner calls this every so often; the next fill is then tried again.
  void retry();
  StoreCounters counters() const;

 private:
  explicit Store(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

}  // namespace postern::http
