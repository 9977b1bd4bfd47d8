// SPDX-License-Identifier: BSD-3-Clause
// FetchSession::ask_disk(): a question to the memory, on its thread, and the answer on the loop.
// For the bodies of FetchSession alone.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "services/mail/fetch/fetch_session.h"

namespace postern::mail {

template <typename Value>
void FetchSession::ask_disk(std::function<Result<Value>(FetchMemory& memory)> work,
                            void (FetchSession::*then)(const Result<Value>& outcome)) {
  is_busy_ = true;
  const auto answer = std::make_shared<std::optional<Result<Value>>>();
  tools_.disk.run_surely(
      [memory = tools_.memory, work = std::move(work), answer] { answer->emplace(work(*memory)); },
      [weak = weak_from_this(), then, answer] {
        const auto self = weak.lock();
        if (!self) return;
        self->is_busy_ = false;
        (self.get()->*then)(**answer);
      });
}

}  // namespace postern::mail
