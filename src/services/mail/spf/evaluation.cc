// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/spf/evaluation.h"

#include <memory>

#include "services/mail/spf/libspf2.h"

namespace postern::mail {
namespace {

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

}  // namespace

SpfAnswer evaluate_spf(const SpfQuestion& question, SPF_dns_server_struct* dns) {
  const Server server(SPF_server_new_dns(dns, 0));
  const Request request(server ? SPF_request_new(server.get()) : nullptr);
  if (!request) return {SpfResult::temperror, "no memory"};
  SPF_server_set_rec_dom(server.get(), question.host.c_str());
  const in_addr client = {htonl(question.client.number)};
  SPF_request_set_ipv4(request.get(), client);
  SPF_request_set_helo_dom(request.get(), question.helo.c_str());
  const std::string sender =
      question.sender.empty() ? "postmaster@" + question.helo : question.sender;
  SPF_request_set_env_from(request.get(), sender.c_str());
  SPF_response_t* made = nullptr;
  const SPF_errcode_t error = SPF_request_query_mailfrom(request.get(), &made);
  const Response response(made);
  if (!response) return {SpfResult::temperror, "no answer"};
  const char* why = SPF_response_get_header_comment(response.get());
  if (why == nullptr && SPF_response_messages(response.get()) > 0)
    why = SPF_error_message(SPF_response_message(response.get(), 0));
  return {result_of(error, response.get()), why == nullptr ? "" : spf_plain(why)};
}

}  // namespace postern::mail
