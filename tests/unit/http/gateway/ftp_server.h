// SPDX-License-Identifier: BSD-3-Clause
// FtpServer: a small FTP server on loopback whose files, faults and lies a test writes; and
// GopherServer, which answers one line.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "unit/http/proxy/bed.h"

namespace postern::http::test {

struct FtpSite {
  std::map<std::string, std::string> files;  // "/pub/a.txt" and its octets
  // "/pub" and the lines of its listing by LIST or, where they begin with "type=", by MLSD.
  std::map<std::string, std::string> folders = {{"/", ""}};
  std::string user;  // empty: anonymous alone
  std::string password;
  std::string modified = "20260101120000";
  std::set<std::string> lacks;              // commands that it does not know
  std::string passive = "127,0,0,1";        // the address that PASV tells
  std::map<std::string, std::string> says;  // a command, and what it is answered instead
  size_t sent_max = SIZE_MAX;               // octets of a file, then the data connection ends
  std::string end = "226 Done.\r\n";        // behind the data
};

// Some files and folders.
FtpSite sample_site();

// Listens on loopback; each connection has a thread.
class LoopbackServer {
 public:
  using Serve = std::function<void(int fd)>;
  explicit LoopbackServer(Serve serve);
  ~LoopbackServer();
  uint16_t port() const { return port_; }

 private:
  Serve serve_;
  uint16_t port_ = 0;
  int listener_;  // behind port_, which it sets
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

class FtpServer {
 public:
  explicit FtpServer(FtpSite site);
  uint16_t port() const { return server_->port(); }
  std::string url(std::string_view path, std::string_view user = {}) const;
  std::vector<std::string> commands();
  bool has_got(std::string_view command);
  uint64_t sent() const { return sent_; }

 private:
  struct Session;
  void serve(int fd);
  std::string answer(Session& session, const std::string& verb, const std::string& argument);
  std::string answer_passive(Session& session, bool is_extended) const;
  std::string transfer(Session& session, const std::string& verb, const std::string& argument);

  FtpSite site_;
  std::mutex mutex_;
  std::vector<std::string> commands_;
  std::atomic<uint64_t> sent_ = 0;  // of files
  std::unique_ptr<LoopbackServer> server_;
};

class GopherServer {
 public:
  // From the line that came to the answer.
  using Answer = std::function<std::string(const std::string& line)>;
  explicit GopherServer(Answer answer);
  std::string url(std::string_view path) const;

 private:
  LoopbackServer server_;
};

}  // namespace postern::http::test
