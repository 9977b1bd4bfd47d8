// SPDX-License-Identifier: BSD-3-Clause
// What a 304 or the answer to HEAD does to stored responses: which of them it speaks of (RFC 9111
// sections 4.3.4 and 4.3.5), and which of their fields it replaces (3.2).
//
// Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "services/http/message/fields.h"
#include "services/http/rules/conditional.h"

namespace postern::http {

struct NotModified {
  enum class Outcome : uint8_t {
    freshen,    // update `freshened`, answer the request from freshened.front(), by
                // evaluate_conditions() where the client had a condition
    pass_on,    // it speaks of what the client has: send it to the client, keep nothing
    ask_again,  // it speaks of nothing we have: the request goes again, without our condition
  };
  Outcome outcome = Outcome::ask_again;
  std::vector<size_t> freshened;  // indices into `stored`, the one to answer with first
};

// `stored` and `condition` are what condition_for() had and gave. A 304 without any validator is
// taken to be about stored.front() when only its validators were asked about.
NotModified read_not_modified(const Fields& not_modified, std::span<const Validators> stored,
                              const Condition& condition, const Fields& client_request);

// Whether a field of a 304, of the answer to HEAD or of a later part replaces that of the stored
// response: not what is hop by hop or withheld, nor what describes the octets that are stored
// (Content-Length, Content-Encoding, Content-Range, Content-Type).
bool replaces_stored(const Fields& update, std::string_view name);

// The fields of the stored response after the update: views of both. Nothing: more than kFieldsMax.
std::optional<Fields> updated_fields(const Fields& stored, const Fields& update);

enum class HeadOutcome : uint8_t {
  nothing,     // an error of the server: nothing is known
  update,      // the stored response is as the server has it: updated_fields()
  invalidate,  // what is stored is no longer what a GET would get
};

// What a HEAD with this answer does to the stored response to GET.
HeadOutcome read_head_answer(unsigned status, const Fields& answer, unsigned stored_status,
                             const Fields& stored);

}  // namespace postern::http
