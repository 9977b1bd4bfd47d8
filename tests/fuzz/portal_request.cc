// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any octets as a request to the log-in page, and as a form and a cookie. Read in one
// piece or in many they come to the same; what is read is within its bounds; a page made of it has
// no tag of theirs.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "services/portal/form.h"
#include "services/portal/pages.h"
#include "services/portal/portal.h"
#include "services/portal/request.h"

namespace portal = postern::portal;

namespace {

void demand_bounds(const portal::Request& request) {
  POSTERN_ASSERT(request.target.size() <= portal::kTargetMax);
  POSTERN_ASSERT(request.target.starts_with('/'));
  POSTERN_ASSERT(request.body.size() <= portal::kFormBytesMax);
  POSTERN_ASSERT(request.host.size() + request.cookie.size() <= portal::kHeaderMax);
}

// The engine answers whatever it is asked, and nobody is logged in by it.
void ask(const portal::Request& request) {
  portal::Portal::World world;
  world.now = [] { return postern::Instant{1}; };
  world.find = [](postern::Ipv4Address) { return std::optional<portal::Person>(); };
  world.touch = [](postern::Ipv4Address) {};
  world.check = [](const std::string&, const std::string&, postern::Ipv4Address,
                   const portal::Portal::World::Done&) { POSTERN_ASSERT(false); };
  world.let_in = [](postern::Ipv4Address, const portal::Verdict&) { return false; };
  world.let_out = [](postern::Ipv4Address, portal::Left) { POSTERN_ASSERT(false); };
  portal::Portal engine(std::move(world));
  bool is_answered = false;
  engine.handle(request, postern::Ipv4Address(1), [&](const portal::Response& response) {
    is_answered = true;
    POSTERN_ASSERT(!portal::encode(response, false).empty());
  });
  POSTERN_ASSERT(is_answered);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(data, data + size);
  portal::RequestReader whole, pieces;
  const auto state = whole.feed(text);
  auto other = portal::RequestReader::State::more;
  for (size_t at = 0; at < text.size(); at += 7)
    other = pieces.feed(std::string_view(text).substr(at, 7));
  if (state == portal::RequestReader::State::done) {
    POSTERN_ASSERT(other == state);
    POSTERN_ASSERT(whole.request().body == pieces.request().body);
    demand_bounds(whole.request());
    ask(whole.request());
  }
  if (auto fields = portal::parse_form(text)) {
    POSTERN_ASSERT(fields->size() <= portal::kFieldsMax);
    portal::find_field(*fields, "token");
  }
  POSTERN_ASSERT(portal::find_cookie(text, "__Host-postern").size() <= size);
  const std::string page = portal::html(portal::FormPage{"token", text, text});
  POSTERN_ASSERT(page.find("<script") == std::string::npos);
  return 0;
}
