// SPDX-License-Identifier: BSD-3-Clause
// Reassembly: puts the pieces of datagrams together as their receiver does, to judge the transport
// checksum that no single piece can show.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <vector>

namespace postern::test {

class Reassembly {
 public:
  // Takes a frame. Returns what is wrong with the datagram that it completes: "" while pieces are
  // missing, when all is right, and for frames that are no pieces.
  std::string add(std::span<const uint8_t> frame);

 private:
  // source, destination, protocol, identification
  using Train = std::tuple<uint32_t, uint32_t, uint8_t, uint16_t>;
  struct Datagram {
    std::vector<uint8_t> headers;                     // Ethernet and IPv4, of the first piece
    std::map<unsigned, std::vector<uint8_t>> pieces;  // by offset
    unsigned end = 0;                                 // 0: the last piece has not come
  };

  std::map<Train, Datagram> datagrams_;
};

}  // namespace postern::test
