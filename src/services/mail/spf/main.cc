// SPDX-License-Identifier: BSD-3-Clause
// postern-spf CLIENT HELO SENDER HOST [ADDRESS PORT]: answers one SPF question (question.h), by the
// DNS. posternd starts one for each question, since libspf2 is C that reads what strangers write.
// With ADDRESS and PORT that server is asked, else those of /etc/resolv.conf.
//
// Exit code 0: there is an answer; 2: that was no question. Bounds: confinement.h, dns_layer.h.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "services/mail/spf/confinement.h"
#include "services/mail/spf/dns_layer.h"
#include "services/mail/spf/evaluation.h"

namespace postern::mail {
namespace {

constexpr int kNoQuestion = 2;
constexpr size_t kParts = 4;  // of a question

std::optional<DnsLayer::Place> place_of(std::string_view address, std::string_view digits) {
  const auto parsed = parse_ipv4(address);
  uint16_t port = 0;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, port);
  if (!parsed || read.ec != std::errc() || read.ptr != end) return {};
  return DnsLayer::Place{*parsed, port};
}

int answer(std::span<const std::string> arguments) {
  std::optional<DnsLayer::Place> server;
  if (arguments.size() > kParts) {
    if (arguments.size() != kParts + 2) return kNoQuestion;
    server = place_of(arguments[kParts], arguments[kParts + 1]);
    if (!server) return kNoQuestion;
    arguments = arguments.first(kParts);
  }
  const auto question = parse_spf_arguments(arguments);
  if (!question) return kNoQuestion;
  DnsLayer dns(server);
  confine();
  SpfAnswer found{SpfResult::temperror, "no resolver"};
  if (dns.get() != nullptr) found = evaluate_spf(*question, dns.get());
  const std::string line = encode_spf_answer(found);
  const ssize_t written = write(STDOUT_FILENO, line.data(), line.size());
  return written == static_cast<ssize_t>(line.size()) ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace postern::mail

int main(int count, char** arguments) {
  const std::vector<std::string> texts(arguments + std::min(count, 1), arguments + count);
  // At the end nothing of the library's runs any more.
  _exit(postern::mail::answer(texts));
}
