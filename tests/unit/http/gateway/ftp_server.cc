// SPDX-License-Identifier: BSD-3-Clause
#include "unit/http/gateway/ftp_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace postern::http::test {
namespace {

int listen_on_loopback(uint16_t& port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at = {};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 || listen(fd, 64) != 0)
    throw std::runtime_error("no port");
  socklen_t size = sizeof at;
  getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  port = ntohs(at.sin_port);
  return fd;
}

// A line without its end; empty: the far side is gone.
std::string read_line(Wire& wire) {
  std::string line;
  for (std::string octet = wire.read_exactly(1); !octet.empty(); octet = wire.read_exactly(1)) {
    if (octet == "\n") return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
    line += octet;
  }
  return {};
}

}  // namespace

FtpSite sample_site() {
  FtpSite site;
  site.files["/pub/a.txt"] = "0123456789";
  site.files["/top"] = "top";
  site.files["/pub/empty"] = "";
  site.folders["/"] = "type=dir; pub\r\ntype=file;size=3;modify=20260101120000; top\r\n";
  site.folders["/pub"] =
      "type=cdir; .\r\ntype=file;size=10;modify=20260101120000; a.txt\r\n"
      "type=file;size=5; <b>&\r\n";
  return site;
}

LoopbackServer::LoopbackServer(Serve serve)
    : serve_(std::move(serve)), listener_(listen_on_loopback(port_)) {
  acceptor_ = std::thread([this] {
    for (;;) {
      const int fd = accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd] {
        serve_(fd);
        const std::lock_guard gone(mutex_);
        std::erase(open_, fd);
        close(fd);
      });
    }
  });
}

LoopbackServer::~LoopbackServer() {
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_)
      shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : threads_)
    thread.join();
  close(listener_);
}

struct FtpServer::Session {
  explicit Session(int fd) : wire(fd) {}
  Wire wire;
  std::string folder = "/";
  std::string user;
  uint64_t offset = 0;
  int passive = -1;
};

FtpServer::FtpServer(FtpSite site) : site_(std::move(site)) {
  server_ = std::make_unique<LoopbackServer>([this](int fd) { serve(fd); });
}

std::string FtpServer::url(std::string_view path, std::string_view user) const {
  return fmt::format("ftp://{}{}127.0.0.1:{}{}", user, user.empty() ? "" : "@", port(), path);
}

std::vector<std::string> FtpServer::commands() {
  const std::lock_guard lock(mutex_);
  return commands_;
}

bool FtpServer::has_got(std::string_view command) {
  for (const std::string& one : commands()) {
    if (one == command || one.substr(0, one.find(' ')) == command) return true;
  }
  return false;
}

void FtpServer::serve(int fd) {
  Session session(dup(fd));
  const auto greeting = site_.says.find("");
  session.wire.send(greeting == site_.says.end() ? "220 Ready.\r\n" : greeting->second);
  for (std::string line = read_line(session.wire); !line.empty(); line = read_line(session.wire)) {
    {
      const std::lock_guard lock(mutex_);
      commands_.push_back(line);
    }
    const size_t space = std::min(line.find(' '), line.size());
    const std::string verb = line.substr(0, space);
    const std::string argument = line.substr(std::min(space + 1, line.size()));
    const auto said = site_.says.find(verb);
    const std::string reply = said != site_.says.end()       ? said->second
                              : site_.lacks.count(verb) != 0 ? "500 What?\r\n"
                                                             : answer(session, verb, argument);
    if (!session.wire.send(reply)) break;
  }
  if (session.passive >= 0) close(session.passive);
  shutdown(fd, SHUT_RDWR);
}

std::string FtpServer::answer(Session& session, const std::string& verb,
                              const std::string& argument) {
  const std::string path = argument.starts_with('/')
                               ? argument
                               : (session.folder == "/" ? "" : session.folder) + "/" + argument;
  const bool is_file = site_.files.count(path) != 0;
  if (verb == "USER") {
    session.user = argument;
    return "331 And the password?\r\n";
  }
  if (verb == "PASS") {
    const bool is_known = session.user == "anonymous"
                              ? site_.user.empty()
                              : session.user == site_.user && argument == site_.password;
    return is_known ? "230-Welcome.\r\n230 Logged in.\r\n" : "530 Login incorrect.\r\n";
  }
  if (verb == "CWD") {
    if (site_.folders.count(path) == 0) return "550 No such folder.\r\n";
    session.folder = path;
    return "250 Well.\r\n";
  }
  if (verb == "TYPE") return "200 Well.\r\n";
  if (verb == "FEAT") return "211-Features:\r\n MDTM\r\n MLST type*;size*;\r\n211 End\r\n";
  if (verb == "SIZE")
    return is_file ? fmt::format("213 {}\r\n", site_.files[path].size()) : "550 No.\r\n";
  if (verb == "MDTM") return is_file ? "213 " + site_.modified + "\r\n" : "550 No.\r\n";
  if (verb == "REST") {
    session.offset = std::stoull(argument);
    return "350 From there.\r\n";
  }
  if (verb == "EPSV" || verb == "PASV") return answer_passive(session, verb == "EPSV");
  if (verb == "RETR" && !is_file) return "550 No such file.\r\n";
  if (verb == "RETR" || verb == "LIST" || verb == "MLSD") return transfer(session, verb, path);
  return "500 What?\r\n";
}

std::string FtpServer::answer_passive(Session& session, bool is_extended) const {
  if (session.passive >= 0) close(session.passive);
  uint16_t port = 0;
  session.passive = listen_on_loopback(port);
  return is_extended ? fmt::format("229 Come (|||{}|)\r\n", port)
                     : fmt::format("227 Come ({},{},{})\r\n", site_.passive, port >> 8, port & 255);
}

std::string FtpServer::transfer(Session& session, const std::string& verb,
                                const std::string& path) {
  if (session.passive < 0) return "425 Where to?\r\n";
  session.wire.send("150 Here it comes.\r\n");
  const std::string& whole = verb == "RETR" ? site_.files[path] : site_.folders[session.folder];
  const std::string_view data = std::string_view(whole).substr(session.offset);
  {
    const Wire wire(accept(session.passive, nullptr, nullptr));
    for (size_t at = 0; at < std::min(data.size(), site_.sent_max);) {
      const size_t size = std::min({size_t{65536}, data.size() - at, site_.sent_max - at});
      if (!wire.send(data.substr(at, size))) break;
      at += size;
      sent_ += size;
    }
  }
  close(session.passive);
  session.passive = -1;
  session.offset = 0;
  return site_.end;
}

GopherServer::GopherServer(Answer answer)
    : server_([answer = std::move(answer)](int fd) {
        Wire wire(dup(fd));
        std::string line = read_line(wire);
        wire.send(answer(line));
        shutdown(fd, SHUT_RDWR);
      }) {}

std::string GopherServer::url(std::string_view path) const {
  return fmt::format("gopher://127.0.0.1:{}{}", server_.port(), path);
}

}  // namespace postern::http::test
