// SPDX-License-Identifier: BSD-3-Clause
// StoreWriter: one fill: the octets of an object as they come from the server, until commit() or
// abandon(). Others read along (Store::find_fill).
//
// A fill replaces the object of the key when it is committed and written; one that `adds` becomes a
// part of it instead, if the stored one has the same length and the same validator.
//
// Bounds: the chunk that is being filled (64 KiB) and what waits in the queue of the store.
// Thread: that of the store.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

namespace postern::http {

struct FillOptions {
  // Of the whole object, where it is known. A commit with fewer octets, where the fill does not
  // add, is an abandon; more octets than it are refused.
  std::optional<uint64_t> length;
  // Of the first octet that is appended. Not 0, or `adds`: length must be known.
  uint64_t offset = 0;
  bool adds = false;
  // What makes two parts belong together: the caller's hash of a strong validator (RFC 9110
  // section 8.8.1, RFC 9111 section 3.4). Parts of different ones are never joined.
  uint64_t validator = 0;
  // The octets that will come, for find_fill; nothing: up to `length`.
  std::optional<uint64_t> expected_end;
};

enum class Append {
  taken,
  full,     // taken, and the queue is half full: better wait for when_drained()
  refused,  // not taken: the fill is over, as if abandoned; readers along it fail
};

class Fill;
class StoredObject;

class StoreWriter {
 public:
  explicit StoreWriter(std::shared_ptr<Fill> fill);
  // Abandons what was not committed.
  ~StoreWriter();
  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;

  Append append(std::span<const uint8_t> octets);
  // `drained` is called once, later: the queue is short again, or the fill is over.
  void when_drained(std::function<void()> drained);
  // The object is complete; it is found from now on. `stored` is called when it is written, or not.
  void commit(const std::function<void(bool is_stored)>& stored = {});
  // Nothing more comes. `keeps_part`, with a length known: what came stays as a partial object.
  void abandon(bool keeps_part = false);

  // One more who reads along this fill; as Store::find_fill(), but no other fill of the same key.
  std::unique_ptr<StoredObject> read_along();

  bool is_over() const;       // committed, abandoned or refused
  uint64_t appended() const;  // octets
  // How many StoredObjects read along: whether a transfer is worth going on with.
  size_t readers() const;

 private:
  std::shared_ptr<Fill> fill_;  // shared: readers and the queue keep its octets
};

}  // namespace postern::http
