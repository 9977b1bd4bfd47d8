// SPDX-License-Identifier: BSD-3-Clause
// StoredObject: one object as somebody reads it: metadata, and the octets of the body from an
// offset on. It pins what it reads: no segment with a part of it is written over while it is there,
// even if the object is removed or replaced meanwhile.
//
//   for (;;) {
//     const Read read = object->next();
//     octets: send them; next() again when they have been sent
//     wait:   object->when_ready(...); at most one at a time
//     ...
//   }
//
// Bounds: one chunk (64 KiB) of memory at most. Thread: that of the store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace postern::http {

// Octets [begin, end) of an object.
struct OctetRange {
  uint64_t begin = 0;
  uint64_t end = 0;
  friend bool operator==(const OctetRange&, const OctetRange&) = default;
};

struct Read {
  enum class State {
    octets,  // verified; good until the next call on this object, or its end
    wait,    // for the disk, or for the writer: when_ready() says when to come again
    end,     // of the object
    absent,  // this part is not stored (a partial object, or its segment was reclaimed)
    failed,  // damaged, unreadable, or the fill was abandoned: nothing more will come
  };
  State state = State::end;
  std::span<const uint8_t> octets;
};

// For sendfile(2): `length` octets at `offset` of the file `fd`. They lie behind one another there,
// one chunk (64 KiB) at most, and are the octets of the body and nothing else.
struct ReadExtent {
  Read::State state = Read::State::end;  // `octets`: the extent is there
  int fd = -1;
  uint64_t offset = 0;
  uint64_t length = 0;
};

class StoredObject {
 public:
  virtual ~StoredObject() = default;

  virtual std::string_view metadata() const = 0;
  // Of the whole object; nothing while a fill does not know it.
  virtual std::optional<uint64_t> length() const = 0;
  virtual uint64_t validator() const = 0;  // FillOptions::validator
  // Somebody still writes it: more may come, or it may fail.
  virtual bool is_filling() const = 0;
  // All octets are stored (false for a fill).
  virtual bool is_complete() const = 0;
  // What is there, in order, pieces that touch joined. Of a fill: what has been appended.
  virtual std::vector<OctetRange> present() const = 0;

  // The next octets come from `offset` on; 0 at first. Not while waiting.
  virtual void seek(uint64_t offset) = 0;
  // The octets at the offset, 64 KiB at most; the offset moves behind them.
  virtual Read next() = 0;
  // The same as a place in the file, for sendfile(2); the offset moves behind it, so where less was
  // sent, seek() to what comes next. What keeps wrong octets out:
  // - The sum of the chunk was found right once since it was written or the file was opened (one of
  //   less than 16 KiB: each time); what the disk gives the kernel for it later, when the page
  //   cache has let go of it, is not looked at again. Who wants every octet summed takes next().
  // - The place stays what it is as long as this object lives. It may go when sendfile(2) has
  //   returned: what still waits in the socket, or in one on this machine that it was sent to, is
  //   not changed when the segment is written anew (File::renew).
  // `absent`: for octets that are not in the file yet (a fill), and all octets where the file
  // system cannot do that (tmpfs), or the cache has less than 18 MiB: next() has them.
  virtual ReadExtent next_extent() = 0;
  // `ready` is called once, later, never from within this call, nor when the object is gone.
  virtual void when_ready(std::function<void()> ready) = 0;

 protected:
  StoredObject() = default;
  StoredObject(const StoredObject&) = default;
  StoredObject& operator=(const StoredObject&) = default;
};

}  // namespace postern::http
