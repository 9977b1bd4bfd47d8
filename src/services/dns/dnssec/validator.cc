// SPDX-License-Identifier: BSD-3-Clause
#include "services/dns/dnssec/validator.h"

#include <fcntl.h>
#include <pthread.h>
#include <unbound.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "base/assert.h"

namespace postern::dns {
namespace {

constexpr Duration kTick = milliseconds(250);
// libunbound keeps for a minute that it could not fetch a key.
constexpr Duration kFailureHolds = seconds(65);

struct Option {
  const char* name;
  const char* value;
};
constexpr std::array kOptions = {
    Option{"do-not-query-localhost:", "no"},  // the stub
    Option{"edns-buffer-size:", "65000"},     // on loopback; nothing is ever cut
    Option{"insecure-lan-zones:", "yes"},     // reverse names of private addresses,
    Option{"unblock-lan-zones:", "yes"},      // which the service has answered or forwards
    Option{"infra-host-ttl:", "1"},           // the stub is never to be left alone
    Option{"val-bogus-ttl:", "5"},           Option{"msg-cache-size:", "2m"},
    Option{"rrset-cache-size:", "6m"},       Option{"key-cache-size:", "4m"},
    Option{"neg-cache-size:", "1m"},         Option{"num-queries-per-thread:", "2048"},
    Option{"outgoing-range:", "900"},        Option{"use-syslog:", "no"},
    Option{"trust-anchor-signaling:", "no"},
};

// What libunbound writes to its log meanwhile; it has no other words for what is wrong.
class Captured {
 public:
  explicit Captured(ub_ctx* context) : file_(open_memstream(&text_, &size_)) {
    ub_ctx_debugout(context, file_);
  }
  // `context` may be nullptr: it is gone.
  std::string end(ub_ctx* context) {
    if (context != nullptr) ub_ctx_debugout(context, nullptr);
    std::fclose(file_);
    file_ = nullptr;
    std::string_view said(text_, size_);
    said = said.substr(0, said.find('\n'));
    if (const size_t at = said.find("error: "); at != said.npos) said.remove_prefix(at + 7);
    return std::string(said);
  }
  ~Captured() {
    POSTERN_ASSERT(file_ == nullptr);
    std::free(text_);
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;

 private:
  char* text_ = nullptr;
  size_t size_ = 0;
  FILE* file_;
};

std::string key_of(const Name& name, uint16_t type) {
  std::string key(name.key());
  key.push_back(static_cast<char>(type >> 8));
  key.push_back(static_cast<char>(type & 0xFF));
  return key;
}

}  // namespace

struct Validator::Engine {
  explicit Engine(ub_ctx* made) : context(made) {}
  ~Engine() { ub_ctx_delete(context); }  // ends its thread; no call comes any more
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  ub_ctx* context;
  std::unique_ptr<io::Watch> watch;
};

Result<std::unique_ptr<Validator>> Validator::make(boost::asio::io_context& context,
                                                   const ValidatorSettings& settings, Calls calls) {
  std::unique_ptr<Validator> made(new Validator(context, settings, std::move(calls)));
  auto stub = Stub::open(context, *made);
  if (!stub) return std::move(stub).error();
  made->stub_ = std::move(stub).value();
  if (auto engine = made->make_engine(); !engine) return std::move(engine).error();
  made->timer_.start(kTick, [self = made.get()] { self->tick(); });
  return made;
}

Validator::Validator(boost::asio::io_context& context, const ValidatorSettings& settings,
                     Calls calls)
    : context_(context), settings_(settings), calls_(std::move(calls)), timer_(context) {}

Validator::~Validator() {
  *alive_ = false;
}

Result<void> Validator::make_engine() {
  auto engine = std::make_unique<Engine>(ub_ctx_create());
  POSTERN_ASSERT(engine->context != nullptr);
  Captured captured(engine->context);
  auto done = set_up(engine->context);
  const std::string said = captured.end(engine->context);
  if (!done) {
    Error error = std::move(done).error();
    if (!said.empty()) error.text += ": " + said;
    return error;
  }
  const int fd = fcntl(ub_fd(engine->context), F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return Error{ErrorCode::failed, "libunbound has no descriptor"};
  engine->watch = std::make_unique<io::Watch>(context_, fd);
  engine->watch->whenever_readable([ub = engine->context] { ub_process(ub); });
  engine_ = std::move(engine);
  last_failure_ = {};
  must_restart_ = false;
  return {};
}

Result<void> Validator::set_up(ub_ctx* context) const {
  for (const Option& option : kOptions) {
    if (ub_ctx_set_option(context, option.name, option.value) != 0) {
      return Error{ErrorCode::failed, std::string("libunbound refuses ") + option.name};
    }
  }
  const std::string stub = "127.0.0.1@" + std::to_string(stub_->port());
  if (ub_ctx_async(context, 1) != 0 || ub_ctx_set_fwd(context, stub.c_str()) != 0) {
    return Error{ErrorCode::failed, "libunbound refuses " + stub};
  }
  for (const std::string& file : settings_.anchor_files) {
    if (access(file.c_str(), R_OK) != 0) {
      return Error{ErrorCode::not_found, "the trust anchor " + file + " cannot be read; that of " +
                                             "the root is in the package dns-root-data"};
    }
    if (ub_ctx_add_ta_file(context, file.c_str()) != 0) {
      return Error{ErrorCode::invalid, "the trust anchor " + file + " is refused"};
    }
  }
  for (const std::string& anchor : settings_.anchors) {
    if (ub_ctx_add_ta(context, anchor.c_str()) != 0) {
      return Error{ErrorCode::invalid, "the trust anchor \"" + anchor + "\" is refused"};
    }
  }
  for (const std::string& zone : settings_.insecure) {
    if (ub_ctx_set_option(context, "domain-insecure:", zone.c_str()) != 0) {
      return Error{ErrorCode::invalid, "the insecure zone " + zone + " is refused"};
    }
  }
  // This reads all that was given; it removes nothing.
  if (ub_ctx_zone_remove(context, "removed.invalid.") != 0) {
    return Error{ErrorCode::invalid, "the trust anchors or insecure zones are refused"};
  }
  return {};
}

void Validator::judge(const Question& question, Bytes answer, Done done) {
  const uint64_t number = next_number_++;
  Judgement& judgement = judgements_[number];
  judgement.owner = this;
  judgement.number = number;
  judgement.done = std::move(done);
  judgement.started = monotonic_now();
  if (judgements_.size() > settings_.outstanding_max) {
    ++counters_.refused;
    return give_up_soon(number, "too many judgements under way");
  }
  judgement.key = key_of(question.name, question.type);
  judgement.answer.assign(answer.begin(), answer.end());
  seeds_[judgement.key] = number;
  // The thread of libunbound begins with its first query; signals are the control thread's.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int error =
      ub_resolve_async(engine_->context, to_text(question.name).c_str(), question.type, kClassIn,
                       &judgement, resolved, &judgement.query);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error == 0) return;
  judgement.query = -1;
  give_up_soon(number, ub_strerror(error));
}

void Validator::resolved(void* judgement, int error, ub_result* result) {
  auto& own = *static_cast<Judgement*>(judgement);
  own.query = -1;
  static const ub_result nothing = {};
  own.owner->finish(own.number, own.owner->outcome_of(error, result ? *result : nothing));
  ub_resolve_free(result);
}

Validator::Outcome Validator::outcome_of(int error, const ub_result& result) {
  Outcome outcome;
  if (error != 0) {
    outcome.why = ub_strerror(error);
    return outcome;
  }
  if (result.bogus != 0) {
    outcome.why = result.why_bogus ? result.why_bogus : "";
    const Instant now = monotonic_now();
    if (last_failure_.ns != 0 && now - last_failure_ < kFailureHolds) {
      must_restart_ = true;
      return outcome;
    }
    outcome.verdict = Verdict::bogus;
    return outcome;
  }
  if (result.rcode == rcode::server_failure || result.answer_packet == nullptr) {
    outcome.why = "no server has an answer";
    return outcome;
  }
  outcome.verdict = result.secure != 0 ? Verdict::secure : Verdict::insecure;
  outcome.message = {static_cast<const uint8_t*>(result.answer_packet),
                     static_cast<size_t>(result.answer_len)};
  return outcome;
}

void Validator::finish(uint64_t number, const Outcome& outcome) {
  const auto node = judgements_.extract(number);
  if (node.empty()) return;
  const Judgement& judgement = node.mapped();
  if (const auto seed = seeds_.find(judgement.key); seed != seeds_.end()) {
    if (seed->second == number) seeds_.erase(seed);
  }
  switch (outcome.verdict) {
    case Verdict::secure:
      ++counters_.secure;
      break;
    case Verdict::insecure:
      ++counters_.insecure;
      break;
    case Verdict::bogus:
      ++counters_.bogus;
      break;
    case Verdict::failed:
      ++counters_.failed;
      break;
  }
  judgement.done(outcome);
}

void Validator::give_up_soon(uint64_t number, std::string why) {
  boost::asio::post(context_, [this, alive = alive_, number, why = std::move(why)] {
    if (*alive && judgements_.contains(number)) give_up(number, why);
  });
}

void Validator::give_up(uint64_t number, const std::string& why) {
  Judgement& judgement = judgements_.at(number);
  if (judgement.query >= 0) ub_cancel(engine_->context, judgement.query);
  Outcome outcome;
  outcome.why = why;
  finish(number, outcome);
}

void Validator::take_query(uint32_t number, Bytes query) {
  Query asked;
  if (parse_query(query, asked) != QueryFault::none) {
    stub_->answer(number, {});
    return;
  }
  if (const auto seed = seeds_.find(key_of(asked.name, asked.type)); seed != seeds_.end()) {
    stub_->answer(number, judgements_.at(seed->second).answer);
    return;
  }
  std::vector<uint8_t> unchecked(query.begin(), query.end());
  unchecked[3] |= flag::cd;
  calls_.ask(number, unchecked);
}

void Validator::answer_query(uint32_t number, Bytes answer) {
  const bool is_answer = stub_->answer(number, answer);
  if (is_answer && (get16(answer, 2) & flag::rcode) == rcode::server_failure) query_failed();
}

void Validator::query_failed() {
  last_failure_ = monotonic_now();
}

void Validator::start_anew() {
  must_restart_ = true;
  last_restart_ = {};
}

void Validator::tick() {
  const Instant now = monotonic_now();
  stub_->tick(now);
  std::vector<uint64_t> late;
  const bool restarts =
      must_restart_ && (last_restart_.ns == 0 || now - last_restart_ > kRestartEvery);
  for (const auto& [number, judgement] : judgements_) {
    if (restarts || now - judgement.started > kPatience) late.push_back(number);
  }
  for (const uint64_t number : late)
    give_up(number, "keys could not be fetched in time");
  if (!restarts) return;
  last_restart_ = now;
  ++counters_.restarts;
  // The settings have been good before; if a file is gone now, the engine of before goes on.
  if (!make_engine()) must_restart_ = false;
}

}  // namespace postern::dns
