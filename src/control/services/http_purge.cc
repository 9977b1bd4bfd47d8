// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/http_purge.h"

#include <memory>
#include <utility>

#include "base/glob.h"
#include "services/http/message/url.h"

namespace postern {
namespace {

const Error kNotForGood{ErrorCode::failed,
                        "the cache could not write that all of it is gone; see postern show cache"};

// Ends when the walk has, and the store has said of each key that it is gone for good.
struct Walk {
  std::string pattern;
  Purged done;
  std::string last;  // of the key that was removed last: variants of one come in a row
  uint64_t removed = 0;
  uint64_t under_way = 1;  // removals, and the walk itself
  bool is_read = true;
  bool is_written = true;

  void end_one() {
    if (--under_way > 0) return;
    if (!is_read) return done(Error{ErrorCode::failed, "parts of the cache could not be read"});
    if (!is_written) return done(kNotForGood);
    done(removed);
  }
};

void purge_pattern(http::Store& store, const std::string& pattern, const Purged& done) {
  const auto walk = std::make_shared<Walk>();
  walk->pattern = pattern;
  walk->done = done;
  store.each_key(
      [&store, walk](const http::StoreKey& key) {
        if (key.primary == walk->last || !matches_glob(walk->pattern, key.primary)) return true;
        walk->last = key.primary;
        ++walk->removed;
        ++walk->under_way;
        store.remove(walk->last, [walk](bool is_done) {
          walk->is_written = walk->is_written && is_done;
          walk->end_one();
        });
        return true;
      },
      [walk](bool is_done) {
        walk->is_read = is_done;
        walk->end_one();
      });
}

}  // namespace

Result<std::string> cache_key_of(const std::string& url) {
  http::Url parts;
  http::CacheKey key;
  const Error fault{ErrorCode::invalid, "not a URL that is kept (http://www.example.com/page)"};
  if (http::parse_url(url, parts)) return fault;
  if (!http::make_key(parts, key)) return fault;
  return std::move(key.text);
}

void purge(http::Store& store, const std::string& url_or_pattern, const Purged& done) {
  if (url_or_pattern.find('*') != std::string::npos) {
    return purge_pattern(store, url_or_pattern, done);
  }
  const auto key = cache_key_of(url_or_pattern);
  if (!key) return done(key.error());
  const std::string& primary = *key;
  store.find({primary, {}}, [&store, primary, done](std::unique_ptr<http::StoredObject> found) {
    const uint64_t count = found ? 1 : 0;
    found.reset();
    store.remove(primary, [done, count](bool is_done) {
      if (is_done) return done(count);
      done(kNotForGood);
    });
  });
}

}  // namespace postern
