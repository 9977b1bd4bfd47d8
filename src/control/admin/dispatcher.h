// SPDX-License-Identifier: BSD-3-Clause
// Dispatcher: the text of a request -> the command it names -> the text of a response. No socket
// here.
//
// A "password" of a request is overwritten once its handler is through, and told to no auditor.
// Whatever comes in is answered: text that is no JSON, other versions, unknown commands and fields
// of the wrong type get an error response. Handlers answer at once or later, exactly once. Thread:
// control.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "control/config/model_users.h"
#include "control/explain/admin_connection.h"

namespace postern::admin {

using Json = nlohmann::ordered_json;

// Who asks; from the kernel (SO_PEERCRED), or from the log-in.
struct Peer {
  uint32_t uid = 0;
  uint32_t gid = 0;
  int32_t pid = 0;
  config::Role role = config::Role::none;  // what they may do now, see roles.h
  std::string account;  // who logged in from elsewhere; empty: the process of the ids above
  // Of their connection, where it is one over the network (control/remote).
  std::optional<AdminConnection> connection = {};
};

// A whole number of a request: from `least` to `most`, `fallback` where the request does not say.
struct NumberField {
  const char* key;
  const char* name;  // as the user knows it
  uint64_t least;
  uint64_t most;
  std::optional<uint64_t> fallback;
};
Result<uint64_t> number_of(const Json& request, const NumberField& field);

// The response to one request; further calls do nothing.
class Reply {
 public:
  explicit Reply(std::function<void(std::string)> send) : send_(std::move(send)) {}
  // `seen` gets the response before it goes out. Copies made later are watched, too.
  void watch(std::function<void(const Json& response)> seen) { seen_ = std::move(seen); }
  void done(const Json& result);
  // `details` is merged into the error object.
  void refuse(const Error& error, const Json& details = Json::object());

 private:
  void send(const Json& response);
  std::function<void(std::string)> send_;
  std::function<void(const Json&)> seen_;
};

using Handler = std::function<void(const Json& request, const Peer& peer, Reply reply)>;

// Whether a command changes something, which is told to the auditor.
enum class Effect : uint8_t { asks, changes };

class Dispatcher {
 public:
  struct Answered {
    std::string command;  // empty: none that there is
    Json request;         // only of a command that changes something
    Peer peer;
  };
  // Told of each command that changes something, once it is answered, and of whatever is denied.
  using Auditor = std::function<void(const Answered& what, const Json& response)>;

  void add(const std::string& command, Handler handler, Effect effect = Effect::asks);
  void set_auditor(Auditor auditor) { auditor_ = std::move(auditor); }
  void handle(std::string_view request, const Peer& peer, std::function<void(std::string)> send);

  // The response to somebody who may not ask at all.
  void turn_away(const Peer& peer, const Error& error, std::function<void(std::string)> send);

 private:
  struct Entry {
    Handler handler;
    Effect effect = Effect::asks;
  };
  std::function<void(const Json&)> audit_of(const std::string& command, const Entry& entry,
                                            const Json& request, const Peer& peer) const;

  std::map<std::string, Entry> handlers_;
  Auditor auditor_;
};

}  // namespace postern::admin
