// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/dispatcher.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>

#include "control/admin/protocol.h"
#include "control/admin/roles.h"
#include "control/config/account_text.h"
#include "control/log/error_log.h"

namespace postern::admin {
namespace {

// A copy of JSON follows its nesting on the stack, and an object that keeps its order looks through
// all its keys for each new one: neither may be the client's choice. What is large in a request is
// one long string, and that of a few commands.
constexpr size_t kNestingMax = 16, kMembersMax = 256, kElementsMax = 1024;
constexpr size_t kRequestUsualMax = 64u << 10;  // bytes
constexpr std::string_view kLargeOnes[] = {"apply", "plan", "user import", "lease import"};

// A secret that was of use.
void wipe_password(Json& request) {
  auto found = request.find("password");
  if (found == request.end() || !found->is_string()) return;
  auto& text = found->get_ref<std::string&>();
  sodium_memzero(text.data(), text.size());
}

bool is_too_large(std::string_view text, std::string_view command) {
  return text.size() > kRequestUsualMax &&
         std::ranges::find(kLargeOnes, command) == std::end(kLargeOnes);
}

bool is_shaped_like_a_request(std::string_view text) {
  std::array<size_t, kNestingMax + 1> members = {};  // by depth, of what is open there
  size_t depth = 0, elements = 0;                    // elements: of all arrays and objects
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kNestingMax) return false;
      members[depth] = 0;
    } else if (c == '}' || c == ']') {
      if (depth > 0) --depth;
    } else {
      members[depth] += c == ':' ? 1 : 0;
      elements += c == ',' ? 1 : 0;
      if (members[depth] > kMembersMax || elements > kElementsMax) return false;
    }
  }
  return true;
}

}  // namespace

Result<uint64_t> number_of(const Json& request, const NumberField& field) {
  auto found = request.find(field.key);
  if (found == request.end() && field.fallback) return *field.fallback;
  if (found != request.end() && found->is_number_unsigned()) {
    auto number = found->get<uint64_t>();
    if (number >= field.least && number <= field.most) return number;
  }
  std::string given = found == request.end() ? "nothing" : printable(found->dump());
  return Error{ErrorCode::invalid, fmt::format("{}: {} to {}, not {}", field.name, field.least,
                                               field.most, given.substr(0, 40))};
}

void Reply::done(const Json& result) {
  send({{"version", kProtocolVersion}, {"ok", true}, {"result", result}});
}

void Reply::refuse(const Error& error, const Json& details) {
  Json body = {{"code", to_word(error.code)}, {"text", error.text}};
  body.update(details);
  send({{"version", kProtocolVersion}, {"ok", false}, {"error", body}});
}

void Reply::send(const Json& response) {
  if (!send_) return;
  if (seen_) seen_(response);
  // Names and paths may hold any bytes: those that are no UTF-8 are replaced, not thrown at us.
  send_(response.dump(-1, ' ', false, Json::error_handler_t::replace));
  send_ = nullptr;
}

void Dispatcher::add(const std::string& command, Handler handler, Effect effect) {
  handlers_[command] = {std::move(handler), effect};
}

void Dispatcher::turn_away(const Peer& peer, const Error& error,
                           std::function<void(std::string)> send) {
  Reply reply(std::move(send));
  reply.watch(audit_of("", {}, {}, peer));
  reply.refuse(error);
}

std::function<void(const Json&)> Dispatcher::audit_of(const std::string& command,
                                                      const Entry& entry, const Json& request,
                                                      const Peer& peer) const {
  if (!auditor_) return nullptr;
  const bool is_change = entry.effect == Effect::changes;
  Answered what{command, is_change ? request : Json(), peer};
  if (is_change) {
    wipe_password(what.request);
    what.request.erase("password");
  }
  return [what = std::move(what), is_change, auditor = auditor_](const Json& response) {
    const bool is_denied = !response.value("ok", true) && response["error"]["code"] == "denied";
    if (is_change || is_denied) auditor(what, response);
  };
}

void Dispatcher::handle(std::string_view text, const Peer& peer,
                        std::function<void(std::string)> send) {
  Reply reply(std::move(send));
  if (!is_shaped_like_a_request(text)) {
    return reply.refuse(
        {ErrorCode::failed, "the request is nested too deep or has too many fields"});
  }
  Json request = Json::parse(text, nullptr, false);
  if (!request.is_object()) {
    return reply.refuse({ErrorCode::failed, "the request is not a JSON object"});
  }
  if (request.value("version", Json()) != Json(kProtocolVersion)) {
    return reply.refuse({ErrorCode::failed,
                         "the request has another version of the protocol; "
                         "use the `postern` of this posternd"});
  }
  Json name = request.value("command", Json());
  auto found = name.is_string() ? handlers_.find(name.get<std::string>()) : handlers_.end();
  if (found == handlers_.end()) {
    std::string shown = name.is_string() ? printable(name.get<std::string>()) : "";
    return reply.refuse({ErrorCode::failed, "unknown command `" + shown + "`"});
  }
  if (is_too_large(text, found->first)) {
    return reply.refuse({ErrorCode::exhausted, "the request is too large for its command"});
  }
  reply.watch(audit_of(found->first, found->second, request, peer));
  if (const config::Role least = least_role(found->first); peer.role < least) {
    return reply.refuse(
        {ErrorCode::denied, fmt::format("`{}` takes the role {}; yours is {}", found->first,
                                        config::to_word(least), config::to_word(peer.role))});
  }
  try {
    found->second.handler(request, peer, reply);
  } catch (const Json::exception& error) {
    reply.refuse({ErrorCode::failed,
                  std::string("a field of the request has the wrong type: ") + error.what()});
  }
  wipe_password(request);
}

}  // namespace postern::admin
