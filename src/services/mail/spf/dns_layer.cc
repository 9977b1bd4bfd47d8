// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/spf/dns_layer.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "services/mail/spf/libspf2.h"

namespace postern::mail {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kAnswerOctetsMax = 65536;
constexpr size_t kPreferenceOctets = 2;

// The rest of `data` that is a name, with its NUL; empty: it is none.
std::string name_of(const ns_msg& message, const unsigned char* data) {
  std::array<char, NS_MAXDNAME> name;
  const int taken =
      ns_name_uncompress(ns_msg_base(message), ns_msg_end(message), data, name.data(), name.size());
  return taken < 0 ? std::string() : std::string(name.data()) + '\0';
}

// RFC1035-3.3.14: strings behind one another, each with its length before it.
std::string text_of(const unsigned char* data, size_t length) {
  std::string text;
  for (size_t at = 0; at < length;) {
    const size_t size = std::min<size_t>(data[at], length - at - 1);
    text.append(data + at + 1, data + at + 1 + size);
    at += 1 + size;
  }
  return text + '\0';
}

// As the library keeps it; empty: that is no record of this type.
std::string value_of(const ns_msg& message, const ns_rr& record) {
  const unsigned char* data = ns_rr_rdata(record);
  const size_t length = ns_rr_rdlen(record);
  switch (ns_rr_type(record)) {
    case ns_t_a:
      return length == sizeof(in_addr) ? std::string(data, data + length) : std::string();
    case ns_t_aaaa:
      return length == sizeof(in6_addr) ? std::string(data, data + length) : std::string();
    case ns_t_mx:
      return length > kPreferenceOctets ? name_of(message, data + kPreferenceOctets)
                                        : std::string();
    case ns_t_ptr:
      return name_of(message, data);
    case ns_t_txt:
    case ns_t_spf:
      return text_of(data, length);
    default:
      return {};
  }
}

bool append(SPF_dns_rr_t& answer, const std::string& value) {
  const int index = answer.num_rr;
  if (SPF_dns_rr_buf_realloc(&answer, index, value.size()) != SPF_E_SUCCESS) return false;
  std::memcpy(answer.rr[index], value.data(), value.size());
  ++answer.num_rr;
  return true;
}

}  // namespace

struct DnsLayer::State {
  SPF_dns_server_t layer = {};
  struct __res_state resolver = {};
  bool is_ready = false;
  Clock::time_point end;
  std::vector<unsigned char> octets = std::vector<unsigned char>(kAnswerOctetsMax);

  SPF_dns_rr_t* look_up(const char* domain, ns_type type);
  void read(std::span<const unsigned char> octets, SPF_dns_rr_t& answer) const;

  static SPF_dns_rr_t* look_up_by(SPF_dns_server_t* layer, const char* domain, ns_type type,
                                  int /*should_cache*/) {
    return static_cast<State*>(layer->hook)->look_up(domain, type);
  }
};

SPF_dns_rr_t* DnsLayer::State::look_up(const char* domain, ns_type type) {
  const auto outcome = [&](int what) { return SPF_dns_rr_new_init(&layer, domain, type, 0, what); };
  if (Clock::now() >= end) return outcome(TRY_AGAIN);
  const int length =
      res_nquery(&resolver, domain, ns_c_in, type, octets.data(), static_cast<int>(octets.size()));
  if (length < 0) return outcome(resolver.res_h_errno);
  SPF_dns_rr_t* answer = outcome(NETDB_SUCCESS);
  const auto size = std::min(static_cast<size_t>(length), octets.size());
  if (answer != nullptr) read(std::span(octets).first(size), *answer);
  return answer;
}

void DnsLayer::State::read(std::span<const unsigned char> from, SPF_dns_rr_t& answer) const {
  ns_msg message;
  answer.herrno = NO_RECOVERY;
  if (ns_initparse(from.data(), static_cast<int>(from.size()), &message) != 0) return;
  for (int i = 0; i < ns_msg_count(message, ns_s_an) && answer.num_rr < kRecordsMax; ++i) {
    ns_rr record;
    if (ns_parserr(&message, ns_s_an, i, &record) != 0) return;
    if (ns_rr_type(record) != answer.rr_type) continue;  // an alias on the way
    const std::string value = value_of(message, record);
    if (!value.empty() && !append(answer, value)) return;
  }
  answer.herrno = answer.num_rr == 0 ? NO_DATA : NETDB_SUCCESS;
}

DnsLayer::DnsLayer(const std::optional<Place>& server) : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.is_ready = res_ninit(&state.resolver) == 0;
  state.resolver.retrans = kAttemptWaitS;
  state.resolver.retry = kAttempts;
  if (server && state.is_ready) {
    sockaddr_in& place = state.resolver.nsaddr_list[0];
    place = {};
    place.sin_family = AF_INET;
    place.sin_port = htons(server->port);
    place.sin_addr.s_addr = htonl(server->address.number);
    state.resolver.nscount = 1;
  }
  state.layer.lookup = State::look_up_by;
  state.layer.name = "resolver";
  state.layer.hook = &state;
  state.end = Clock::now() + std::chrono::nanoseconds(kPatience.ns);
}

DnsLayer::~DnsLayer() {
  if (state_->is_ready) res_nclose(&state_->resolver);
}

SPF_dns_server_struct* DnsLayer::get() {
  return state_->is_ready ? &state_->layer : nullptr;
}

}  // namespace postern::mail
