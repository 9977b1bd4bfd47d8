// SPDX-License-Identifier: BSD-3-Clause
// Outbox: what goes to a client: text of our own (heads, chunk heads), then octets that lie
// elsewhere, then a little text behind them, in one sendmsg(2).
//
// Thread: control. Bounds: its user's; size() says how much waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::http {

class Outbox {
 public:
  enum class State : uint8_t {
    empty,    // all is sent
    blocked,  // the socket takes no more now
    broken,   // the client is gone
  };

  // Own text; goes behind all own text, before the octets. Not while there are octets.
  std::string& text() { return text_; }
  // Octets that stay where they are until they are sent or settle() is called; `tail` of static
  // storage goes behind them.
  void put(std::string_view octets, std::string_view tail = {}) {
    octets_ = octets;
    tail_ = tail;
  }
  // Copies what is left of octets and tail, so that they may go.
  void settle();

  State flush(int fd);
  // Sends at most `length` octets of a file behind all else; `sent` counts them.
  static State send_file(int fd, int file, uint64_t offset, size_t length, size_t& sent);

  size_t size() const { return text_.size() - text_sent_ + octets_.size() + tail_.size(); }
  bool empty() const { return size() == 0; }
  bool has_octets() const { return !octets_.empty() || !tail_.empty(); }
  // More follows at once: the system may wait to fill a segment.
  void set_more(bool more) { more_ = more; }
  void clear();

 private:
  void take(size_t sent);

  std::string text_;
  size_t text_sent_ = 0;
  std::string_view octets_;
  std::string_view tail_;
  bool more_ = false;
};

}  // namespace postern::http
