// SPDX-License-Identifier: BSD-3-Clause
#include "cli/remote_link.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "cli/password_prompt.h"
#include "cli/remote_host.h"
#include "control/remote/channel/handshake.h"
#include "control/text_file.h"

namespace postern::cli {
namespace {

using remote::ClientSide;
constexpr time_t kTimeoutSeconds = 75;  // the daemon's own for an answer, and some

Result<void> confirm_key(const std::string& path, const std::string& host,
                         const remote::PublicKey& key) {
  const std::string text = remote::to_text(key);
  if (!is_at_terminal()) {
    return Error{ErrorCode::denied,
                 fmt::format("the key of {} is not known yet: {}. Compare it with `postern show "
                             "remote` on the gateway, then give --fingerprint {}",
                             host, text, text)};
  }
  const bool is_it =
      ask_yes(fmt::format("The key of {} is not known yet. It says to be\n  {}\n`postern show "
                          "remote` on the gateway itself tells its key. Is it this one (yes/no)? ",
                          host, text));
  if (!is_it) return Error{ErrorCode::denied, "the key was not confirmed"};
  if (auto made = make_user_directory(); !made) return made;
  return add_known_host(path, host, key);
}

std::string known_hosts(const RemoteOptions& options) {
  return options.known_hosts.empty() ? user_file("known_hosts") : options.known_hosts;
}

// What to log in with: a key, or else name and password.
struct Credentials {
  Credentials() = default;
  Credentials(Credentials&&) = default;
  Credentials& operator=(Credentials&&) = default;
  ~Credentials() { remote::wipe(password); }
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;

