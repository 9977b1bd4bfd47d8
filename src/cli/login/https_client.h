// SPDX-License-Identifier: BSD-3-Clause
// HttpsClient: asks one web page, one request a connection, over TLS 1.2 or later. Before the first
// octet of a request leaves, the certificate of the other side has been judged. Nothing is followed
// anywhere, and no secret is kept. The name is looked up once, and the first of its addresses that
// answers is the only one from then on: a log-in belongs to one gateway.
//
// Bounds: of an answer those of answer.h, and of each request its patience, from the connection
// to the last octet; after a signal its grace more. Thread: the only one; blocks. The program
// has to ignore SIGPIPE.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/login/answer.h"
#include "cli/login/page_address.h"
#include "cli/login/stop_signals.h"
#include "cli/login/tls_connection.h"
#include "cli/login/trust.h"

namespace postern::cli {

struct WebRequest {
  std::string_view method;
  std::string_view target;
  std::string_view cookies;     // value of the Cookie header; may be empty
  std::string_view form;        // body of a POST
  std::string_view doubt = {};  // what no answer means, once it was sent; may be empty
};

class HttpsClient {
 public:
  using Judge = std::function<Result<void>(const SeenCertificate& seen)>;

  explicit HttpsClient(PageAddress page);
  ~HttpsClient();
  HttpsClient(const HttpsClient&) = delete;
  HttpsClient& operator=(const HttpsClient&) = delete;

  // Looks the name up, and reads the authorities: of the file, or the system's.
  Result<void> set_up(const std::string& ca_file);
  void set_judge(Judge judge) { judge_ = std::move(judge); }
  // They outlive this, or are taken away by nullptr.
  void set_signals(StopSignals* signals) { signals_ = signals; }
  unsigned signals_heard() const { return signals_ != nullptr ? signals_->taken() : 0; }
  bool is_told_to_end() { return signals_ != nullptr && signals_->wait_ms(0); }

  // The certificate, by a connection on which nothing is said.
  Result<SeenCertificate> look(const Patience& patience);
  // `unavailable`: no answer; `failed`: one that is none; `denied`: the judge's word.
  Result<Answer> ask(const WebRequest& request, const Patience& patience);

  const PageAddress& page() const { return page_; }

 private:
  struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  Result<void> open(TlsConnection& connection);
  Result<Answer> read_answer(TlsConnection& connection) const;

  PageAddress page_;
  std::vector<uint32_t> addresses_;  // IPv4, in network order
  std::unique_ptr<SSL_CTX, FreeContext> context_;
  Judge judge_;
  StopSignals* signals_ = nullptr;
};

}  // namespace postern::cli
