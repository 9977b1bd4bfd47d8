// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/service.h"

#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iterator>

#include "services/io/hash.h"

namespace postern::dns {
namespace {

constexpr size_t kHostsBytesMax = size_t{16} << 20;
constexpr Duration kSlowTurn = seconds(1);

uint64_t stamp_of(const std::string& path) {
  struct stat facts = {};
  if (stat(path.c_str(), &facts) != 0) return 0;
  auto number = [](auto value) { return static_cast<uint64_t>(value); };
  uint64_t stamp = number(facts.st_mtim.tv_sec) * 1'000'000'007 + number(facts.st_mtim.tv_nsec);
  return (stamp * 31 + number(facts.st_size)) * 31 + number(facts.st_ino) + 1;
}

std::string type_text(uint16_t type) {
  switch (type) {
    case type::a:
      return "A";
    case type::aaaa:
      return "AAAA";
    case type::ptr:
      return "PTR";
    case type::mx:
      return "MX";
    case type::txt:
      return "TXT";
    case type::srv:
      return "SRV";
    default:
      return fmt::format("TYPE{}", type);
  }
}

}  // namespace

Service::Service(boost::asio::io_context& context, Report report)
    : context_(context),
      report_(std::move(report)),
      forwarder_(*this, io::random_seed()),
      udp_upstream_(
          context, {[this](uint32_t socket, Bytes message, Instant at) {
                      forwarder_.take_datagram(socket, message, at);
                    },
                    [this] { return now(); }, [this] { end_turn(); }, [this] { return random(); }}),
      tcp_(context, [this] { return now(); }),
      room_(kMessageBytesMax),
      fast_(context),
      slow_(context) {
  slow_.start(kSlowTurn, [this] { tick(); });
}

Service::~Service() = default;

Instant Service::now() const {
  timespec at = {};
  clock_gettime(CLOCK_MONOTONIC, &at);
  return {at.tv_sec * 1'000'000'000 + at.tv_nsec};
}

Result<void> Service::apply(const Settings& settings, const std::vector<io::ListenAddress>& at) {
  bool same_files = std::equal(
      hosts_.begin(), hosts_.end(), settings.hosts_files.begin(), settings.hosts_files.end(),
      [](const HostsFile& file, const auto& path) { return file.path == path; });
  if (!same_files) {
    hosts_.clear();
    for (const std::string& path : settings.hosts_files)
      hosts_.push_back({path, kNeverLookedAt, {}});
  }
  forwarder_.configure(settings, now());
  if (!same_files) look_at_hosts(true);
  return listen(at);
}

Result<void> Service::listen(const std::vector<io::ListenAddress>& wanted) {
  std::erase_if(listeners_, [&](const auto& entry) {
    return std::find(wanted.begin(), wanted.end(), entry.second.at) == wanted.end();
  });
  Result<void> outcome;
  for (const io::ListenAddress& at : wanted) {
    bool is_open = std::any_of(listeners_.begin(), listeners_.end(),
                               [&](const auto& entry) { return entry.second.at == at; });
    if (is_open) continue;
    auto opened = open(at);
    if (!opened && outcome) outcome = std::move(opened);
  }
  listening_.clear();
  for (const auto& [number, listener] : listeners_)
    listening_.push_back(listener.at);
  return outcome;
}

Result<void> Service::open(const io::ListenAddress& at) {
  auto udp = open_datagram_listener(at);
  if (!udp) return std::move(udp).error();
  uint32_t number = ++last_listener_;
  auto query = [this](Bytes bytes, const Client& client, Instant when, std::span<uint8_t> room) {
    return ask(bytes, client, when, room);
  };
  Listener& listener = listeners_[number];
  listener.at = at;
  listener.udp = std::make_unique<UdpServer>(
      context_, *udp, number,
      UdpServer::Calls{query, [this] { return now(); }, [this] { end_turn(); }});
  auto tcp = io::open_listener(at, SOCK_STREAM);
  if (!tcp) return std::move(tcp).error();
  listener.tcp = std::make_unique<TcpServer>(
      context_, *tcp, number,
      TcpServer::Calls{query, [this] { return now(); }, [this] { end_turn(); },
                       [this] { return std::span(room_); },
                       [this, at](const char* why) {
                         report_.warn("dns: connections by TCP to " + to_text(at.address) +
                                      " have to wait: " + why);
                       }});
  return {};
}

size_t Service::ask(Bytes query, const Client& client, Instant when, std::span<uint8_t> room) {
  return forwarder_.ask(query, client, when, room);
}

void Service::end_turn() {
  udp_upstream_.flush();
  for (auto& [number, listener] : listeners_)
    listener.udp->flush();
  if (forwarder_.is_waiting() == fast_.runs()) return;
  if (fast_.runs()) return fast_.stop();
  fast_.start(Forwarder::kTick, [this] {
    forwarder_.tick(now());
    end_turn();
  });
}

void Service::tick() {
  Instant at = now();
  forwarder_.tick(at);
  udp_upstream_.tick(at);
  for (auto& [number, listener] : listeners_) {
    if (listener.tcp) listener.tcp->tick(at);
  }
  look_at_hosts(false);
  end_turn();
}

uint32_t Service::send_datagram(const ServerAddress& server, Bytes message) {
  return udp_upstream_.send(server, message);
}

void Service::ask_stream(const ServerAddress& server, Bytes message, uint16_t id) {
  Transport* transport = server.tls_name.empty() ? &tcp_ : tls_.get();
  if (!transport) return;  // the question goes on to the next server in time
  transport->ask(server, message, Forwarder::kPatience,
                 [this, id](const Result<std::vector<uint8_t>>& outcome) {
                   forwarder_.take_stream(id, outcome, now());
                   end_turn();
                 });
}

void Service::set_hooks(Hooks hooks) {
  if (hooks.validate) {
    // What becomes known later is sent at the end of that turn.
    hooks.validate = [this, validate = std::move(hooks.validate)](
                         const Question& question, Bytes answer, const Hooks::Judged& done) {
      validate(question, answer, [this, done](Verdict verdict, Bytes judged) {
        forwarder_.note_time(now());
        done(verdict, judged);
        end_turn();
      });
    };
  }
  forwarder_.set_hooks(std::move(hooks));
}

void Service::ask_own(uint32_t number, Bytes query) {
  Client client;
  client.connection = number;
  client.is_own = true;
  size_t size = forwarder_.ask(query, client, now(), room_);
  if (size > 0 && own_reply_) own_reply_(number, Bytes(room_).first(size));
  end_turn();
}

void Service::reply(const Client& client, Bytes message) {
  if (client.is_own) {
    if (own_reply_) own_reply_(client.connection, message);
    return;
  }
  auto found = listeners_.find(client.listener);
  if (found == listeners_.end()) return;  // closed by a reload
  if (client.connection == 0) {
    found->second.udp->reply(client, message);
  } else if (found->second.tcp) {
    found->second.tcp->reply(client, message);
  }
}

void Service::log_query(const Client& client, const Name& name, uint16_t type,
                        std::string_view outcome) {
  if (!report_.query) return;
  report_.query(fmt::format("{} {} {} {}{}", to_text(client.address), to_text(name),
                            type_text(type), outcome, client.connection != 0 ? " tcp" : ""));
}

uint64_t Service::random() {
  if (random_left_ == 0) {
    randombytes_buf(random_.data(), sizeof random_);
    random_left_ = random_.size();
  }
  return std::exchange(random_[--random_left_], 0);
}

void Service::set_lease(Ipv4Address address, std::string_view host_name) {
  forwarder_.names().set_lease(address, host_name);
}

void Service::erase_lease(Ipv4Address address) {
  forwarder_.names().erase_lease(address);
}

void Service::set_learned_servers(const std::vector<ServerAddress>& servers) {
  forwarder_.set_learned_servers(servers, now());
}

// The files are looked at once a second, which follows whatever way an editor writes them.
void Service::look_at_hosts(bool always) {
  bool has_changed = always;
  for (HostsFile& file : hosts_)
    has_changed |= read_hosts(file);
  if (!has_changed) return;
  std::vector<HostName> names;
  for (const HostsFile& file : hosts_)
    names.insert(names.end(), file.names.begin(), file.names.end());
  if (names.size() > kFixedNamesMax) names.resize(kFixedNamesMax);
  forwarder_.set_hosts(std::move(names));
}

bool Service::read_hosts(HostsFile& file) {
  uint64_t stamp = stamp_of(file.path);
  if (stamp == file.stamp) return false;
  file.stamp = stamp;
  std::ifstream in(file.path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in.is_open() || text.size() > kHostsBytesMax) {
    report_.warn(file.path + (in.is_open() ? " is larger than 16 MiB" : " cannot be read") +
                 (file.names.empty() ? "" : "; its last contents stay"));
    return false;
  }
  HostsText hosts = parse_hosts(text);
  file.names = std::move(hosts.names);
  if (hosts.skipped > 0) {
    report_.warn(
        fmt::format("{}: {} entries are no IPv4 addresses with names", file.path, hosts.skipped));
  }
  return true;
}

size_t Service::connections() const {
  size_t count = 0;
  for (const auto& [number, listener] : listeners_)
    count += listener.tcp ? listener.tcp->connections() : 0;
  return count;
}

uint64_t Service::accept_pauses() const {
  uint64_t count = 0;
  for (const auto& [number, listener] : listeners_)
    count += listener.tcp ? listener.tcp->pauses() : 0;
  return count;
}

uint64_t Service::turned_away() const {
  uint64_t count = 0;
  for (const auto& [number, listener] : listeners_)
    count += listener.tcp ? listener.tcp->turned_away() : 0;
  return count;
}

}  // namespace postern::dns
