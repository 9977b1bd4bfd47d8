// SPDX-License-Identifier: BSD-3-Clause
#include "cli/login/https_client.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include <cstring>
#include <utility>

#include "control/remote/channel/keys.h"

namespace postern::cli {
namespace {

constexpr size_t kHeadMax = 1024;  // of ours, with the longest name and both cookies
constexpr size_t kAddressesMax = 4;

// In one allocation, so that secrets are in one place.
std::string encode(const WebRequest& request, const PageAddress& page) {
  std::string out;
  out.reserve(kHeadMax + request.cookies.size() + request.form.size());
  out += request.method;
  out += " ";
  out += request.target;
  out += " HTTP/1.1\r\nHost: ";
  out += page.authority();
  out += "\r\nUser-Agent: postern\r\nAccept: text/html\r\nConnection: close\r\n";
  if (!request.cookies.empty()) {
    out += "Cookie: ";
    out += request.cookies;
    out += "\r\n";
  }
  if (request.method == "POST") {
    out += "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ";
    out += std::to_string(request.form.size());
    out += "\r\n";
  }
  out += "\r\n";
  out += request.form;
  return out;
}

Result<std::vector<uint32_t>> look_up(const std::string& name) {
  addrinfo hints = {};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int wrong = getaddrinfo(name.c_str(), nullptr, &hints, &found);
  if (wrong != 0) return Error{ErrorCode::unavailable, name + ": " + gai_strerror(wrong)};
  std::vector<uint32_t> addresses;
  addresses.reserve(kAddressesMax);
  for (const addrinfo* at = found; at != nullptr && addresses.size() < kAddressesMax;
       at = at->ai_next) {
    sockaddr_in address = {};
    std::memcpy(&address, at->ai_addr, sizeof address);
    addresses.push_back(address.sin_addr.s_addr);
  }
  freeaddrinfo(found);
  return addresses;
}

}  // namespace

HttpsClient::HttpsClient(PageAddress page) : page_(std::move(page)) {}
HttpsClient::~HttpsClient() = default;

Result<void> HttpsClient::set_up(const std::string& ca_file) {
  auto addresses = look_up(page_.host);
  if (!addresses) return std::move(addresses).error();
  addresses_ = std::move(*addresses);
  context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = context_.get();
  // It is verified, and judged afterwards: a certificate that nobody vouches for may be known.
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
    return Error{ErrorCode::failed, "TLS 1.2 cannot be had of this machine's OpenSSL"};
  }
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    ERR_clear_error();
    return {};
  }
  // The certificate of the page itself may be in the file, in place of its authority.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  if (SSL_CTX_load_verify_file(context, ca_file.c_str()) == 1) return {};
  ERR_clear_error();
  return Error{ErrorCode::failed, ca_file + ": cannot be read, or has no certificate in PEM form"};
}

Result<void> HttpsClient::open(TlsConnection& connection) {
  auto address = connection.connect(addresses_);
  if (!address) return std::move(address).error();
  addresses_ = {*address};
  return connection.shake_hands(context_.get());
}

Result<SeenCertificate> HttpsClient::look(const Patience& patience) {
  TlsConnection connection(page_, patience, signals_);
  if (auto done = open(connection); !done) return std::move(done).error();
  return connection.certificate();
}

Result<Answer> HttpsClient::ask(const WebRequest& request, const Patience& patience) {
  TlsConnection connection(page_, patience, signals_);
  if (auto done = open(connection); !done) return std::move(done).error();
  if (auto judged = judge_(connection.certificate()); !judged) return std::move(judged).error();
  std::string out = encode(request, page_);
  auto sent = connection.send(out);
  remote::wipe(out);
  if (!sent) return std::move(sent).error();
  auto answer = read_answer(connection);
  if (answer || request.doubt.empty()) return answer;
  Error error = std::move(answer).error();
  error.text += "; ";
  error.text += request.doubt;
  return error;
}

Result<Answer> HttpsClient::read_answer(TlsConnection& connection) const {
  AnswerReader reader;
  for (;;) {
    auto octets = connection.receive();
    if (!octets) return std::move(octets).error();
    if (octets->empty()) {
      return Error{ErrorCode::unavailable, page_.key() + " broke off in the middle of its answer"};
    }
    switch (reader.feed(*octets)) {
      case AnswerReader::State::more:
        break;
      case AnswerReader::State::done:
        return reader.answer();
      case AnswerReader::State::refused:
        return Error{ErrorCode::failed,
                     fmt::format("the answer of {} is not taken: {}", page_.key(), reader.why())};
    }
  }
}

}  // namespace postern::cli
