// SPDX-License-Identifier: BSD-3-Clause
// HttpControl: the HTTP proxy in the daemon (F55-F58): follows the configuration, keeps its cache,
// and answers what the proxy asks: names, the filter, who somebody is.
//
// Names are asked of the gateway's own DNS service, and its block lists are held against those that
// clients ask for; without it, of the system. What a client may not reach by itself it does not
// reach by the proxy (http_judge.h). What the proxy fetches leaves as the gateway's own packets,
// which a rule has to permit.
// A socket that cannot be opened is tried again each kListenAgain.
// Thread: control.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"
#include "control/listeners.h"
#include "control/services/own_questions.h"
#include "services/http/proxy/proxy.h"

namespace postern {

struct AuditEntry;
class ErrorLog;
class HttpCache;
class Identities;
class Loop;

namespace accounts {
class Accounts;
}
namespace http {
struct LogRecord;
}  // namespace http

class HttpControl {
 public:
  struct World {
    std::string state_dir;
    std::function<Instant()> now;
    DeviceOf device_of;
    std::function<const Policy*()> policy;
    std::function<const Identities*()> identities;    // nullptr: nobody is logged in
    std::function<std::string(Ipv4Address)> user_at;  // by the log-in page; empty: nobody
    // Asks the gateway's own DNS service; false: there is none.
    std::function<bool(const std::string& name, const OwnQuestions::Found& found)> ask_dns;
    std::function<void(const http::LogRecord& record)> log;
    std::function<void(const AuditEntry& entry)> audit;  // of refused log-ins
    // For `postern status`, as Gateway::note().
    std::function<void(const std::string& about, const Result<void>& outcome)> note;
    // Addresses that the kernel has, which may be more than the policy knows of.
    std::function<std::vector<Ipv4Address>()> kernel_addresses;
  };
  HttpControl(Loop& loop, ErrorLog& log, accounts::Accounts& accounts, World world);
  ~HttpControl();
  HttpControl(const HttpControl&) = delete;
  HttpControl& operator=(const HttpControl&) = delete;

  // After each publication: the proxy starts and ends as `services.http` is there or not; what is
  // under way goes on. Where the rules or the parent's password cannot be had, everything else is
  // applied, and new requests are refused with a page that says so.
  Result<void> follow(const config::Model& model, const Policy& policy);
  // Once a second.
  void tick();

  bool is_running() const;
  // False: what the policy leads to the proxy finds nobody there. Compile it anew, for which this
  // is CompileInputs::http_is_served.
  bool serves_intercepted() const;
  // Since posternd started, whatever was configured meanwhile.
  http::ProxyCounters counters() const;
  const std::vector<io::ListenAddress>& listening() const;
  http::Proxy::Load load() const;
  size_t clients_max() const;  // beyond it they are turned away
  HttpCache& cache();
  const HttpCache& cache() const;

  using Counted = std::function<void(const Result<uint64_t>& removed)>;
  // Removes what is kept for the URL, or for all URLs that match, where it has a * (any
  // characters; ? then is any one). `done` is called once, also when the store goes before.
  void purge(const std::string& url_or_pattern, const Counted& done);
  void clear(const Counted& done);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace postern
