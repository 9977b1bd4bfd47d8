// SPDX-License-Identifier: BSD-3-Clause
#include "cli/client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/exit_code.h"
#include "cli/remote_link.h"
#include "control/admin/protocol.h"

namespace postern::cli {
namespace {

constexpr int kSchemaVersion = 1;
constexpr time_t kTimeoutSeconds = 60;  // compiling the largest policy takes seconds

class Socket {
 public:
  Socket() : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

Error not_reached(const std::string& path, int reason) {
  if (reason == EACCES || reason == EPERM) {
    return {ErrorCode::denied, fmt::format("not permitted to use {} (try sudo)", path)};
  }
  bool is_gone = reason == ENOENT || reason == ECONNREFUSED;
  return {ErrorCode::unavailable,
          fmt::format("posternd is not reachable at {}: {}", path,
                      is_gone ? "it is not running" : std::strerror(reason))};
}

Result<void> connect_to(int fd, const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error{ErrorCode::unavailable, path + ": too long for a socket"};
  }
  path.copy(address.sun_path, path.size());
  timeval timeout = {.tv_sec = kTimeoutSeconds, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return not_reached(path, errno);
  }
  return {};
}

bool send_all(int fd, const void* data, size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    ssize_t n = send(fd, at, size, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

bool receive_all(int fd, void* data, size_t size) {
  char* at = static_cast<char*>(data);
  while (size > 0) {
    ssize_t n = recv(fd, at, size, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

Error broken_off() {
  return {ErrorCode::unavailable,
          errno == EAGAIN ? "posternd does not answer in time" : "posternd closed the connection"};
}

Result<std::string> call_here(const std::string& run_dir, const std::string& body) {
  Socket socket;
  if (auto done = connect_to(socket.fd(), admin::socket_path(run_dir)); !done) {
    return std::move(done).error();
  }
  auto length = admin::encode_length(body.size());
  errno = 0;
  if (!send_all(socket.fd(), length.data(), length.size()) ||
      !send_all(socket.fd(), body.data(), body.size()) ||
      !receive_all(socket.fd(), length.data(), length.size())) {
    return broken_off();
  }
  auto announced = admin::decode_length(length, admin::kResponseMax);
  if (!announced) return Error{ErrorCode::failed, "the answer of posternd is too large"};
  std::string answer(*announced, '\0');
  if (!receive_all(socket.fd(), answer.data(), answer.size())) return broken_off();
  return answer;
}

Json json_of(const Error& error) {
  return {{"error", {{"code", admin::to_word(error.code)}, {"text", error.text}}}};
}

Json with_version(const Json& result) {
  Json out = {{"schema_version", kSchemaVersion}};
  out.update(result);
  return out;
}

}  // namespace

Result<Json> call(const Globals& globals, Json request) {
  request["version"] = admin::kProtocolVersion;
  std::string body = request.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (body.size() > admin::kRequestMax) return Error{ErrorCode::failed, "the request is too large"};
  auto answer = globals.remote ? globals.remote->call(body) : call_here(globals.run_dir, body);
  if (!answer) return std::move(answer).error();
  Json response = Json::parse(*answer, nullptr, false);
  bool is_response =
      response.is_object() && response.value("ok", Json()).is_boolean() &&
      response.value(response["ok"] == true ? "result" : "error", Json()).is_object();
  if (!is_response) return Error{ErrorCode::failed, "the answer of posternd is not understood"};
  return response;
}

int report(const Error& error, const Globals& globals) {
  if (globals.json) {
    print_json(json_of(error));
  } else {
    std::fprintf(stderr, "postern: %s\n", error.text.c_str());
  }
  return exit_code_of(error.code);
}

int report_in_line(const Error& error, const Globals& globals) {
  if (!globals.json) return report(error, globals);
  print_json_line(json_of(error));
  return exit_code_of(error.code);
}

Error error_of(const Json& response) {
  Json error = response.value("error", Json::object());
  return {admin::error_code_from(error.value("code", "")), error.value("text", "refused")};
}

int ask_and_show(const Globals& globals, const Json& request,
                 const std::function<void(const Json&)>& print) {
  auto response = call(globals, request);
  if (!response) return report(response.error(), globals);
  if (!response->value("ok", false)) {
    return report(error_of(*response), globals);
  }
  Json result = response->value("result", Json::object());
  if (globals.json) {
    print_json(result);
  } else {
    print(result);
  }
  return kDone;
}

void print_json(const Json& result) {
  std::puts(with_version(result).dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

void print_json_line(const Json& result) {
  std::puts(with_version(result).dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  std::fflush(stdout);
}

}  // namespace postern::cli
