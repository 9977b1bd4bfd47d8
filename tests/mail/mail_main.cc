// SPDX-License-Identifier: BSD-3-Clause
// postern_mail: the mail service of Postern alone, for tests against other programs, for load
// generators and for those who kill it. What happens is told in lines on the standard error.
//
// SIGTERM: it ends. SIGUSR1: its counters, on the standard output. SIGHUP: as if a link came up.
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <functional>

#include "http/name_resolver.h"
#include "mail/mail_options.h"
#include "services/io/watch.h"
#include "services/mail/message/address.h"
#include "services/mail/service/service.h"
#include "support/built_spf.h"

namespace {

using namespace postern;        // NOLINT(google-build-using-namespace)
using namespace postern::mail;  // NOLINT(google-build-using-namespace)

int fail(const std::string& text) {
  std::fprintf(stderr, "postern_mail: %s\n", text.c_str());
  return 1;
}

// A port of 127.0.0.1 that nobody has.
uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at = io::socket_address(Ipv4Address(127, 0, 0, 1), 0);
  socklen_t length = sizeof at;
  const bool is_bound = bind(fd, reinterpret_cast<sockaddr*>(&at), length) == 0 &&
                        getsockname(fd, reinterpret_cast<sockaddr*>(&at), &length) == 0;
  close(fd);
  return is_bound ? ntohs(at.sin_port) : uint16_t{0};
}

void print(const MailEvent& event) {
  std::string line{to_text(event.kind)};
  const auto add = [&line](const char* name, std::string_view value) {
    if (!value.empty()) line.append(" ").append(name).append("=").append(value);
  };
  add("id", event.id);
  if (event.from != nullptr) add("from", to_path(*event.from));
  if (event.to != nullptr) {
    add("to", to_path(event.to->address));
    add("mailbox", event.to->user);
    add("folder", event.to->folder);
  }
  if (event.recipients != 0) add("recipients", std::to_string(event.recipients));
  add("by", event.by);
  add("remote", event.remote);
  if (!event.client.is_unspecified()) add("client", postern::to_text(event.client));
  add("user", event.user);
  if (event.octets != 0) add("octets", std::to_string(event.octets));
  add("delay_ms", std::to_string(event.delay.ns / milliseconds(1).ns));
  add("result", event.result);
  std::fprintf(stderr, "%s\n", line.c_str());
}

void print(const MailCounters& counters) {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const auto us = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  const auto count = [](uint64_t number) { return static_cast<unsigned long long>(number); };
  std::printf(
      "received %llu fetched %llu refused %llu delivered %llu relayed %llu deferred %llu "
      "failed %llu held %llu queued %llu commits %llu smtp %llu pop3 %llu cpu_us %.0f "
      "rss_kib %ld\n",
      count(counters.received), count(counters.fetched), count(counters.refused),
      count(counters.delivered), count(counters.relayed), count(counters.deferred),
      count(counters.failed), count(counters.held), count(counters.queue.messages),
      count(counters.queue.commits), count(counters.smtp_sessions), count(counters.pop3_sessions),
      us(usage.ru_utime) + us(usage.ru_stime), usage.ru_maxrss);
  std::fflush(stdout);
}

Seams seams_of(const MailOptions& options, const MailPlan& plan, http::NameResolver& resolver) {
  Seams seams;
  seams.resolve = [&resolver](const std::string& name, const Seams::Resolved& then) {
    resolver.resolve(name, [then](const Result<Seams::Addresses>& found) { then(found); });
  };
  seams.check_password = [passwords = plan.passwords](const std::string& user,
                                                      const std::string& password, Ipv4Address,
                                                      const Seams::Checked& then) {
    const auto known = passwords.find(to_lower(user));
    const bool is_right = known != passwords.end() && known->second == password;
    then(is_right ? PasswordCheck::right : PasswordCheck::wrong);
  };
  seams.time_holds = [](uint32_t) { return true; };
  seams.log = [is_quiet = options.is_quiet](const MailEvent& event) {
    if (!is_quiet) print(event);
  };
  seams.warn = [](const std::string& line) { std::fprintf(stderr, "warning: %s\n", line.c_str()); };
  seams.now = [] {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return Instant{std::chrono::nanoseconds(now).count()};
  };
  seams.wall_s = [] { return static_cast<int64_t>(std::time(nullptr)); };
  seams.zone_min = [] { return 0; };
  return seams;
}

// Calls each time the signal comes.
class Signal {
 public:
  Signal(boost::asio::io_context& loop, int number, std::function<void()> call)
      : set_(loop, number), call_(std::move(call)) {
    wait();
  }

 private:
  void wait() {
    set_.async_wait([this](boost::system::error_code error, int) {
      if (error) return;
      call_();
      wait();
    });
  }
  boost::asio::signal_set set_;
  std::function<void()> call_;
};

int run(MailOptions options) {
  std::signal(SIGPIPE, SIG_IGN);
  if (options.port == 0) options.port = free_port();
  if (options.port > 0) options.smtp.push_back("127.0.0.1:" + std::to_string(options.port));
  auto plan = plan_of(options);
  if (!plan) return fail(plan.error().text);
  boost::asio::io_context loop;
  http::NameResolver resolver(loop);
  {
    auto opened = Service::open(loop, {options.folder, plan->settings,
                                       seams_of(options, *plan, resolver), test::built_spf()});
    if (!opened) return fail(opened.error().text);
    const std::unique_ptr<Service> service = std::move(*opened);
    const auto& server = plan->settings.server;
    if (service->listening().size() != server.smtp.size() + server.pop3.size()) return 1;
    std::printf("port %d\n", options.port);
    std::fflush(stdout);
    io::Timer timer(loop);
    timer.start(seconds(1), [&service] { service->tick(); });
    service->tick();
    const Signal terminate(loop, SIGTERM, [&loop] { loop.stop(); });
    const Signal interrupt(loop, SIGINT, [&loop] { loop.stop(); });
    const Signal tell(loop, SIGUSR1, [&service] { print(service->counters()); });
    const Signal link(loop, SIGHUP, [&service] { service->link_is_up(); });
    loop.run();
    print(service->counters());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The mail service of Postern, alone.");
  MailOptions options;
  add_options(app, options);
  CLI11_PARSE(app, argc, argv);
  return run(std::move(options));
}
