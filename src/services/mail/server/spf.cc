// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/server/spf.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <utility>

#include "services/mail/message/address.h"
#include "services/mail/server/libspf2.h"

namespace postern::mail {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr size_t kWhyMax = 200;  // octets of what the library says

template <auto free>
struct Free {
  template <typename T>
  void operator()(T* owned) const {
    free(owned);
  }
};
using Server = std::unique_ptr<SPF_server_t, Free<SPF_server_free>>;
using Request = std::unique_ptr<SPF_request_t, Free<SPF_request_free>>;
using Response = std::unique_ptr<SPF_response_t, Free<SPF_response_free>>;
using Dns = std::unique_ptr<SPF_dns_server_t, Free<SPF_dns_free>>;

// A layer that asks nothing any more once it took too long, or the service ends.
struct Patience {
  Clock::time_point end;
  std::shared_ptr<const std::atomic<bool>> is_ending;
};

SPF_dns_rr_t* look_up_in_time(SPF_dns_server_t* layer, const char* domain, ns_type type,
                              int should_cache) {
  const auto* patience = static_cast<const Patience*>(layer->hook);
  if (*patience->is_ending || Clock::now() >= patience->end)
    return SPF_dns_rr_new_init(layer, domain, type, 0, TRY_AGAIN);
  return SPF_dns_lookup(layer->layer_below, domain, type, should_cache);
}

// Where a record could not be had, or not be read, there is an error and no result.
SpfResult result_of(SPF_errcode_t error) {
  const bool is_for_now =
      error == SPF_E_DNS_ERROR || error == SPF_E_NO_MEMORY || error == SPF_E_INTERNAL_ERROR;
  return is_for_now ? SpfResult::temperror : SpfResult::permerror;
}

SpfResult result_of(SPF_errcode_t error, SPF_response_t* response) {
  switch (SPF_response_result(response)) {
    case SPF_RESULT_INVALID:
      return result_of(error);
    case SPF_RESULT_NEUTRAL:
      return SpfResult::neutral;
    case SPF_RESULT_PASS:
      return SpfResult::pass;
    case SPF_RESULT_FAIL:
      return SpfResult::fail;
    case SPF_RESULT_SOFTFAIL:
      return SpfResult::softfail;
    case SPF_RESULT_TEMPERROR:
      return SpfResult::temperror;
    case SPF_RESULT_PERMERROR:
      return SpfResult::permerror;
    default:
      return SpfResult::none;
  }
}

// Nothing of it ends a line, a comment or a quoted string.
std::string plain(std::string_view text) {
  std::string out;
  for (const char octet : text.substr(0, kWhyMax)) {
    const bool is_plain = octet >= ' ' && octet < 0x7F && octet != '(' && octet != ')' &&
                          octet != '\\' && octet != '"';
    out += is_plain ? octet : '?';
  }
  return out;
}

SpfAnswer ask_system(const SpfQuestion& question, Patience& patience) {
  const Dns system(SPF_dns_resolv_new(nullptr, "resolv", 0));
  if (!system) return {SpfResult::temperror, "no resolver"};
  SPF_dns_server_t layer = {};
  layer.lookup = look_up_in_time;
  layer.layer_below = system.get();
  layer.name = "patience";
  layer.hook = &patience;
  return evaluate_spf(question, &layer);
}

}  // namespace

std::string_view to_text(SpfResult result) {
  switch (result) {
    case SpfResult::none:
      return "none";
    case SpfResult::neutral:
      return "neutral";
    case SpfResult::pass:
      return "pass";
    case SpfResult::fail:
      return "fail";
    case SpfResult::softfail:
      return "softfail";
    case SpfResult::temperror:
      return "temperror";
    case SpfResult::permerror:
      return "permerror";
  }
  return "none";
}

std::string received_spf_field(const SpfQuestion& question, const SpfAnswer& answer) {
  const bool is_helo = question.sender.is_null();
  std::string out = "Received-SPF: " + std::string(to_text(answer.result));
  if (!answer.why.empty()) out += " (" + plain(answer.why) + ")";
  out += "\r\n\treceiver=" + question.host + "; client-ip=" + to_text(question.client) + ";\r\n\t";
  if (!is_helo) out += "envelope-from=\"" + plain(to_text(question.sender)) + "\"; ";
  return out + "helo=\"" + plain(question.helo) +
         "\"; identity=" + (is_helo ? "helo" : "mailfrom") + "\r\n";
}

SpfAnswer evaluate_spf(const SpfQuestion& question, SPF_dns_server_struct* dns) {
  const Server server(SPF_server_new_dns(dns, 0));
  const Request request(server ? SPF_request_new(server.get()) : nullptr);
  if (!request) return {SpfResult::temperror, "no memory"};
  SPF_server_set_rec_dom(server.get(), question.host.c_str());
  const in_addr client = {htonl(question.client.number)};
  SPF_request_set_ipv4(request.get(), client);
  SPF_request_set_helo_dom(request.get(), question.helo.c_str());
  const std::string sender =
      question.sender.is_null() ? "postmaster@" + question.helo : to_text(question.sender);
  SPF_request_set_env_from(request.get(), sender.c_str());
  SPF_response_t* made = nullptr;
  const SPF_errcode_t error = SPF_request_query_mailfrom(request.get(), &made);
  const Response response(made);
  if (!response) return {SpfResult::temperror, "no answer"};
  const char* why = SPF_response_get_header_comment(response.get());
  if (why == nullptr && SPF_response_messages(response.get()) > 0)
    why = SPF_error_message(SPF_response_message(response.get(), 0));
  return {result_of(error, response.get()), why == nullptr ? "" : plain(why)};
}

struct Spf::Check {
  explicit Check(asio::io_context& context) : timer(context) {}
  SpfQuestion question;
  Then then;         // empty: it was called
  SpfAnswer answer;  // of the thread
  Patience patience;
  asio::steady_timer timer;

  void conclude(const SpfAnswer& with) {
    timer.cancel();
    if (const Then call = std::exchange(then, {})) call(with);
  }
};

Spf::Spf(asio::io_context& context)
    : context_(context),
      is_ending_(std::make_shared<std::atomic<bool>>(false)),
      pool_(context, {"mail-spf", kThreads, kWaitingMax}) {}

Spf::~Spf() {
  *is_ending_ = true;
}

void Spf::check(const SpfQuestion& question, Then then) {
  const auto check = std::make_shared<Check>(context_);
  check->question = question;
  check->then = std::move(then);
  const auto patience = std::chrono::nanoseconds(kPatience.ns);
  check->patience = {Clock::now() + patience, is_ending_};
  Check* const work = check.get();  // `then` holds it on the loop: timers are of one thread
  const bool runs = pool_.run([work] { work->answer = ask_system(work->question, work->patience); },
                              [check] { check->conclude(check->answer); });
  check->timer.expires_after(runs ? patience : std::chrono::nanoseconds(0));
  check->timer.async_wait([weak = std::weak_ptr<Check>(check), keep = runs ? nullptr : check,
                           is_ending = is_ending_](boost::system::error_code error) {
    const auto self = weak.lock();
    if (error || !self || *is_ending) return;
    self->conclude({SpfResult::temperror, keep ? "too many questions" : "the DNS took too long"});
  });
}

}  // namespace postern::mail
