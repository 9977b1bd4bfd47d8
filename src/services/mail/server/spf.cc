// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/server/spf.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <list>
#include <map>
#include <utility>

#include "services/io/job_pool.h"
#include "services/io/program.h"

namespace postern::mail {
namespace {

namespace asio = boost::asio;

// /24: what one provider gives to one customer, and more.
uint32_t network_of(Ipv4Address client) {
  constexpr unsigned kHostBits = 8;
  return client.number >> kHostBits;
}

SpfAnswer not_asked(const std::string& why) {
  return {SpfResult::none, "not asked: " + why};
}

// Whatever else than an answer comes of a question is its domain's affair.
SpfAnswer answer_of(const io::ProgramEnd& end) {
  if (end.kind == io::ProgramEnd::Kind::timeout)
    return {SpfResult::temperror, "the DNS took too long"};
  const bool is_sound = end.kind == io::ProgramEnd::Kind::exited && end.code == 0 && !end.is_cut;
  const auto answer = is_sound ? parse_spf_answer(end.output) : std::nullopt;
  return answer.value_or(SpfAnswer{SpfResult::temperror, "no answer: " + to_text(end)});
}

}  // namespace

std::string installed_spf_program() {
  return POSTERN_SPF_PROGRAM;
}

struct Spf::State : std::enable_shared_from_this<Spf::State> {
  struct Check {
    explicit Check(asio::io_context& context) : timer(context) {}
    uint32_t network = 0;
    Then then;
    io::ProgramJob job;
    Result<io::ProgramEnd> end = io::ProgramEnd{};  // the thread's
    asio::steady_timer timer;                       // while it waits
  };
  using Shared = std::shared_ptr<Check>;

  explicit State(Parts with)
      : parts(std::move(with)),
        stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        pool(std::make_unique<io::JobPool>(parts.context,
                                           io::JobPool::Settings{"mail-spf", kAtOnce, kAtOnce})) {}
  ~State() { close(stop); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void add(const Shared& check);
  void answer_later(const Then& then, const SpfAnswer& answer);
  void start_some();
  void start(const Shared& check);
  void done(const Check& check);
  void give_up(const Shared& check);

  Parts parts;
  int stop;  // readable once the service ends
  std::list<Shared> waiting;
  std::map<uint32_t, unsigned> under_way;  // by network
  unsigned running = 0;
  bool is_told = false;  // that the program cannot be started
  std::unique_ptr<io::JobPool> pool;
};

void Spf::State::answer_later(const Then& then, const SpfAnswer& answer) {
  asio::post(parts.context, [then, answer, weak = weak_from_this()] {
    if (!weak.expired()) then(answer);
  });
}

void Spf::State::add(const Shared& check) {
  const auto of_network = std::ranges::count(waiting, check->network, &Check::network);
  if (static_cast<size_t>(of_network) >= kWaitingOfNetwork)
    return answer_later(check->then, {SpfResult::temperror, "too many questions of one network"});
  if (waiting.size() >= kWaitingMax)
    return answer_later(check->then, not_asked("too many questions"));
  waiting.push_back(check);
  check->timer.expires_after(std::chrono::nanoseconds(kWaitMax.ns));
  check->timer.async_wait(
      [weak = weak_from_this(), of = std::weak_ptr<Check>(check)](boost::system::error_code error) {
        const auto self = weak.lock();
        const Shared late = of.lock();
        if (self && late && !error) self->give_up(late);
      });
  start_some();
}

// Nothing, where it is asked by now.
void Spf::State::give_up(const Shared& check) {
  if (waiting.remove(check) != 0) check->then(not_asked("too many questions"));
}

void Spf::State::start_some() {
  for (auto next = waiting.begin(); next != waiting.end() && running < kAtOnce;) {
    const Shared check = *next;
    if (under_way[check->network] >= kOfNetwork) {
      ++next;
      continue;
    }
    next = waiting.erase(next);
    check->timer.cancel();
    start(check);
  }
}

void Spf::State::start(const Shared& check) {
  ++under_way[check->network];
  ++running;
  Check* const work = check.get();  // its end holds it, on the loop: timers are of one thread
  pool->run_surely([work] { work->end = io::run_program(work->job); },
                   [this, check] { done(*check); });
}

void Spf::State::done(const Check& check) {
  const auto self = shared_from_this();
  --running;
  if (const auto of = under_way.find(check.network); --of->second == 0) under_way.erase(of);
  start_some();
  if (!check.end && !is_told) parts.warn("SPF: " + check.end.error().text);
  is_told = !check.end;
  check.then(check.end ? answer_of(*check.end) : not_asked("it cannot be"));
}

Spf::Spf(Parts parts) : state_(std::make_shared<State>(std::move(parts))) {}

Spf::~Spf() {
  eventfd_write(state_->stop, 1);
  state_->pool.reset();
  state_->waiting.clear();
}

void Spf::check(const SpfQuestion& question, const Then& then) {
  const auto arguments = spf_arguments(question);
  if (!arguments) return state_->answer_later(then, {SpfResult::permerror, "no such sender"});
  const auto check = std::make_shared<State::Check>(state_->parts.context);
  check->network = network_of(question.client);
  check->then = then;
  std::vector<std::string>& command = check->job.command;
  command = {state_->parts.program};
  command.insert(command.end(), arguments->begin(), arguments->end());
  command.insert(command.end(), state_->parts.server.begin(), state_->parts.server.end());
  check->job.timeout = kPatience;
  check->job.output_max = kSpfAnswerMax;
  check->job.stop = state_->stop;
  state_->add(check);
}

}  // namespace postern::mail