  std::optional<remote::SigningKey> key;
  std::string key_file;
  std::string user;
  std::string password;
};

Result<std::string> password_of(const RemoteOptions& options, const std::string& host) {
  if (options.user.empty()) {
    return Error{ErrorCode::denied, "there is no key " + user_file("key") +
                                        " (postern key generate); for a password give --user"};
  }
  if (!options.password_file.empty()) {
    auto text = read_text_file(options.password_file);
    if (!text) return std::move(text).error();
    std::string password = text->substr(0, text->find('\n'));
    remote::wipe(*text);
    return password;
  }
  if (is_at_terminal()) return ask_password("Password of " + options.user + " at " + host);
  return Error{ErrorCode::denied, "no terminal to ask for a password; give --password-file"};
}

// Before there is a connection, which waits for nobody who types.
Result<Credentials> credentials_of(const RemoteOptions& options, const std::string& host) {
  Credentials with;
  with.user = options.user;
  if (options.password_file.empty()) {
    with.key_file = options.identity.empty() ? user_file("key") : options.identity;
    auto key = remote::read_key_file(with.key_file);
    const bool is_there = key || key.error().code != ErrorCode::not_found;
    if (!key && (is_there || !options.identity.empty())) return std::move(key).error();
    if (key) {
      with.key = std::move(*key);
      return with;
    }
  }
  auto password = password_of(options, host);
  if (!password) return std::move(password).error();
  with.password = std::move(*password);
  if (with.password.size() > remote::kPasswordMax || with.user.size() > remote::kNameMax) {
    return Error{ErrorCode::denied, "the name or the password is too long"};
  }
  return with;
}

}  // namespace

class RemoteLink::Connection {
 public:
  explicit Connection(HostName host) : host_(std::move(host)) {}
  ~Connection() {
    side_.send_end();
    send_out();
    if (fd_ >= 0) close(fd_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Result<void> connect();
  // Whether the key of the other side is one that this user knows; an error: it is another one.
  Result<bool> is_known(const RemoteOptions& options);
  Result<void> log_in(const Credentials& with);
  const remote::PublicKey& key() const { return side_.server_key(); }
  Result<std::string> call(const std::string& request);

 private:
  Result<void> go_until(ClientSide::Step wanted);
  bool send_out();
  bool receive(remote::Buffer& into);

  HostName host_;
  int fd_ = -1;
  ClientSide side_;
};

Result<void> RemoteLink::Connection::connect() {
  addrinfo hints = {};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int wrong =
      getaddrinfo(host_.name.c_str(), std::to_string(host_.port).c_str(), &hints, &found);
  if (wrong != 0) return Error{ErrorCode::unavailable, host_.name + ": " + gai_strerror(wrong)};
  int reason = 0;
  for (const addrinfo* at = found; at != nullptr && fd_ < 0; at = at->ai_next) {
    fd_ = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    timeval timeout = {.tv_sec = 10, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);  // of connect() as well
    if (::connect(fd_, at->ai_addr, at->ai_addrlen) == 0) break;
    reason = errno == EINPROGRESS ? ETIMEDOUT : errno;
    close(fd_);
    fd_ = -1;
  }
  freeaddrinfo(found);
  if (fd_ < 0) {
    return Error{ErrorCode::unavailable,
                 fmt::format("{} is not reachable: {}", host_.text(), std::strerror(reason))};
  }
  timeval timeout = {.tv_sec = kTimeoutSeconds, .tv_usec = 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return go_until(ClientSide::Step::hello);
}

Result<bool> RemoteLink::Connection::is_known(const RemoteOptions& options) {
  auto opinion =
      judge_key(known_hosts(options), host_.text(), side_.server_key(), options.fingerprint);
  if (!opinion) return std::move(opinion).error();
  if (opinion->word == KeyOpinion::Word::refused) return Error{ErrorCode::denied, opinion->why};
  return opinion->word == KeyOpinion::Word::known;
}

Result<void> RemoteLink::Connection::log_in(const Credentials& with) {
  if (with.key) {
    side_.log_in(*with.key, with.user);
  } else {
    side_.log_in(with.user, with.password);
  }
  if (auto done = go_until(ClientSide::Step::verdict); !done) return done;
  if (side_.verdict() == remote::Verdict::welcome) return {};
  if (side_.verdict() == remote::Verdict::later) {
    return Error{ErrorCode::denied, host_.text() + ": too many log-ins; try again later"};
  }
  return Error{ErrorCode::denied,
               host_.text() + (with.key ? ": the key " + with.key_file + " opens nothing there"
                                        : ": wrong name or password")};
}

Result<std::string> RemoteLink::Connection::call(const std::string& request) {
  side_.send(request);
  if (auto done = go_until(ClientSide::Step::message); !done) return std::move(done).error();
  return std::move(side_.text());
}

Result<void> RemoteLink::Connection::go_until(ClientSide::Step wanted) {
  remote::Buffer octets;
  for (;;) {
    octets.resize(side_.wanted());
    if (!send_out() || octets.empty() || !receive(octets)) {
      return Error{ErrorCode::unavailable,
                   errno == EAGAIN ? host_.text() + " does not answer in time"
                                   : host_.text() + " closed the connection, or it was cut off"};
    }
    const ClientSide::Step step = side_.take(octets);
    if (step == wanted) return {};
    if (step == ClientSide::Step::broken) {
      return Error{ErrorCode::failed, host_.text() + ": " + side_.why()};
    }
    if (step != ClientSide::Step::more) {
      return Error{ErrorCode::unavailable, host_.text() + " has ended the session"};
    }
  }
}

bool RemoteLink::Connection::send_out() {
  remote::Buffer& out = side_.out();
  for (size_t at = 0; at < out.size() && fd_ >= 0;) {
    const ssize_t n = send(fd_, out.data() + at, out.size() - at, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += static_cast<size_t>(n);
  }
  out.clear();
  return true;
}

bool RemoteLink::Connection::receive(remote::Buffer& into) {
  for (size_t at = 0; at < into.size();) {
    errno = 0;
    const ssize_t n = recv(fd_, into.data() + at, into.size() - at, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += static_cast<size_t>(n);
  }
  return true;
}

RemoteLink::RemoteLink(RemoteOptions options) : options_(std::move(options)) {}
RemoteLink::~RemoteLink() = default;

Result<void> RemoteLink::open() {
  auto host = parse_host(options_.host);
  if (!host) return std::move(host).error();
  auto with = credentials_of(options_, host->name);
  auto fresh = std::make_unique<Connection>(*host);
  if (auto done = fresh->connect(); !done) return done;
  auto known = fresh->is_known(options_);
  if (!known) return std::move(known).error();
  // A gateway that is not there, or is another one, is told first.
  if (!with) return std::move(with).error();
  if (!*known) {
    // The connection does not outlast the question: a new one must come to the same key.
    const remote::PublicKey key = fresh->key();
    fresh.reset();
    if (auto done = confirm_key(known_hosts(options_), host->text(), key); !done) return done;
    fresh = std::make_unique<Connection>(*host);
    if (auto done = fresh->connect(); !done) return done;
    if (fresh->key() != key) {
      return Error{ErrorCode::denied, host->text() +
                                          " has another key than the one that was "
                                          "confirmed; nothing was told to it"};
    }
  }
  if (auto done = fresh->log_in(*with); !done) return done;
  connection_ = std::move(fresh);
  return {};
}

Result<std::string> RemoteLink::call(const std::string& request) {
  if (!connection_) {
    if (auto done = open(); !done) return std::move(done).error();
  }
  auto response = connection_->call(request);
  if (!response) connection_.reset();  // the next call begins anew
  return response;
}

std::string user_file(const std::string& name) {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  const std::string base = config != nullptr && config[0] == '/'
                               ? std::string(config)
                               : std::string(home != nullptr ? home : "") + "/.config";
  return base + "/postern/" + name;
}

Result<void> make_user_directory() {
  const std::string path = user_file("");
  for (size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    const std::string part = path.substr(0, at);
    if (mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      return Error{ErrorCode::failed, part + ": " + std::strerror(errno)};
    }
  }
  return {};
}

}  // namespace postern::cli
