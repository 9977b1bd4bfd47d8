// SPDX-License-Identifier: BSD-3-Clause
// Validator: DNSSEC validation of answers (RFC 4033 to 4035) by libunbound.
//
// libunbound asks for what it needs (the answer itself, DNSKEY and DS records up to the anchor) as
// of a forwarder on a loopback port, which is a stub of ours. The stub gives back the answer that
// is to be judged, and has all else asked by the DNS service, by its servers and with its cache:
//
//   judge(question, answer) --> libunbound (a thread) --UDP--> Stub -- the same question? answer
//        ^                          |                            +---- else Calls::ask -> service
//        +-- Done <-- its fd -------+                                  answer_query() <--+
//
// Done gets the message that libunbound has judged, which is not always the one given: it keeps
// what it has validated before. Never use the given one in its place.
//
// libunbound remembers for a minute that it could not fetch a key, and calls all below bogus.
// So a bogus verdict soon after queries that failed is `failed`, and its memory starts anew, once
// in kRestartEvery at most: names are there again as soon as servers are.
//
// Thread: control; libunbound has one of its own. Bounds: outstanding_max judgements, further ones
// are `failed`; kPatience for each; some 16 MiB for what libunbound remembers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "services/dns/answer.h"
#include "services/dns/dnssec/stub.h"
#include "services/dns/verdict.h"
#include "services/io/keyed_hash.h"
#include "services/io/watch.h"

struct ub_ctx;
struct ub_result;

namespace postern::dns {

struct ValidatorSettings {
  // Files with DS or DNSKEY records as in zone files, for the root and others.
  std::vector<std::string> anchor_files = {"/usr/share/dns/root.key"};
  std::vector<std::string> anchors = {};   // further ones, such a record each
  std::vector<std::string> insecure = {};  // zones that need no signatures (RFC 7646)
  size_t outstanding_max = 512;

  friend bool operator==(const ValidatorSettings&, const ValidatorSettings&) = default;
};

struct ValidatorCounters {
  uint64_t secure = 0;
  uint64_t insecure = 0;
  uint64_t bogus = 0;
  uint64_t failed = 0;    // could not be found out, in time or at all
  uint64_t refused = 0;   // beyond outstanding_max
  uint64_t restarts = 0;  // of libunbound's memory
};

class Validator : private Stub::Owner {
 public:
  static constexpr Duration kPatience = seconds(5);
  static constexpr Duration kRestartEvery = seconds(5);

  struct Outcome {
    Verdict verdict = Verdict::failed;
    Bytes message;    // that is secure or insecure; else empty. Valid during the call
    std::string why;  // of bogus and failed, in words
  };
  using Done = std::function<void(const Outcome& outcome)>;
  struct Calls {
    // Has a query answered that came from the stub, with CD and DO set: answer_query() with its
    // number, from within this or later.
    std::function<void(uint32_t number, Bytes query)> ask;
  };

  // An error: an anchor that cannot be read.
  static Result<std::unique_ptr<Validator>> make(boost::asio::io_context& context,
                                                 const ValidatorSettings& settings, Calls calls);
  ~Validator() override;  // not from within `done`, which is not called any more
  Validator(const Validator&) = delete;
  Validator& operator=(const Validator&) = delete;

  // Calls `done` once, never from within this.
  void judge(const Question& question, Bytes answer, Done done);
  // The answer to a query of Calls::ask; an empty one: there is none.
  void answer_query(uint32_t number, Bytes answer);
  // The network has changed: earlier failures are forgotten.
  void start_anew();

  const ValidatorCounters& counters() const { return counters_; }
  const ValidatorSettings& settings() const { return settings_; }
  size_t outstanding() const { return judgements_.size(); }
  uint16_t port() const { return stub_->port(); }

 private:
  struct Judgement {
    Validator* owner = nullptr;
    uint64_t number = 0;
    std::string key;  // as in seeds_
    std::vector<uint8_t> answer;
    Done done;
    Instant started;
    int query = -1;  // libunbound's number; below 0: it has none
  };
  struct Engine;  // libunbound, and what it remembers

  Validator(boost::asio::io_context& context, const ValidatorSettings& settings, Calls calls);
  Result<void> make_engine();
  Result<void> set_up(ub_ctx* context) const;
  void take_query(uint32_t number, Bytes query) override;
  void query_failed() override;
  static void resolved(void* judgement, int error, ub_result* result);
  Outcome outcome_of(int error, const ub_result& result);
  void finish(uint64_t number, const Outcome& outcome);
  void give_up_soon(uint64_t number, std::string why);
  void give_up(uint64_t number, const std::string& why);
  void tick();

  boost::asio::io_context& context_;
  ValidatorSettings settings_;
  Calls calls_;
  std::unique_ptr<Stub> stub_;
  std::unique_ptr<Engine> engine_;
  std::map<uint64_t, Judgement> judgements_;  // libunbound knows their addresses
  // Name and type -> the last such judgement.
  std::unordered_map<std::string, uint64_t, io::KeyedHash> seeds_;
  uint64_t next_number_ = 0;
  Instant last_failure_;  // of a query of the stub; zero: none since engine_ began
  Instant last_restart_;
  bool must_restart_ = false;
  ValidatorCounters counters_;
  io::Timer timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what is posted
};

}  // namespace postern::dns
