// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/proxy/seams.h"

namespace postern::http {

const char* to_text(CacheResult result) {
  switch (result) {
    case CacheResult::none:
      return "none";
    case CacheResult::hit:
      return "hit";
    case CacheResult::stale:
      return "stale";
    case CacheResult::revalidated:
      return "revalidated";
    case CacheResult::collapsed:
      return "collapsed";
    case CacheResult::miss:
      return "miss";
    case CacheResult::bypass:
      break;
  }
  return "bypass";
}

}  // namespace postern::http
