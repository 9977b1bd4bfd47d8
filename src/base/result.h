// SPDX-License-Identifier: BSD-3-Clause
// Result<T>: a value or one Error, for control and services (packets fail by DropReason instead).
//
// The member names are those of std::expected, which g++ 12 lacks in C++20; this becomes an alias
// later. Context is added going up: `return std::move(r).error().within("interfaces.wan");`
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/assert.h"

namespace postern {

enum class ErrorCode {
  failed,       // it was tried and did not work
  invalid,      // the input is wrong
  not_found,    // the thing named does not exist
  unavailable,  // the other side is not there
  denied,       // not permitted
  exhausted,    // a limit is reached
};

struct Error {
  ErrorCode code = ErrorCode::failed;
  std::string text;  // one line, no trailing newline

  // Puts `context` in front: "context: text".
  Error within(const std::string& context) && {
    return Error{code, context + ": " + std::move(text)};
  }
};

template <typename T>
class [[nodiscard]] Result {
 public:
  // Implicit, so that `return value;` and `return Error{...};` read as they should.
  Result(T value)  // NOLINT(google-explicit-constructor)
      : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error)  // NOLINT(google-explicit-constructor)
      : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & {
    POSTERN_ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    POSTERN_ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    POSTERN_ASSERT(has_value());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& {
    POSTERN_ASSERT(!has_value());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    POSTERN_ASSERT(!has_value());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error)  // NOLINT(google-explicit-constructor)
      : error_(std::move(error)) {}

  bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }
  const Error& error() const& {
    POSTERN_ASSERT(!has_value());
    return *error_;
  }
  Error&& error() && {
    POSTERN_ASSERT(!has_value());
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

}  // namespace postern
